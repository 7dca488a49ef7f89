"""Sound files that the fuzzer begins from, made by script; and how they are spoilt."""

import io
import random
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("webapp", "backends", "preprocessing")]

NUMBERS = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
WORDS = (
    *(b"&a ", b"*a", b"!!python/name:os.system", b"!!int ", b"<<: ", b"? ", b"- ", b": ", b"---\n"),
    *(b"{", b"}", b"[", b"]", b'"', b"'", b"\n", b"\t", b"\0", b"\xff", b"#", b"|\n ", b">-\n "),
    *(b"1e999", b".nan", b"-1", b"0", b"9" * 400, b"null", b"no", b"1:30", b"../../x", b"a:b"),
    *(b"grid: {training.epochs: [1, 2]}\n", b"quick: {a.0.b: 1}\n", b"seeds: [1, 1]\n"),
)


def images():
    """PNG and JPEG of several kinds."""
    from hostile import FILM, NOISE, picture, png
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned
    colour = Image.fromarray(np.dstack([FILM, NOISE, FILM]))
    return [
        *(picture(), picture(NOISE), png(), picture(FILM.astype("uint16") * 200)),
        *(picture(colour), picture(colour.convert("P")), picture(colour.convert("LA"))),
        *(picture(kind="JPEG"), picture(NOISE, "JPEG", progressive=True), picture(colour, "JPEG")),
        *(picture(kind="JPEG", exif=exif), picture(exif=exif)),
    ]


def dicoms():
    """One grey picture in several transfer syntaxes, with a window, a table, an odd depth."""
    from hostile import FILM, compressed, dicom, in_dicom, picture
    from pydicom.uid import (
        DeflatedExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        JPEG2000Lossless,
        JPEGBaseline8Bit,
        JPEGLSLossless,
        RLELossless,
    )

    packed = [in_dicom(compressed(s), s) for s in (JPEG2000Lossless, JPEGLSLossless, RLELossless)]
    wide = FILM.astype("uint16") * 16
    return [
        *(dicom(), dicom(syntax=ImplicitVRLittleEndian), *packed),
        dicom(syntax=DeflatedExplicitVRLittleEndian),
        in_dicom(picture(kind="JPEG"), JPEGBaseline8Bit),
        dicom(
            wide,
            BitsStored=12,
            HighBit=11,
            Modality="DX",
            PhotometricInterpretation="MONOCHROME1",
            WindowCenter=1000,
            WindowWidth=2000,
            RescaleSlope=1,
            RescaleIntercept=-1000,
        ),
    ]


def specs():
    """Those that are shipped."""
    return [path.read_bytes() for path in sorted((ROOT / "experiments").glob("*.yaml"))]


def models():
    """Weights as .safetensors and .h5, and images as .npz."""
    from hostile_arrays import npy, npz
    from hostile_models import arrays, hdf5, sound

    def packed(file):
        file.create_dataset("a/b", data=np.zeros((40, 40), "float32"), compression="gzip")
        file["a"].attrs["names"] = np.array([b"x", b"yy"])

    return [arrays(), hdf5(packed), sound(), npz(images=npy()), npz(8, images=npy(), label=npy())]


def spoilt(data: bytes, seeds: list[bytes], draw: random.Random) -> bytes:
    """A file with one to eight changes; a PNG's checksums are often made right again."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        if found:
            draw.choice(CHANGES)(found, seeds, draw)
    if found.startswith(b"\x89PNG") and draw.random() < 0.7:
        return _with_checksums(bytes(found))
    return bytes(found)


def _flip(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _byte(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    data[draw.randrange(len(data))] = draw.randrange(256)


def _number(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    size, order = draw.choice((1, 2, 4, 8)), draw.choice("<>")
    at = draw.randrange(len(data))
    value = draw.choice(NUMBERS) % 2 ** (8 * size)
    data[at : at + size] = struct.pack(order + "xBHxIxxxQ"[size], value)


def _cut(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data))
    del data[at : at + draw.choice((1, 4, 16, 256, len(data)))]


def _again(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    at, length = draw.randrange(len(data)), draw.choice((1, 4, 16, 256))
    data[at:at] = data[at : at + length] * draw.choice((1, 2, 50))


def _other(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    other = draw.choice(seeds)
    start, at = draw.randrange(len(other)), draw.randrange(len(data))
    length = draw.choice((4, 16, 64, 512))
    data[at : at + draw.choice((0, length))] = other[start : start + length]


def _word(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data))
    data[at : at + draw.choice((0, 0, 4))] = draw.choice(WORDS)


def _lines(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    lines = data.splitlines(keepends=True)
    first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    data[:] = b"".join(lines)


CHANGES = (_flip, _byte, _number, _cut, _again, _other, _word, _lines)


def _with_checksums(data: bytes) -> bytes:
    """Chunks as far as they go, each with the checksum of what it holds."""
    out, at = io.BytesIO(), 8
    out.write(data[:8])
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(data) or not re.fullmatch(rb"[A-Za-z]{4}", data[at + 4 : at + 8]):
            break
        out.write(data[at:end] + struct.pack(">I", zlib.crc32(data[at + 4 : end])))
        at = end + 4
    out.write(data[at:])
    return out.getvalue()
