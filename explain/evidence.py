"""Maps of one image, and how they are scaled so that none says more than it holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import Grid


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was found in one image.

    Attributes:
        name: of the image.
        image: (rows, columns, channels) in [0, 1], as the network saw it.
        classes: their names, the positive one last.
        probabilities: (classes,).
        raw: (classes, rows, columns) of the method's grid, as the method gave them: in units that
            compare the classes of this image and nothing else. Not finite where it failed.
        maps: (classes, rows, columns) of the image, in [0, 1]: the share of the strongest
            evidence in this image, for whatever class. A map without evidence is 0 throughout.
        grid: of `raw`.
        method: its name.
        layer: whose cells `raw` shows; that of the images for a map of pixels.
        truth: the class of the image, where it is known.
    """

    name: str
    image: NDArray[np.float32]
    classes: tuple[str, ...]
    probabilities: NDArray[np.floating]
    raw: NDArray[np.floating]
    maps: NDArray[np.float32]
    grid: Grid
    method: str
    layer: str
    truth: str | None = None

    def is_empty(self, label: int) -> bool:
        """Whether there is no evidence for a class."""
        return not self.maps[label].any()


def shares(raw: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale the maps of one image by the strongest evidence in any of them.

    One scale for all classes: the map of a class that nothing speaks for stays empty, and is not
    stretched until its rounding errors look like evidence.

    Args:
        raw: (classes, rows, columns), at least 0.

    Returns:
        The same in [0, 1]. A map with a value that is not finite becomes 0 throughout, for what
        is left of it cannot be believed.

    >>> shares(np.array([[[0.0, 4.0]], [[1.0, 2.0]], [[np.nan, 9.0]]]))
    array([[[0.  , 1.  ]],
    <BLANKLINE>
           [[0.25, 0.5 ]],
    <BLANKLINE>
           [[0.  , 0.  ]]])
    """
    kept = np.where(np.isfinite(raw).all(axis=(1, 2), keepdims=True), raw, 0.0).astype(np.float64)
    strongest = kept.max()
    return kept / strongest if strongest > 0 else kept
