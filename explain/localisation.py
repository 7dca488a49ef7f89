"""Whether a heatmap lies on the lesion, where it is known where that is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF = 0.5  # of a map's own peak: what is above it is taken for the outline


@dataclass(frozen=True)
class Located:
    """One map against the lesion of its image.

    Attributes:
        hit: whether the map's strongest pixel lies on the lesion (pointing game). Of several
            equally strong ones the share that does, which is what a random choice would give.
        mass: the share of the map that lies on the lesion.
        overlap: intersection over union of the lesion and of what is above half of the peak.
        area: the share of the image that is lesion: what `hit` and `mass` are by chance.
        middle: whether the middle of the image lies on the lesion, for who points there always.
    """

    hit: float
    mass: float
    overlap: float
    area: float
    middle: float


def locate(share: NDArray[np.floating], lesion: NDArray[np.bool_]) -> Located:
    """Compare a map with a lesion, both (rows, columns); a map without evidence misses it.

    Source:
        Zhang et al., Top-down neural attention, ECCV 2016 (pointing game, here without tolerance).

    >>> locate(np.array([[4.0, 0.0], [3.0, 1.0]]), np.array([[True, False], [False, False]]))
    Located(hit=1.0, mass=0.5, overlap=0.5, area=0.25, middle=0.0)
    """
    peak, total = share.max(), share.sum()
    rows, columns = share.shape
    outline = share >= HALF * peak if peak > 0 else np.zeros(share.shape, bool)
    union = (outline | lesion).sum()
    return Located(
        hit=float(lesion[share == peak].mean()) if peak > 0 else 0.0,
        mass=float(share[lesion].sum() / total) if total > 0 else 0.0,
        overlap=float((outline & lesion).sum() / union) if union else 0.0,
        area=float(lesion.mean()),
        middle=float(lesion[rows // 2, columns // 2]),
    )
