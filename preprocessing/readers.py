"""One image file becomes float32 in [0, 1], bone white: PNG, JPEG and (with pydicom) DICOM.

What a file is, is told by its content, never by its name.
"""

import io
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from PIL import Image

LARGEST = 64_000_000  # pixels; a chest radiograph has some 10 million
LARGEST_BYTES = 2**31  # of a file; an enhanced CT of many frames has some hundred million
MOST_SCANS = 100  # of a JPEG; progressive ones have some 10, and each costs a whole decoding
CT_WINDOW_HU = (-1000.0, 400.0)  # shows lung and nodules; bone is white
_HEADLESS = re.compile(  # the first element of a data set, with a VR or with a short length
    rb"\x02\x00\x00\x00UL|\x08\x00[\x00-\x70]\x00([A-Z]{2}|.\x00\x00\x00)|\x00\x08\x00[\x00-\x70][A-Z]{2}",
    re.DOTALL,
)


def read(path: str | Path) -> np.ndarray:
    """Read one grey image.

    PNG and JPEG are scaled by their largest possible value (255, or 65535 for 16-bit grey
    PNG); colour becomes luminance, transparency is ignored, and the EXIF orientation is
    applied. Of DICOM files single-frame grey images are read, as `dicom.read` says.

    Returns:
        float32 (rows, columns) in [0, 1], bone white.

    Raises:
        DataError: the file is missing, damaged, too large, or of another kind.
    """
    path = Path(path)
    start = beginning(path)
    if is_dicom(start) or is_headless_dicom(start):
        from . import dicom

        return dicom.read(path)[0]
    return _picture(path)


def beginning(path: Path) -> bytes:
    """The first 132 bytes of a file whose size is taken.

    Raises:
        DataError: it cannot be opened, is no file, or has more than `LARGEST_BYTES`.
    """
    try:
        found = path.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            # a device has no end, and to open a pipe may never return
            raise DataError(f"{path} is no file. Name a PNG, JPEG or DICOM file.")
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if found.st_size > LARGEST_BYTES:
        raise DataError(
            f"{path} is too large: {found.st_size:,} bytes, at most {LARGEST_BYTES:,} are read."
        )
    return start


def is_dicom(start: bytes) -> bool:
    """Whether a file that begins with these 132 bytes is DICOM."""
    return start[128:132] == b"DICM"


def is_image(path: Path) -> bool:
    """Whether a file begins as PNG, JPEG or DICOM do; whether it can be read, `read` tells."""
    with path.open("rb") as file:
        start = file.read(132)
    return start.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or is_dicom(start)


def is_headless_dicom(start: bytes) -> bool:
    """Whether a file begins as a DICOM data set does, without preamble and prefix."""
    return bool(_HEADLESS.match(start))


def levels(start: bytes) -> int:
    """How many grey levels `read` can give for a file that begins with these 132 bytes."""
    png_grey_16 = start[:4] == b"\x89PNG" and start[24:26] == b"\x10\x00"
    return 65536 if png_grey_16 or is_dicom(start) else 256


def _picture(path: Path) -> np.ndarray:
    import warnings

    from PIL import Image, ImageOps

    # by filters, for `warnings.catch_warnings` belongs to the process and several threads read
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        data = path.read_bytes()  # from a file, Pillow would ask for memory as a chunk claims it
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG"]) as image:
            check_size(path, image.width * image.height)
            _check_frames(path, image, data)
            return _grey(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path} is too large: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise DataError(f"{path} is no image: expected PNG, JPEG or DICOM.") from error
    except (DataError, MemoryError):
        raise
    except Exception as error:  # of damaged files Pillow raises almost anything
        raise DataError(f"{path} is damaged: {error}. Replace it, or leave its row out.") from error


def _check_frames(path: Path, image: "Image.Image", data: bytes) -> None:
    """Refuse an animation, and a JPEG that costs as much to decode as a hundred."""
    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{path} is an animation; one picture a file is read.")
    if "progressive" in image.info:
        scans = data.count(b"\xff\xda")
        if scans > MOST_SCANS:
            raise DataError(f"{path} has {scans} scans; at most {MOST_SCANS} are read.")


def check_size(path: Path, pixels: int) -> None:
    """Refuse an image of too many pixels; call it before decoding."""
    if pixels > LARGEST:
        raise DataError(
            f"{path} is too large: {pixels:,} pixels, at most {LARGEST:,} are read. Shrink it."
        )


def _grey(image: "Image.Image") -> np.ndarray:
    if image.mode.startswith("I"):  # Pillow's modes of 16-bit grey
        return (np.asarray(image).astype(np.float64) / 65535).astype(np.float32)
    return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)
