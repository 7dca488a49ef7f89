"""One image file becomes float32 in [0, 1], bone white: PNG, JPEG and (with pydicom) DICOM.

What a file is, is told by its content, never by its name.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from PIL import Image

LARGEST = 64_000_000  # pixels; a chest radiograph has some 10 million
CT_WINDOW_HU = (-1000.0, 400.0)  # shows lung and nodules; bone is white


def read(path: str | Path) -> np.ndarray:
    """Read one grey image.

    PNG and JPEG are scaled by their largest possible value (255, or 65535 for 16-bit grey
    PNG); colour becomes luminance, transparency is ignored, and the EXIF orientation is
    applied. Of DICOM files single-frame grey images are read: CT in the window -1000 to
    400 HU, others through their VOI window, MONOCHROME1 inverted.

    Returns:
        float32 (rows, columns) in [0, 1], bone white.

    Raises:
        DataError: the file is missing, damaged, too large, or of another kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    return _dicom(path) if is_dicom(start) else _picture(path)


def is_dicom(start: bytes) -> bool:
    """Whether a file that begins with these 132 bytes is DICOM."""
    return start[128:132] == b"DICM"


def levels(start: bytes) -> int:
    """How many grey levels `read` can give for a file that begins with these 132 bytes."""
    png_grey_16 = start[:4] == b"\x89PNG" and start[24:26] == b"\x10\x00"
    return 65536 if png_grey_16 or is_dicom(start) else 256


def _picture(path: Path) -> np.ndarray:
    import struct
    import zlib

    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            _check_size(path, image.width * image.height)
            return _grey(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path} is too large: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise DataError(f"{path} is no image: expected PNG, JPEG or DICOM.") from error
    except DataError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}. Replace it, or leave its row out.") from error


def _check_size(path: Path, pixels: int) -> None:
    if pixels > LARGEST:
        raise DataError(
            f"{path} is too large: {pixels:,} pixels, at most {LARGEST:,} are read. Shrink it."
        )


def _grey(image: "Image.Image") -> np.ndarray:
    if image.mode.startswith("I"):  # Pillow's modes of 16-bit grey
        return (np.asarray(image).astype(np.float64) / 65535).astype(np.float32)
    return np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)


def _dicom(path: Path) -> np.ndarray:
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise DataError(f"{path} is DICOM, which needs pip install 'radzoo[dicom]'.") from error
    try:
        file = pydicom.dcmread(path)
        _check_dicom(path, file)
        return _scaled(file)
    except DataError:
        raise
    except (
        InvalidDicomError,
        *(AttributeError, EOFError, KeyError, NotImplementedError),
        *(OSError, RuntimeError, TypeError, ValueError),
    ) as error:  # what pydicom and its decoders raise for files that they cannot decode
        why = str(error).partition("\n")[0]
        raise DataError(
            f"{path} cannot be decoded: {why} (More decoders: pip install 'radzoo[dicom]'.)"
        ) from error


def _check_dicom(path: Path, file: Any) -> None:
    if "PixelData" not in file:
        raise DataError(f"{path} holds no image: Modality {file.get('Modality', 'missing')}.")
    _check_size(path, int(file.Rows) * int(file.Columns))
    kind = file.get("PhotometricInterpretation", "missing")
    frames = int(file.get("NumberOfFrames") or 1)
    if frames > 1 or kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise DataError(f"{path} is no single grey image: {frames} frames, {kind}.")


def _scaled(file: Any) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    values = apply_modality_lut(file.pixel_array, file)
    if file.get("Modality") == "CT":
        low, high = CT_WINDOW_HU
    else:
        windowed = apply_voi_lut(values, file)
        low, high = _range(file)
        if "VOILUTSequence" in file:
            low, high = 0, 2.0 ** file.VOILUTSequence[0].LUTDescriptor[2] - 1
        values = windowed
    share = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0, 1)
    inverted = file.PhotometricInterpretation == "MONOCHROME1"
    return (1 - share if inverted else share).astype(np.float32)


def _range(file: Any) -> tuple[float, float]:
    """The least and the greatest value that the stored bits can mean."""
    bits, signed = int(file.BitsStored), bool(file.PixelRepresentation)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = file.get("RescaleSlope", 1), file.get("RescaleIntercept", 0)
    return float(low * slope + intercept), float(high * slope + intercept)
