"""One look at each image: the few numbers, hashes and the thumbnail that all checks judge by."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..registry import Dataset
from . import lettering

Progress = Callable[[int, int], None]

BATCH = 32  # images that are read at once and held in memory
SMALL = 32  # rows and columns of a thumbnail
END = 0.5 / 255  # a pixel this near to 0 or 1 is at the end of its scale
DARK, BRIGHT = 0.06, 0.94  # 15 of 255 from the ends: what JPEG makes of a black or white frame
FRAME = 0.98  # share of a row's pixels that must be so: a marker may lie in the frame
SEEN = np.dtype(
    [
        ("readable", "?"),
        ("rows", "i4"),  # of the image, in pixels
        ("columns", "i4"),
        ("box", "i4", 4),  # what is inside the frame: first row, first column, last + 1 of both
        ("contrast", "f4"),  # 2nd to 98th percentile, inside the frame
        ("ends", "f4"),  # share of the pixels inside the frame that are black or white
        ("letters", "f4"),  # strokes of the longest line of text; NaN: too small to tell
        ("hash", "u8"),
        ("digest", "S32"),
        ("thumbnail", "u1", (SMALL, SMALL)),
    ]
)


@dataclass(frozen=True, eq=False)
class Looks:
    """What was seen of a dataset.

    Attributes:
        seen: (images,) of `SEEN`, 1.1 KB an image; all but `readable` is 0 of what is not.
        faults: why an image could not be read, by row.
    """

    seen: np.ndarray
    faults: dict[int, str]

    @property
    def readable(self) -> np.ndarray:
        """Numbers of the rows whose image could be read."""
        return np.flatnonzero(self.seen["readable"])


def look_at(dataset: Dataset, progress: Progress | None = None) -> Looks:
    """Read each image once, by several threads; none is kept.

    Args:
        dataset: whose images are read.
        progress: called with (images done, images in all) as the work goes on.
    """
    total = len(dataset.table)
    seen, faults = np.zeros(total, SEEN), {}
    for row, found in enumerate(_looked(dataset)):
        if isinstance(found, str):
            faults[row] = found
        else:
            seen[row] = found
        if progress:
            progress(row + 1, total)
    return Looks(seen, faults)


def look(image: np.ndarray) -> tuple:
    """What is seen of one image, float32 (rows, columns) in [0, 1], as a value of `SEEN`."""
    top, left, bottom, right = box = inside(image)
    content = image[top:bottom, left:right] if bottom > top else image
    low, high = np.percentile(content, (2, 98))
    ends = ((content <= END) | (content >= 1 - END)).mean()
    small = thumbnail(image)
    digest = hashlib.blake2b(image.tobytes(), digest_size=16)
    digest.update(repr(image.shape).encode())
    letters = lettering.strokes(image)
    name, bits = digest.hexdigest(), perceptual_hash(small)
    return True, *image.shape, box, high - low, ends, letters, bits, name, small


def inside(image: np.ndarray) -> tuple[int, int, int, int]:
    """What is inside a black or white frame: first row, first column, last row and column + 1.

    All of them are 0 where nothing is.
    """
    rows, columns = (np.flatnonzero(~_plain(image, axis)) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return 0, 0, 0, 0
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def thumbnail(image: np.ndarray) -> np.ndarray:
    """The whole image at 32 x 32 pixels, uint8, stretched."""
    import cv2

    smaller = min(image.shape) >= SMALL
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.rint(cv2.resize(image, (SMALL, SMALL), interpolation=how) * 255).astype(np.uint8)


def perceptual_hash(small: np.ndarray) -> int:
    """64 bits that JPEG, resizing and another contrast leave nearly alone.

    Each bit says whether one of the 8 x 8 slowest waves of the thumbnail, its histogram made
    even, is above their median.

    Source:
        Zauner, Implementation and benchmarking of perceptual image hash functions, 2010, 3.2.
    """
    import cv2

    waves = cv2.dct(cv2.equalizeHist(small).astype(np.float32))[:8, :8].ravel()
    bits = waves > np.median(waves[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _plain(image: np.ndarray, axis: int) -> np.ndarray:
    """Which rows (axis 1) or columns (axis 0) are black or white, nearly all of them."""
    return ((image <= DARK).mean(axis) >= FRAME) | ((image >= BRIGHT).mean(axis) >= FRAME)


def _looked(dataset: Dataset) -> Iterator[tuple | str]:
    def one(row: int) -> tuple | str:
        try:
            return look(dataset.read(row))
        except (DataError, OSError) as error:
            return str(error)

    total = len(dataset.table)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        for start in range(0, total, BATCH):
            yield from pool.map(one, range(start, min(start + BATCH, total)))
