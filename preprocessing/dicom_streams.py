"""What the packed parts of a DICOM file would become, before they are unpacked.

Decoders ask for memory by what a stream says of itself, and pydicom inflates a deflated file
whole: a megabyte can become gigabytes.
"""

import zlib
from pathlib import Path
from typing import Any

from ..errors import DataError
from . import dicom_check, readers

LARGEST_INFLATED = 4 * readers.LARGEST + 2**24  # bytes: pixels of 32 bits, and a header
MOST_FRAMES = 100_000
_BLOCK = 2**20
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # among the JPEG markers 0xC0 to 0xCF that begin a frame
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
_JPEG_LS = 0xF7
_SIZE_2000 = b"\xff\x4f\xff\x51"  # a JPEG 2000 stream begins: SOC, SIZ


def check_inflated(path: Path) -> None:
    """Refuse a deflated file that becomes too large.

    Raises:
        DataError: it does.
        Exception: whatever pydicom and zlib raise of a damaged file.
    """
    from pydicom.filereader import read_file_meta_info

    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != dicom_check.DEFLATED:
        return
    with path.open("rb") as file:
        # preamble, prefix, the element that tells the length of the others, and those
        file.seek(128 + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        inflater, length = zlib.decompressobj(-zlib.MAX_WBITS), 0
        packed = file.read(_BLOCK)
        while packed and not inflater.eof:
            length += len(inflater.decompress(packed, _BLOCK))
            if length > LARGEST_INFLATED:
                raise DataError(
                    f"{path} is too large: inflated it has more than {LARGEST_INFLATED:,} bytes."
                )
            packed = inflater.unconsumed_tail or file.read(_BLOCK)


def check_size(path: Path, file: Any, frame: int) -> None:
    """Refuse a compressed picture of another size than the header says.

    Args:
        path: of the file.
        file: its data set, as `dicom.check` found it.
        frame: which is to be decoded, from 1.

    Raises:
        DataError: it is of another size, or there are too many frames to look through.
        Exception: whatever pydicom raises of a damaged file.
    """
    from pydicom.encaps import get_frame

    frames = int(file.get("NumberOfFrames") or 1)
    if frames > MOST_FRAMES:
        raise DataError(f"{path} has {frames:,} frames; at most {MOST_FRAMES:,} are read.")
    if file.file_meta.TransferSyntaxUID in (*dicom_check.NATIVE, dicom_check.DEFLATED):
        return
    offsets = None
    if "ExtendedOffsetTable" in file:
        offsets = (file.ExtendedOffsetTable, file.ExtendedOffsetTableLengths)
    stream = get_frame(file.PixelData, frame - 1, extended_offsets=offsets, number_of_frames=frames)
    found = size(stream)
    stated = (int(file.Rows), int(file.Columns))
    if found is not None and found != stated:
        raise DataError(
            f"{path} is damaged: its picture is {found[0]} x {found[1]}, the header says "
            f"{stated[0]} x {stated[1]}."
        )


def size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream says it has; None of others."""
    at = stream.find(_SIZE_2000, 0, _BLOCK)
    if at >= 0:
        right, down, left, top = (
            int.from_bytes(stream[at + 8 + 4 * n : at + 12 + 4 * n], "big") for n in range(4)
        )
        return down - top, right - left
    if not stream.startswith(b"\xff\xd8"):
        return None
    return _size_jpeg(stream)


def _size_jpeg(stream: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _ALONE:
            at += 2
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS:
            rows, columns = stream[at + 5 : at + 7], stream[at + 7 : at + 9]
            return int.from_bytes(rows, "big"), int.from_bytes(columns, "big")
        else:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return None
