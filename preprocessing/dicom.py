"""A DICOM file becomes float32 in [0, 1], bone white, and what was done to it is said.

Read: single grey images of 1 to 32 stored bits, such as CR, DX and CT slices, in every transfer
syntax that pydicom's decoders know. Files are read, not trusted to be well-meant: what strangers
upload goes through the guards of the reading room first.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from . import dicom_check, dicom_grey, dicom_streams, dicom_tags, readers

LOSSY = {  # JPEG of 8 and 12 bits, JPEG-LS near-lossless; JPEG 2000 may be either
    *("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"),
}
_RLE = "1.2.840.10008.1.2.5"
_LARGE = 2048  # bytes; larger values stay in the file until they are asked for
_LONGEST = 300  # characters of what a decoder says
_MORE = "(More decoders: pip install 'radzoo[dicom]'.)"


class Described(NamedTuple):
    """What a file is and what was done to show it.

    Attributes:
        tags: what its header tells of the image.
        transfer_syntax: how it is coded, by the standard's name.
        lossy: whether it lost something on its way, by its coding or LossyImageCompression.
        bits: of a pixel, as stored; `signed` if they have a sign.
        frame: which was read, from 1, of how many `frames`.
        modality_lut: none, rescale or table.
        by, ends, padding: as of `dicom_grey.Grey`.
        inverted: whether MONOCHROME1 was turned bone white.
    """

    tags: dicom_tags.Tags
    transfer_syntax: str
    lossy: bool
    bits: int
    signed: bool
    frame: int
    frames: int
    modality_lut: str
    by: dicom_grey.By
    ends: tuple[float, float]
    inverted: bool
    padding: int

    def __str__(self) -> str:
        low, high = self.ends
        parts = [
            self.transfer_syntax + ", lossy" * self.lossy,
            f"{self.bits} bits" + ", signed" * self.signed,
            f"frame {self.frame} of {self.frames}" if self.frames > 1 else "",
            f"modality LUT: {self.modality_lut}",
            f"grey by {self.by}, {low:g} to {high:g}",
            "inverted" * self.inverted,
            f"{self.padding} pixels of padding" if self.padding else "",
            "text within the picture" if self.tags.burned_in else "",
        ]
        return "; ".join(filter(None, parts))


def read(path: str | Path, frame: int | None = None) -> tuple[np.ndarray, Described]:
    """Read one grey image.

    Args:
        path: of a DICOM file.
        frame: which of several, from 1; needed only there.

    Returns:
        float32 (rows, columns) in [0, 1], bone white: CT in Hounsfield units from -1000 to 400;
        others by their first VOI LUT, else their first window, else (and CT that has no
        Hounsfield units) by all that their bits can mean; MONOCHROME1 inverted; pixel padding
        black. And what was done.

    Raises:
        DataError: it cannot be read, or is no single grey image; with the reason.
    """
    path = Path(path)
    file = opened(path)
    number = check(path, file, frame)
    with explained(path):
        dicom_streams.check_size(path, file, number)
        stored = decoded(file, number)
        shown = dicom_grey.grey(stored, file)
        return shown.pixels, _described(file, number, shown)


def opened(path: Path, whole: bool = True) -> Any:
    """The data set of a DICOM file, its pixels not decoded.

    Args:
        path: of the file.
        whole: False leaves large values, such as the pixels, in the file.

    Raises:
        DataError: it is no DICOM file, or not one that can be parsed, or pydicom is missing.
    """
    try:
        import pydicom
    except ImportError as error:
        raise DataError(f"{path} is DICOM, which needs pip install 'radzoo[dicom]'.") from error
    _hush()
    _check_start(path)
    with explained(path):
        dicom_streams.check_inflated(path)
        return pydicom.dcmread(path, defer_size=None if whole else _LARGE)


def check(path: Path, file: Any, frame: int | None = None) -> int:
    """Look whether `read` would decode a data set of `opened`, and bring a frame's header up.

    Returns:
        The number of the frame, from 1.

    Raises:
        DataError: it would not, for the reason that is told.
    """
    with explained(path):
        if not dicom_check.holds_picture(file):
            raise DataError(f"{path} holds no image: {dicom_check.kind(file)}.")
        problems = list(dicom_check.faults(path, file, frame))
        if problems:
            raise DataError(f"{path} {'; '.join(problems)}.")
        readers.check_size(path, int(file.Rows) * int(file.Columns))
        number = frame or 1
        _bring_up(file, number)
        return number


def decoded(file: Any, frame: int = 1) -> np.ndarray:
    """The stored numbers of one frame, (rows, columns), as BitsStored and HighBit say.

    Raises:
        Exception: whatever a decoder raises.
    """
    from pydicom.pixels import pixel_array

    bits = int(file.BitsStored)
    above = int(file.get("HighBit", bits - 1)) + 1 - bits  # unused bits below the stored ones
    plain = file.file_meta.TransferSyntaxUID in (*dicom_check.NATIVE, dicom_check.DEFLATED, _RLE)
    misplaced = plain and above != 0 and int(file.BitsAllocated) > bits
    # pydicom cuts off what stands above the stored bits, such as overlays, if none are below
    stored = pixel_array(file, index=frame - 1, correct_unused_bits=not misplaced)
    if stored.shape != (file.Rows, file.Columns):
        raise ValueError(f"the picture is {stored.shape}, the tags say {file.Rows, file.Columns}")
    if misplaced:
        unused = 8 * stored.dtype.itemsize - bits
        stored = (stored << (unused - above)) >> unused
    return stored


def _hush() -> None:
    """Silence pydicom on headers that are not tidy; what makes an image unreadable is raised.

    By a filter, for `warnings.catch_warnings` belongs to the process and several threads read.
    """
    warnings.filterwarnings("ignore", module="pydicom")


def _check_start(path: Path) -> None:
    start = readers.beginning(path)
    if readers.is_headless_dicom(start):
        raise DataError(
            f"{path} seems to be DICOM without its preamble and file meta information, so how it "
            "is coded can only be guessed. Rewrite it, for instance with dcmtk's dcmconv."
        )
    if not readers.is_dicom(start):
        raise DataError(f"{path} is no DICOM file.")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Whatever pydicom and its decoders raise of a file, and that is any error, names the file.

    Raises:
        DataError: instead of any other.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        raise DataError(f"{path} cannot be decoded: {why.rstrip('.')}. {_MORE}") from error


def _bring_up(file: Any, frame: int) -> None:
    """What an enhanced object says of a frame, where a plain one has it: in the header itself."""
    shared = file.get("SharedFunctionalGroupsSequence") or []
    each = file.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*shared[:1], *each[frame - 1 : frame]):
        for name in (
            *("PixelValueTransformationSequence", "FrameVOILUTSequence"),
            "PixelMeasuresSequence",
        ):
            for item in groups.get(name) or []:
                file.update(item)


def _described(file: Any, frame: int, shown: dicom_grey.Grey) -> Described:
    syntax = file.file_meta.TransferSyntaxUID
    table = bool(file.get("ModalityLUTSequence"))
    scaled = dicom_grey.rescale(file) != (1, 0)
    return Described(
        tags=dicom_tags.of(file),
        transfer_syntax=syntax.name,
        lossy=syntax in LOSSY or file.get("LossyImageCompression") == "01",
        bits=int(file.BitsStored),
        signed=bool(file.PixelRepresentation),
        frame=frame,
        frames=int(file.get("NumberOfFrames") or 1),
        modality_lut="table" if table else "rescale" if scaled else "none",
        by=shown.by,
        ends=shown.ends,
        inverted=dicom_grey.inverted(file),
        padding=shown.padding,
    )
