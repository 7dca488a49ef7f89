"""PNG as bytes: what a file says of itself before it is decoded, and how ours are written."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from ..errors import FilmRefused

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM_7 = (  # first column and row, and steps, of the passes of an interlaced PNG
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
_MOST_CHUNKS = 65_536  # an encoder that writes 8 KB at a time makes 16,000 of the largest file
_EXIF_TEXT = re.compile(rb"Raw profile type|XML:com\.adobe\.xmp")
_SUB = 1  # the filter that keeps differences to the left neighbour
LEVEL = 2  # of ISA-L, some five times as fast as zlib at its level 1


class Header(NamedTuple):
    """What a picture file says before it is decoded.

    Attributes:
        rows, columns: as stored, before it is turned upright.
        bits: 8 or 16: what `readers.read` can make of it.
        notes: codes of what a reader should know.
        exif: whether there may be an orientation in it.
    """

    rows: int
    columns: int
    bits: int
    notes: list[str]
    exif: bool


def inspect(data: bytes) -> Header:
    """Walk over the chunks of a PNG.

    Raises:
        FilmRefused: `truncated`, `damaged` (a checksum is wrong), or `animated`.
    """
    chunks = list(_chunks(data))
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise FilmRefused("damaged")
    names = {name for name, _ in chunks}
    if b"acTL" in names:
        raise FilmRefused("animated")
    columns, rows, depth, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    if depth not in _DEPTHS.get(colour, ()):
        raise FilmRefused("damaged")
    notes = ["colour"] * (colour in (2, 6)) + ["palette"] * (colour == 3)
    notes += ["transparent"] * (colour in (4, 6) or b"tRNS" in names)
    bits = 16 if (colour, depth) == (0, 16) else 8
    return Header(rows, columns, bits, notes, any(_may_turn(*chunk) for chunk in chunks))


def check_whole(data: bytes) -> None:
    """Refuse a PNG whose data end before its picture does; Pillow would paint the rest black.

    Args:
        data: as `inspect` has found it sound; its size has been checked.

    Raises:
        FilmRefused: `truncated`.
    """
    chunks = list(_chunks(data))
    columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    bits = depth * _SAMPLES[colour]
    passes = _ADAM_7 if interlaced else ((0, 0, 1, 1),)
    needed = 0
    for x, y, step_x, step_y in passes:
        across, down = -((x - columns) // step_x), -((y - rows) // step_y)
        needed += down * (1 + (across * bits + 7) // 8) if across > 0 else 0
    pixels = b"".join(content for name, content in chunks if name == b"IDAT")
    if len(isal_zlib.decompressobj().decompress(pixels, needed)) < needed:
        raise FilmRefused("truncated")


def encode(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A grey PNG of (rows, columns) without anything but its pixels."""
    rows, columns = values.shape
    wide = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(">"), copy=False))
    step = values.dtype.itemsize
    line = wide.view(np.uint8).reshape(rows, columns * step)
    filtered = np.empty((rows, columns * step + 1), np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1 : step + 1] = line[:, :step]
    np.subtract(line[:, step:], line[:, :-step], out=filtered[:, step + 1 :])
    header = struct.pack(">IIBBBBB", columns, rows, 8 * step, 0, 0, 0, 0)
    pixels = isal_zlib.compress(filtered, LEVEL)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each up to IEND; what follows it is never looked at."""
    view, at = memoryview(data), len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(data):
            raise FilmRefused("truncated")
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            raise FilmRefused("truncated")
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise FilmRefused("damaged")
        name = data[at + 4 : at + 8]
        yield name, view[at + 8 : end - 4]
        if name == b"IEND":
            return
        at = end
    raise FilmRefused("damaged")


def _may_turn(name: bytes, content: memoryview) -> bool:
    """Whether a chunk may tell an orientation: EXIF, or text in which Pillow looks for it."""
    text = name in (b"tEXt", b"iTXt", b"zTXt")
    return name == b"eXIf" or (text and bool(_EXIF_TEXT.match(content)))


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
