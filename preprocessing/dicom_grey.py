"""From the numbers that a DICOM file stores to grey in [0, 1], bone white.

As PS3.3 says: modality LUT (C.11.1), VOI LUT or window (C.11.2), then the photometric
interpretation (C.7.6.3.1.2); pixel padding (C.7.5.1.1.2) takes no part in it and is black.
`file` is a data set of pydicom throughout; `stored` is (rows, columns) of integers.
"""

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from .readers import CT_WINDOW_HU

By = Literal["lung window", "table", "LINEAR", "LINEAR_EXACT", "SIGMOID", "range"]


class Grey(NamedTuple):
    """An image, and how it came about.

    Attributes:
        pixels: float32 (rows, columns) in [0, 1].
        by: what chose the grey: our window on Hounsfield units, the file's VOI LUT, its window
            by function, or, as there is none to use, all that its bits can mean.
        ends: the values after the modality LUT that became 0 and 1 before any inversion; of a
            sigmoid, where its tangent in the middle does; of a table, its first and last value.
        padding: how many pixels were padding.
    """

    pixels: np.ndarray
    by: By
    ends: tuple[float, float]
    padding: int


def grey(stored: np.ndarray, file: Any) -> Grey:
    """Show stored numbers.

    Raises:
        ValueError: a number of the header makes no picture, such as a slope of 0.
    """
    share, by, ends = _share(meant(stored, file), file)
    if inverted(file):
        share = 1 - share
    hidden = padding(stored, file)
    if hidden is not None:
        share[hidden] = 0  # after the inversion, which would make it white as bone
    count = 0 if hidden is None else int(np.count_nonzero(hidden))
    return Grey(share.astype(np.float32), by, ends, count)


def inverted(file: Any) -> bool:
    """Whether the greatest value is bone black. Hounsfield units say themselves what is dense."""
    return file.PhotometricInterpretation == "MONOCHROME1" and not hounsfield(file)


def hounsfield(file: Any) -> bool:
    """Whether values after the modality LUT are Hounsfield units.

    CT must have a slope and an intercept. Where a conversion lost them, numbers with a sign may
    still be Hounsfield units; numbers without one cannot be, for air is -1000.
    """
    if file.get("Modality") != "CT" or file.get("ModalityLUTSequence"):
        return False
    scaled = "RescaleSlope" in file or "RescaleIntercept" in file
    return (scaled or bool(file.PixelRepresentation)) and file.get("RescaleType") in (
        *(None, "", "HU"),
    )


def stored_range(file: Any) -> tuple[int, int]:
    """The least and the greatest number that the stored bits can mean."""
    bits = int(file.BitsStored)
    return (
        (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if file.PixelRepresentation else (0, 2**bits - 1)
    )


def rescale(file: Any) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where the file tells none.

    Raises:
        ValueError: they are no numbers, or the slope is 0.
        TypeError: one is there and empty.
    """
    slope = float(file.RescaleSlope) if "RescaleSlope" in file else 1.0
    intercept = float(file.RescaleIntercept) if "RescaleIntercept" in file else 0.0
    if not math.isfinite(slope + intercept) or slope == 0:
        raise ValueError(f"RescaleSlope {slope} and RescaleIntercept {intercept} make no picture")
    return slope, intercept


def meant(stored: np.ndarray, file: Any) -> np.ndarray:
    """Values after the modality LUT."""
    if file.get("ModalityLUTSequence"):
        return _table(file.ModalityLUTSequence[0], file).of(stored)
    slope, intercept = rescale(file)
    return stored if (slope, intercept) == (1, 0) else stored * np.float64(slope) + intercept


def window(file: Any) -> tuple[float, float] | None:
    """The first centre and width, in values after the modality LUT; None if there is none.

    A width that PS3.3 C.11.2.1.2 forbids is none: below 1 for LINEAR, 0 or less for others.
    """
    centre, width = (_first(file, name) for name in ("WindowCenter", "WindowWidth"))
    least = 1.0 if function(file) == "LINEAR" else math.ulp(0)
    return (centre, width) if math.isfinite(centre + width) and width >= least else None


def function(file: Any) -> Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]:
    """How a window makes grey.

    Raises:
        ValueError: the file names a function that the standard does not know.
    """
    name = str(file.get("VOILUTFunction") or "LINEAR").strip()
    if name not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise ValueError(f"VOILUTFunction is {name!r}, not LINEAR, LINEAR_EXACT or SIGMOID")
    return name  # type: ignore[return-value]  # mypy does not narrow a str by `in`


def padding(stored: np.ndarray, file: Any) -> np.ndarray | None:
    """Which pixels were added outside the image, bool (rows, columns); None if no value is."""
    given = [file.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if given[0] is None:
        return None
    ends = [as_stored(int(value), file) for value in given if value is not None]
    return (stored >= min(ends)) & (stored <= max(ends))


def as_stored(value: int, file: Any) -> int:
    """A padding value with the sign of the pixels: of 16 signed bits, 63536 is -2000."""
    least, levels = 0, 2 ** int(file.BitsAllocated)
    if file.PixelRepresentation:
        least = -levels // 2
    return (value - least) % levels + least


def _share(values: np.ndarray, file: Any) -> tuple[np.ndarray, By, tuple[float, float]]:
    if hounsfield(file):
        return _line(values, *CT_WINDOW_HU), "lung window", CT_WINDOW_HU
    # The window of a CT is what somebody looked for, such as bone; it is never taken.
    radiograph = file.get("Modality") != "CT"
    if radiograph and file.get("VOILUTSequence"):
        table = _table(file.VOILUTSequence[0], file)
        share = table.of(values) / table.greatest
        return np.minimum(share, 1), "table", table.ends  # entries may be larger than their bits
    told = window(file) if radiograph else None
    if told:
        return _windowed(values, *told, function(file))
    # What the bits can mean, not what occurs in this image. So equal values have equal grey in
    # all images of a detector, whatever a marker or the collimation adds to some.
    low, high = _meant_range(file)
    return _line(values, low, high), "range", (low, high)


def _meant_range(file: Any) -> tuple[float, float]:
    if file.get("ModalityLUTSequence"):
        return 0.0, _table(file.ModalityLUTSequence[0], file).greatest
    slope, intercept = rescale(file)
    low, high = sorted(end * slope + intercept for end in stored_range(file))
    return low, high


def _windowed(
    values: np.ndarray,
    centre: float,
    width: float,
    by: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"],
) -> tuple[np.ndarray, By, tuple[float, float]]:
    """PS3.3 C.11.2.1.2.1 and C.11.2.1.3, from 0 to 1."""
    if by == "LINEAR":  # the width counts whole values, both ends included
        centre, width = centre - 0.5, width - 1
    ends = (centre - width / 2, centre + width / 2)
    if by == "SIGMOID":
        steepness = np.clip(-4 * (values - np.float64(centre)) / width, -700, 700)
        return 1 / (1 + np.exp(steepness)), by, ends
    return _line(values, *ends), by, ends


def _line(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if low == high:  # the narrowest LINEAR window is a step
        return (values > low).astype(np.float64)
    return np.clip((values - np.float64(low)) / (high - low), 0, 1)


def _first(file: Any, name: str) -> float:
    value = file.get(name)
    if value is not None and not isinstance(value, str | float | int):  # several, perhaps none
        value = next(iter(value), None)
    return math.nan if value in (None, "") else float(value)


class _Table(NamedTuple):
    """A LUT: what stands at 0 is for `first` and all below it, the last for all above it."""

    entries: np.ndarray
    first: int
    greatest: float  # that its bits hold

    @property
    def ends(self) -> tuple[float, float]:
        return float(self.first), float(self.first + len(self.entries) - 1)

    def of(self, values: np.ndarray) -> np.ndarray:
        places = np.rint(values).astype(np.int64) - self.first
        return self.entries[np.clip(places, 0, len(self.entries) - 1)].astype(np.float64)


def _table(item: Any, file: Any) -> _Table:
    """Of an item of a LUT sequence, PS3.3 C.11.1.1: LUTDescriptor is length, first value, bits."""
    length, first, bits = (int(number) for number in item.LUTDescriptor)
    if not 1 <= bits <= 16:
        raise ValueError(f"LUTDescriptor says {bits} bits; 8 to 16 are defined")
    length = length or 65_536
    if first >= 32_768 and file.PixelRepresentation:  # a sign that was written without one
        first -= 65_536
    entries = _entries(item.LUTData, length, file)
    if len(entries) != length:
        raise ValueError(f"LUTData has {len(entries)} values, LUTDescriptor says {length}")
    return _Table(entries, first, 2.0**bits - 1)


def _entries(data: Any, length: int, file: Any) -> np.ndarray:
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.int64))
    meta = getattr(file, "file_meta", None)
    swapped = meta is not None and meta.get("TransferSyntaxUID") == "1.2.840.10008.1.2.2"
    words = np.frombuffer(data, ">u2" if swapped else "<u2")
    if 2 * len(words) in (length, length + 1):  # a byte each
        return np.frombuffer(words.astype("<u2").tobytes(), np.uint8)[:length]
    return words[:length]
