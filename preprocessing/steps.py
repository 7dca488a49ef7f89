"""Named steps, each a plain function from an image to an image.

An image is float32 in [0, 1], bone white: (rows, columns), or (rows, columns, 3) after
`grey_to_rgb`. What a step's function takes beside the image are its options.

>>> import numpy as np
>>> crop_centre(np.arange(16.0).reshape(4, 4) / 15, rows=2, columns=2) * 15
array([[ 5.,  6.],
       [ 9., 10.]])
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, UnknownName

Function = Callable[..., np.ndarray]

_STEPS: dict[str, "Step"] = {}


@dataclass(frozen=True)
class Step:
    """A function on images and what one must know of it."""

    name: str
    function: Function
    keeps_levels: bool  # whether every pixel it gives is one that it was given
    moves_pixels: bool  # whether what is seen changes its place or its size
    summary: str  # first line of the function's docstring


def step(*, keeps_levels: bool, moves_pixels: bool) -> Callable[[Function], Function]:
    """Register the decorated function, whose name becomes the step's name.

    Raises:
        ValueError: another module has registered that name.
    """

    def register(function: Function) -> Function:
        name = function.__name__
        if name in _STEPS and _STEPS[name].function.__module__ != function.__module__:
            raise ValueError(
                f"Preprocessing step {name!r} is registered twice: by "
                f"{_STEPS[name].function.__module__} and by {function.__module__}."
            )
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        _STEPS[name] = Step(name, function, keeps_levels, moves_pixels, summary)
        return function

    return register


def names() -> list[str]:
    """Every registered name, sorted."""
    return sorted(_STEPS)


def get(name: str) -> Step:
    """Look up a step.

    Raises:
        UnknownName: no step has that name.
    """
    if name not in _STEPS:
        raise UnknownName("preprocessing step", name, _STEPS)
    return _STEPS[name]


@step(keeps_levels=False, moves_pixels=True)
def resize(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Stretch or shrink to a size in pixels, whatever the image's proportions.

    An axis that shrinks is averaged by area, so that nothing is skipped; one that grows is
    interpolated linearly.

    Raises:
        DataError: a size below 1.
    """
    import cv2

    if min(rows, columns) < 1:
        raise DataError(f"resize needs at least 1 row and column; got {rows} x {columns}.")
    least = (min(columns, image.shape[1]), min(rows, image.shape[0]))
    shrunk = cv2.resize(image, least, interpolation=cv2.INTER_AREA)
    grown = cv2.resize(shrunk, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.clip(grown, 0, 1)


@step(keeps_levels=False, moves_pixels=False)
def normalise_brightness(
    image: np.ndarray, low_percentile: float = 1.0, high_percentile: float = 99.0
) -> np.ndarray:
    """Stretch the image's own percentiles to black and white.

    Scanners and years differ in brightness; what lies beyond the percentiles, such as a
    burnt-in letter, is cut off. An image without contrast becomes 0 everywhere.

    Args:
        image: (rows, columns) or (rows, columns, channels).
        low_percentile: becomes 0; in [0, 100).
        high_percentile: becomes 1; above `low_percentile`, at most 100.

    Raises:
        DataError: the percentiles are none.
    """
    if not 0 <= low_percentile < high_percentile <= 100:
        raise DataError(
            "normalise_brightness needs 0 <= low_percentile < high_percentile <= 100; got "
            f"{low_percentile} and {high_percentile}."
        )
    low, high = np.percentile(image, [low_percentile, high_percentile])
    if high <= low:
        return np.zeros_like(image)
    return np.clip((image - low) / (high - low), 0, 1).astype(image.dtype)


@step(keeps_levels=True, moves_pixels=True)
def crop_centre(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Cut out the middle, of a size in pixels.

    Raises:
        DataError: the image is smaller.
    """
    height, width = image.shape[:2]
    if not (1 <= rows <= height and 1 <= columns <= width):
        raise DataError(
            f"crop_centre cannot cut {rows} x {columns} pixels from an image of {height} x {width}."
        )
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top : top + rows, left : left + columns]


@step(keeps_levels=True, moves_pixels=True)
def crop_border(image: np.ndarray, share: float = 0.05) -> np.ndarray:
    """Cut a share of the rows off top and bottom, and of the columns off left and right.

    Black borders of scanned films, and letters in the corners, are what a network looks at
    if it can.

    Args:
        image: (rows, columns) or (rows, columns, channels).
        share: in [0, 0.5); rounded to whole pixels.

    Raises:
        DataError: the share is outside its range, or leaves nothing.
    """
    if not 0 <= share < 0.5:
        raise DataError(f"crop_border needs a share in [0, 0.5); got {share}.")
    height, width = image.shape[:2]
    top, left = round(height * share), round(width * share)
    if height <= 2 * top or width <= 2 * left:
        raise DataError(f"crop_border leaves nothing of an image of {height} x {width}.")
    return image[top : height - top, left : width - left]


@step(keeps_levels=True, moves_pixels=False)
def grey_to_rgb(image: np.ndarray) -> np.ndarray:
    """Repeat the grey channel three times, as networks trained on photographs expect.

    Raises:
        DataError: the image has channels already.
    """
    if image.ndim != 2:
        raise DataError(f"grey_to_rgb needs a grey image; got one of the shape {image.shape}.")
    return np.repeat(image[..., np.newaxis], 3, axis=2)
