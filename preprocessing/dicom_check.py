"""Whether a DICOM data set is one grey image that can be decoded, by its header alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
DEFLATED = "1.2.840.10008.1.2.1.99"
_GREY = ("MONOCHROME1", "MONOCHROME2")
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_NO_PICTURES = ("RTDOSE", "SEG")  # grids of doses, masks
_NEEDED = (
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"),
    "PhotometricInterpretation",
)


def holds_picture(file: Any) -> bool:
    """Whether a data set is an image, and not a report, a plan, a directory, a mask or a dose."""
    return any(name in file for name in _PIXELS) and file.get("Modality") not in _NO_PICTURES


def kind(file: Any) -> str:
    """What a data set is, by the standard's name of its class, else by its modality."""
    meta = getattr(file, "file_meta", {})
    uid = file.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
    name = uid.name if uid else ""
    return name if name and name != uid else f"Modality {file.get('Modality') or 'missing'}"


def faults(path: Path, file: Any, frame: int | None) -> Iterator[str]:
    """Why a file cannot be read, each as what its name is the subject of.

    Args:
        path: of the file.
        file: its data set.
        frame: which is wanted, from 1; None if the file is to have one.
    """
    lacking = [name for name in _NEEDED if file.get(name) in (None, "")]
    if lacking:
        yield f"lacks {', '.join(lacking)}, without which it cannot be shown"
        return
    if "PixelData" not in file:
        yield "holds numbers with a fraction (a parametric map), no radiograph"
    colours = file.PhotometricInterpretation
    if colours not in _GREY or int(file.get("SamplesPerPixel") or 1) != 1:
        yield f"is no single grey image: its pixels are {colours}"
    frames = int(file.get("NumberOfFrames") or 1)
    if frames > 1 and frame is None:
        yield f"is no single grey image: {frames} frames. Choose one: `frame`, 1 to {frames}"
    elif frame is not None and not 1 <= frame <= frames:
        yield f"has {frames} frames; there is no frame {frame}"
    if not 1 <= int(file.BitsStored) <= int(file.BitsAllocated):
        yield f"is damaged: {file.BitsStored} of {file.BitsAllocated} bits are stored"
    if int(file.Rows) < 1 or int(file.Columns) < 1:
        yield f"is damaged: {file.Rows} rows, {file.Columns} columns"
    yield from _syntax_faults(file)
    yield from _length_faults(path, file)


def _syntax_faults(file: Any) -> Iterator[str]:
    from pydicom.pixels import get_decoder

    syntax = file.file_meta.get("TransferSyntaxUID")
    if not syntax:
        yield "does not say its transfer syntax. Rewrite it, for instance with dcmtk's dcmconv"
        return
    try:
        available = syntax == DEFLATED or get_decoder(syntax).is_available
    except NotImplementedError:
        yield (
            f"is coded as {syntax.name}, which is not read. Convert it, for instance with dcmtk's "
            "dcmdjpeg"
        )
    else:
        if not available:
            yield f"is coded as {syntax.name}, which needs pip install 'radzoo[dicom]'"


def _length_faults(path: Path, file: Any) -> Iterator[str]:
    """An uncompressed picture must be there to its end."""
    if file.file_meta.get("TransferSyntaxUID") not in (*NATIVE, DEFLATED):
        return
    pixels = int(file.Rows) * int(file.Columns) * int(file.get("NumberOfFrames") or 1)
    needed = pixels * int(file.get("SamplesPerPixel") or 1) * int(file.BitsAllocated) // 8
    element = file.get_item("PixelData")
    if element is None:
        return
    if element.value is None:  # it was left in the file
        there = min(element.length, path.stat().st_size - element.value_tell)
    else:
        there = len(element.value)
    if there < needed and file.PhotometricInterpretation in _GREY:
        yield f"is cut off: {there:,} of {needed:,} bytes of its pixels are there"
