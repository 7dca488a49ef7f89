"""What a browser gets of a film: its values for a viewer with window and level, and a thumbnail."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from .png import LEVEL

LONGEST = 2048
THUMBNAIL = 160
_QUALITY = 85
_LOW, _HIGH = 0.01, 0.995  # shares of the pixels below the ends of the window

Values = NDArray[np.uint8] | NDArray[np.uint16]


class Spread(NamedTuple):
    """How the values of a film lie: the least and highest that occur, and two percentiles."""

    least: int
    highest: int
    low: int
    high: int

    @property
    def window(self) -> list[float]:
        """[centre, width] from the 1st to the 99.5th percentile."""
        return [(self.low + self.high) / 2, float(max(self.high - self.low, 1))]


def spread(values: Values) -> Spread:
    """Of (rows, columns); a percentile is the least value that so large a share does not exceed."""
    levels = 256 * 256 ** (values.dtype.itemsize - 1)
    counts = cv2.calcHist([values], [0], None, [levels], [0, levels]).ravel().astype(np.float64)
    below = np.cumsum(counts)
    occurring = np.flatnonzero(counts)
    low, high = np.searchsorted(below, [_LOW * values.size, _HIGH * values.size]).tolist()
    return Spread(int(occurring[0]), int(occurring[-1]), low, high)


def write(values: Values, window: list[float], out: Path) -> tuple[int, int]:
    """Write `pixels.gz` and `thumbnail.jpg`.

    Args:
        values: (rows, columns), bone white.
        window: [centre, width] in units of `values`.
        out: folder.

    Returns:
        Rows and columns of `pixels.gz`.
    """
    shown = _shrunk(values, LONGEST)
    raw = np.ascontiguousarray(shown).astype(shown.dtype.newbyteorder("<"), copy=False)
    (out / "pixels.gz").write_bytes(igzip.compress(raw.tobytes(), LEVEL))
    centre, width = window
    small = _shrunk(shown, THUMBNAIL).astype(np.float32)
    grey = np.clip((small - (centre - width / 2)) * (255 / width), 0, 255).round().astype(np.uint8)
    done, jpeg = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "8-bit grey can always be coded"
    (out / "thumbnail.jpg").write_bytes(jpeg.tobytes())
    return shown.shape[0], shown.shape[1]


def _shrunk(values: Values, longest: int) -> Values:
    rows, columns = values.shape
    factor = longest / max(rows, columns)
    if factor >= 1:
        return values
    size = (max(round(columns * factor), 1), max(round(rows * factor), 1))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
