"""The mean of something measured in each image, such as a hit or an overlap."""

import numpy as np
from numpy.typing import NDArray

from .estimate import FLAT, NO_WIDTH, SAME, Estimate
from .intervals import Bootstrap, wilson


def mean_of_images(
    values: NDArray[np.floating], patients: NDArray, positives: int, bootstrap: Bootstrap
) -> Estimate:
    """The mean over images with its interval over patients.

    Args:
        values: (n,), one an image; an image where it could not be measured is NaN and left out.
        patients: (n,), whose each image is.
        positives: how many of the images are of the positive class.
        bootstrap: how patients are resampled.

    Returns:
        The estimate. Of hits that are all 0 or all 1 the interval is Wilson's, patients as trials;
        other values that are all the same have none.
    """
    kept = np.isfinite(values)
    values, (_, codes) = values[kept], np.unique(patients[kept], return_inverse=True)
    count = int(codes.max()) + 1 if len(codes) else 0

    def estimate(bounds: tuple[float, float] | None, method: str, note: str = "") -> Estimate:
        value = float(values.mean()) if len(values) else None
        low, high = bounds or (None, None)
        return Estimate(value, low, high, method, len(values), count, positives, note)

    if not len(values):
        return estimate(None, "none", "not estimable: there is no such image")
    if count < 2:
        return estimate(None, "none", "no interval: all images are of one patient")
    totals = np.stack([np.bincount(codes, values), np.bincount(codes)], axis=1).astype(float)
    sums = bootstrap.sums(totals)
    low, high = bootstrap.percentiles(sums[:, 0] / sums[:, 1], count)
    if high - low > NO_WIDTH:
        method = f"patient bootstrap, expanded percentile, {bootstrap.resamples} resamples"
        return estimate((low, high), method)
    if np.isin(values, (0.0, 1.0)).all():
        bounds = wilson(float(values.mean()), count, bootstrap.confidence)
        return estimate(bounds, f"Wilson score, {count} patients as trials", FLAT)
    return estimate(None, "none", SAME)
