"""Whether a DICOM file holds one grey picture that may be decoded, and holds it whole.

Nothing is inflated or decoded before its size is known; tags are compared with what the
compressed picture says of itself.
"""

import re
from pathlib import Path
from typing import Any

import jpeg_ls
import pydicom
from pydicom.encaps import generate_frames
from pydicom.filereader import read_file_meta_info
from pydicom.pixels import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from ..errors import FilmRefused
from ..preprocessing import dicom_check
from . import guards, jpeg

_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_JPEG = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
_JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
_JPEG_2000 = (JPEG2000Lossless, JPEG2000)
TAKEN = (*_NATIVE, *_JPEG, *_JPEG_LS, *_JPEG_2000, RLELossless)  # no deflate, no video, no JPIP
_NAMES = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_UID = re.compile("[0-9.]{0,64}")
_SIZE_2000 = b"\xff\x4f\xff\x51"  # a JPEG 2000 stream begins: SOC, SIZ


def opened(path: Path) -> pydicom.FileDataset:
    """Read a DICOM file without decoding its picture.

    Raises:
        FilmRefused: `transfer_syntax`, `decoder_missing`, `no_pixels`, `several_frames`,
            `not_grey`, `truncated`, `damaged`, or a size that is not taken.
        Exception: any other, for a file that pydicom cannot read.
    """
    _check_syntax(read_file_meta_info(path).TransferSyntaxUID)
    dataset = pydicom.dcmread(path)
    _check_header(dataset)
    stated = (int(dataset.Rows), int(dataset.Columns))
    guards.check_size(*stated)
    length = stated[0] * stated[1] * int(dataset.BitsAllocated) // 8
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in _NATIVE:
        if len(dataset.PixelData) < length:
            raise FilmRefused("truncated")
        return dataset
    if len(dataset.PixelData) > 2 * length + 65_536:  # no compression makes it twice as large
        raise FilmRefused("damaged")
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    _check_frame(frame, syntax, stated)
    return dataset


def _check_syntax(syntax: UID) -> None:
    """Also of what would be inflated on reading, so before `dcmread`."""
    name = syntax.name if syntax.is_transfer_syntax else "?"  # of a file's own words, none
    if syntax not in TAKEN:
        raise FilmRefused("transfer_syntax", found=name)
    if not get_decoder(syntax).is_available:
        raise FilmRefused("decoder_missing", found=name)


def _check_header(dataset: Any) -> None:
    if not dicom_check.holds_picture(dataset) or "PixelData" not in dataset:
        raise FilmRefused("no_pixels")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise FilmRefused("several_frames", frames=frames)
    grey = dataset.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")
    if not grey or int(dataset.SamplesPerPixel) != 1:
        raise FilmRefused("not_grey")
    allocated, bits = int(dataset.BitsAllocated), int(dataset.BitsStored)
    named = all(_UID.fullmatch(str(dataset.get(name) or "")) for name in _NAMES)
    if not named or allocated not in (1, 8, 16, 32) or not 1 <= bits <= allocated:
        raise FilmRefused("damaged")


def _check_frame(frame: bytes, syntax: UID, stated: tuple[int, int]) -> None:
    """A compressed picture of another size than the tags say, or cut off, is damaged."""
    if syntax in _JPEG_2000:  # its decoder refuses a stream that is cut
        at = frame.index(_SIZE_2000) + 8
        sides = [int.from_bytes(frame[at + 4 * n : at + 4 * n + 4], "big") for n in range(4)]
        if (sides[1] - sides[3], sides[0] - sides[2]) != stated:
            raise FilmRefused("damaged")
    elif syntax in _JPEG or syntax in _JPEG_LS:
        found = jpeg.frame(frame)
        if (found.rows, found.columns) != stated or found.components != 1:
            raise FilmRefused("damaged")
        if syntax in _JPEG_LS:
            # this decoder is strict; pydicom would go on to one that paints the rest
            jpeg_ls.decode_pixel_data(frame)
        elif found.bits == 8 and found.process in jpeg.HUFFMAN:
            jpeg.check_whole(frame)
