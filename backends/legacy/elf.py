"""Shared libraries read and written as ELF files, for x86-64 Linux, without a compiler.

Source:
    System V Application Binary Interface, AMD64 supplement, and its generic part, chapters 4 and 5
"""

import struct
from collections.abc import Sequence
from pathlib import Path

HEADER, PROGRAM_HEADER, SYMBOL, DYNAMIC = 64, 56, 24, 16  # bytes of one
PAGE = 0x1000
BUCKETS = 67  # of the hash table; any number is right
OBJECT = 512  # bytes of a data symbol, all zero
# endbr64; mov eax, 16; ret: every function says MPI_ERR_OTHER, and any other caller sees a failure
CODE = bytes.fromhex("f30f1efa b810000000 c3")

READ_EXECUTE, READ_WRITE = 5, 6
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
DT_NULL, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_SONAME = 0, 4, 5, 6, 10, 11, 14
GLOBAL_OBJECT, GLOBAL_FUNCTION = 0x11, 0x12
SHT_DYNSYM = 11


def undefined_symbols(path: Path) -> list[str]:
    """Names that a library expects other libraries to define.

    Raises:
        ValueError: it is no 64-bit little-endian ELF file.
    """
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is no 64-bit little-endian ELF file")
    (sections,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    found = []
    for at in range(sections, sections + size * count, size):
        (kind,) = struct.unpack_from("<I", data, at + 4)
        if kind == SHT_DYNSYM:
            start, length, link = struct.unpack_from("<QQI", data, at + 24)
            (strings,) = struct.unpack_from("<Q", data, sections + link * size + 24)
            found += _undefined(data, range(start, start + length, SYMBOL), strings)
    return found


def _undefined(data: bytes, symbols: range, strings: int) -> list[str]:
    found = []
    for at in symbols:
        name, _, _, section = struct.unpack_from("<IBBH", data, at)
        if name and not section:
            start = strings + name
            found.append(data[start : data.index(b"\0", start)].decode())
    return found


def shared_library(soname: str, functions: Sequence[str], objects: Sequence[str]) -> bytes:
    """A library that defines names.

    Args:
        soname: what other libraries call it.
        functions: each returns 16, whatever it is given.
        objects: each is 512 zero bytes.
    """
    names = [*functions, *objects]
    strings, offsets = _string_table([soname, *names])
    table = _hash_table(names)
    # Two segments: what is read and executed, then, on a page of its own, what is written.
    table_at = HEADER + 4 * PROGRAM_HEADER
    symbols_at = _aligned(table_at + len(table), 8)
    strings_at = symbols_at + SYMBOL * (1 + len(names))
    code_at = _aligned(strings_at + len(strings), 16)
    dynamic_at = _aligned(code_at + len(CODE), PAGE)
    objects_at = _aligned(dynamic_at + 7 * DYNAMIC, 64)
    end = objects_at + OBJECT * len(objects)
    symbols = bytes(SYMBOL)
    for name in functions:
        symbols += _symbol(offsets[name], GLOBAL_FUNCTION, 1, code_at, len(CODE))
    for number, name in enumerate(objects):
        symbols += _symbol(offsets[name], GLOBAL_OBJECT, 2, objects_at + OBJECT * number, OBJECT)
    dynamic = [
        (DT_SONAME, offsets[soname]),
        (DT_HASH, table_at),
        (DT_STRTAB, strings_at),
        (DT_SYMTAB, symbols_at),
        (DT_STRSZ, len(strings)),
        (DT_SYMENT, SYMBOL),
        (DT_NULL, 0),
    ]
    parts = {
        0: _headers(code_at + len(CODE), dynamic_at, len(dynamic) * DYNAMIC, end),
        table_at: table,
        symbols_at: symbols,
        strings_at: strings,
        code_at: CODE,
        dynamic_at: b"".join(struct.pack("<qQ", *entry) for entry in dynamic),
    }
    library = bytearray(end)
    for at, part in parts.items():
        library[at : at + len(part)] = part
    return bytes(library)


def _headers(code_end: int, dynamic_at: int, dynamic_size: int, end: int) -> bytes:
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    shared, x86_64 = 3, 62
    sizes = (HEADER, PROGRAM_HEADER, 4, 64, 0, 0)
    header = struct.pack("<HHIQQQI6H", shared, x86_64, 1, 0, HEADER, 0, 0, *sizes)
    return b"".join(
        (
            identity,
            header,
            _program_header(PT_LOAD, READ_EXECUTE, 0, code_end, PAGE),
            _program_header(PT_LOAD, READ_WRITE, dynamic_at, end - dynamic_at, PAGE),
            _program_header(PT_DYNAMIC, READ_WRITE, dynamic_at, dynamic_size, 8),
            _program_header(PT_GNU_STACK, READ_WRITE, 0, 0, 16),  # the stack is not executed
        )
    )


def _program_header(kind: int, flags: int, at: int, size: int, alignment: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, alignment)


def _symbol(name: int, info: int, section: int, at: int, size: int) -> bytes:
    return struct.pack("<IBBHQQ", name, info, 0, section, at, size)


def _string_table(strings: list[str]) -> tuple[bytes, dict[str, int]]:
    table, offsets = b"\0", {}
    for string in strings:
        offsets[string] = len(table)
        table += string.encode() + b"\0"
    return table, offsets


def _hash_table(names: list[str]) -> bytes:
    """Chains of symbols by hash; symbol 0 is none, and ends a chain."""
    buckets, chains = [0] * BUCKETS, [0] * (1 + len(names))
    for number, name in enumerate(names, 1):
        bucket = _hash(name) % BUCKETS
        chains[number], buckets[bucket] = buckets[bucket], number
    return struct.pack(
        f"<{2 + len(buckets) + len(chains)}I", len(buckets), len(chains), *buckets, *chains
    )


def _hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high & 0xFFFFFFFF
    return value


def _aligned(at: int, to: int) -> int:
    return -(-at // to) * to
