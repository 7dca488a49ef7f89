"""What a file is, by its first bytes, and whether its picture may be decoded at all.

Nothing here decodes: sizes are compared before memory is asked for.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..errors import FilmRefused
from ..preprocessing import readers

LARGEST_BYTES = 128_000_000  # uncompressed 16-bit DICOM of 36 million pixels takes 72
LARGEST_PIXELS = 36_000_000  # the finest detectors of whole chests have some 18 million
SMALLEST_SIDE = 32
THINNEST = 8  # longer side by shorter; a strip of pixels is no film

Kind = Literal["PNG", "JPEG", "DICOM"]

_PICTURES = (  # offset, bytes, name of formats that hold pictures, but not as we read them
    (0, rb"GIF8[79]a", "GIF"),
    (0, rb"II[*+]\x00|MM\x00[*+]", "TIFF"),
    (0, rb"BM.{4}\x00{4}", "BMP"),
    (0, rb"RIFF.{4}WEBP", "WebP"),
    (0, rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (0, rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, rb"\xff\xd8\xff\xf7", "JPEG-LS"),
    (0, rb"8BPS", "PSD"),
    (0, rb"NRRD", "NRRD"),
    (0, rb"P[1-6]\s", "PNM"),
    (4, rb"ftyp(heic|heix|hevc|mif1|msf1)", "HEIC"),
    (4, rb"ftypavi[fs]", "AVIF"),
    (344, rb"n[+i]1\x00", "NIfTI"),
)
_OTHERS = (
    (0, rb"%PDF-", "PDF"),
    (0, rb"PK[\x03\x05\x07]", "ZIP"),
    (0, rb"MZ", "EXE"),
    (0, rb"\x7fELF", "ELF"),
    (0, rb"[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe", "Mach-O"),
    (0, rb"\x1f\x8b", "GZIP"),
    (0, rb"7z\xbc\xaf\x27\x1c", "7z"),
    (0, rb"Rar!", "RAR"),
    (0, rb"\xfd7zXZ", "XZ"),
    (0, rb"BZh", "BZIP2"),
    (0, rb"\x89HDF", "HDF5"),
    (0, rb"\x93NUMPY", "NPY"),
    (0, rb"\xd0\xcf\x11\xe0", "MS Office"),
    (4, rb"ftyp", "MP4"),
    (0, rb"(?i)\s*<(!doctype html|html|script)", "HTML"),
    (0, rb"(?i)\s*(<\?xml.*)?<svg", "SVG"),
    (0, rb"\s*<\?xml", "XML"),
)
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def kind(data: bytes) -> Kind:
    """What a file is.

    Args:
        data: all of it.

    Raises:
        FilmRefused: `empty`, `too_big`, `dicom_no_preamble`, or of a kind that is not taken.
    """
    if not data:
        raise FilmRefused("empty")
    check_bytes(len(data))
    if readers.is_dicom(data[:132]):
        return "DICOM"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    for offset, pattern, name in _PICTURES:
        if re.match(pattern, data[offset : offset + 64], re.DOTALL):
            raise FilmRefused("other_format", found=name)
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    raise _no_picture(data)


def check_bytes(length: int) -> None:
    """Refuse a file that is too large to be read into memory."""
    if length > LARGEST_BYTES:
        limit = LARGEST_BYTES // 1_000_000
        raise FilmRefused("too_big", megabytes=round(length / 1e6, 1), limit=limit)


def check_size(rows: int, columns: int) -> None:
    """Refuse a picture that is too large, too small or too thin; call it before decoding."""
    if rows < 1 or columns < 1:
        raise FilmRefused("damaged")
    if rows * columns > LARGEST_PIXELS:
        limit = LARGEST_PIXELS // 1_000_000
        raise FilmRefused("too_many_pixels", columns=columns, rows=rows, limit=limit)
    if min(rows, columns) < SMALLEST_SIDE:
        raise FilmRefused("too_small", columns=columns, rows=rows, limit=SMALLEST_SIDE)
    if max(rows, columns) > THINNEST * min(rows, columns):
        raise FilmRefused("too_thin", columns=columns, rows=rows, limit=THINNEST)


@contextmanager
def decoding(on_warning: Literal["error", "ignore"]) -> Iterator[None]:
    """Whatever goes wrong in a decoder becomes a refusal, without its words.

    Args:
        on_warning: whether a decoder's warning counts as damage.

    Raises:
        FilmRefused: `took_too_much` for memory, `damaged` for anything else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(on_warning)
            # said of palettes with transparency, which we ignore as `readers.read` does
            warnings.filterwarnings("ignore", "Palette images with Transparency", UserWarning)
            yield
    except FilmRefused:
        raise
    except MemoryError as error:
        raise FilmRefused("took_too_much") from error
    except Exception as error:
        raise FilmRefused("damaged") from error


def _no_picture(data: bytes) -> FilmRefused:
    for offset, pattern, name in _OTHERS:
        if re.match(pattern, data[offset : offset + 512], re.DOTALL):
            return FilmRefused("not_an_image", found=name)
    if readers.is_headless_dicom(data[:132]):
        return FilmRefused("dicom_no_preamble")
    if _TEXT.fullmatch(data[:512]):
        return FilmRefused("not_an_image", found="TXT")
    return FilmRefused("unknown_format")
