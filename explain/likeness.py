"""How alike two heatmaps of one image are."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Spearman's correlation of two maps, in [-1, 1]; 0 if one of them is the same everywhere.

    Ranks are taken because maps have no unit: only where more and where less is said.

    >>> rank_correlation(np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[2.0, 3.0], [4.0, 5.0]]))
    1.0
    """
    ranks = [rankdata(a, axis=None) - (a.size + 1) / 2 for a in (one, other)]
    norms = [float(np.linalg.norm(a)) for a in ranks]
    if min(norms) == 0:
        return 0.0
    return round(float(ranks[0] @ ranks[1]) / (norms[0] * norms[1]), 12)
