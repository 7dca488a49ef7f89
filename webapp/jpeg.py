"""JPEG as bytes: what a stream says of itself, and whether it is whole.

Decoders paint what is missing of a stream grey and say nothing; here that is a refusal.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import simplejpeg

from ..errors import FilmRefused
from .png import Header

MOST_SCANS = 100  # progressive pictures have some 10; each costs as much as a whole decoding
HUFFMAN = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive: what decoders of pictures read
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # among the markers 0xC0 to 0xCF that begin a frame
_JPEG_LS = 0xF7
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in entropy-coded data
_MARKER_LS = re.compile(rb"\xff[\x80-\xfe]")  # JPEG-LS stuffs a bit, not a byte


class Frame(NamedTuple):
    """How a stream codes its picture: `process` is its SOF marker, `bits` are those of a sample."""

    process: int
    bits: int
    rows: int
    columns: int
    components: int
    scans: int


def inspect(data: bytes) -> Header:
    """Walk over the segments of a JPEG file.

    Raises:
        FilmRefused: `truncated`, `damaged`, `cmyk`, `unusual_jpeg`, `too_many_scans`.
    """
    found = frame(data)
    if found.components == 4:
        raise FilmRefused("cmyk")
    if found.process not in HUFFMAN or found.components not in (1, 3):
        raise FilmRefused("unusual_jpeg", found=f"SOF{found.process - 0xC0}")
    if found.bits != 8:
        raise FilmRefused("unusual_jpeg", found=f"{found.bits} bits")
    notes = ["colour"] * (found.components == 3)
    return Header(found.rows, found.columns, 8, notes, exif=True)


def frame(data: bytes) -> Frame:
    """The one frame of a stream that ends as it should; what follows its end is not looked at.

    Raises:
        FilmRefused: `truncated` (no end), `damaged`, `too_many_scans`.
    """
    frames, scans = [], 0
    for marker, content in _segments(data):
        if marker == 0xDA:
            scans += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS:
            frames.append((marker, content))
    if len(frames) != 1 or len(frames[0][1]) < 6 or not scans:
        raise FilmRefused("damaged")
    if scans > MOST_SCANS:
        raise FilmRefused("too_many_scans", scans=scans, limit=MOST_SCANS)
    process, content = frames[0]
    rows, columns = int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:5], "big")
    return Frame(process, content[0], rows, columns, content[5], scans)


def check_whole(data: bytes) -> None:
    """Refuse a stream whose data end before its picture does, though its end marker is there.

    Args:
        data: 8 bits, Huffman coded; its size has been checked.

    Raises:
        FilmRefused: `truncated` or `damaged`.
    """
    try:  # at an eighth of the size: all data are read, few pixels computed
        simplejpeg.decode_jpeg(data, "GRAY", strict=True, min_height=1, min_width=1)
    except ValueError as error:
        early = "premature" in str(error).lower()
        raise FilmRefused("truncated" if early else "damaged") from error


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment, up to the end marker."""
    at, entropy_end = 2, _MARKER
    while at + 2 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0x00:
            raise FilmRefused("damaged")
        if marker == 0xD9:
            return
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # these stand alone
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            raise FilmRefused("truncated" if at + 4 > len(data) else "damaged")
        yield marker, data[at + 4 : at + 2 + length]
        if marker == _JPEG_LS:
            entropy_end = _MARKER_LS
        at += 2 + length
        if marker == 0xDA:
            following = entropy_end.search(data, at)
            at = following.start() if following else len(data)
    raise FilmRefused("truncated")
