"""Steps in a row: one callable, and a key by which its results are kept."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import options, steps

VERSION = 1  # raise it when a step's arithmetic changes: arrays made before are then not used


@dataclass(frozen=True)
class Pipeline:
    """What is done to every image, in training and ever after.

    Args:
        steps: (name, options) of each step, in order. Defaults are filled in.

    Raises:
        UnknownName: no step has that name.
        DataError: a step has no such option, or needs one.

    >>> Pipeline([("resize", {"rows": 2, "columns": 2})])(np.eye(4, dtype=np.float32))
    array([[0.5, 0. ],
           [0. , 0.5]], dtype=float32)
    """

    steps: tuple[tuple[str, dict[str, Any]], ...]

    def __init__(self, steps: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> None:
        object.__setattr__(self, "steps", tuple(_resolved(name, given) for name, given in steps))

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Apply the steps to float32 (rows, columns) in [0, 1].

        Returns:
            float32 in [0, 1]: (rows, columns), or (rows, columns, 3) after `grey_to_rgb`.

        Raises:
            DataError: a step cannot be applied to this image.
        """
        for name, given in self.steps:
            image = steps.get(name).function(image, **given)
        return np.ascontiguousarray(image, dtype=np.float32)

    def moved(self, mask: np.ndarray) -> np.ndarray:
        """Bring what is marked in a source image to where the steps bring its pixels.

        Args:
            mask: bool (rows, columns) of the source image.

        Returns:
            bool (rows, columns) of the image after the steps: True where at least half of a
            pixel is marked; of a mark too small for that, where most is. Empty if it was cut off.
        """
        image = mask.astype(np.float32)
        for name, given in self.steps:
            if steps.get(name).moves_pixels:
                image = steps.get(name).function(image, **given)
        return (image > 0) & (image >= min(0.5, image.max(initial=0.0)))

    @property
    def key(self) -> str:
        """SHA-256 of what the steps do; equal for options left out and written as default."""
        return hashlib.sha256(json.dumps([VERSION, self.steps]).encode()).hexdigest()

    @property
    def keeps_levels(self) -> bool:
        """Whether 8 bits still hold an image of 8 bits."""
        return all(steps.get(name).keeps_levels for name, _ in self.steps)


def _resolved(name: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    function = steps.get(name).function
    return name, options.resolve("preprocessing step", name, function, given, given=1)
