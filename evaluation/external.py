"""One model on other people: by how much its metrics differ from those of its internal test.

The two samples share no patient, so each is resampled on its own, and the differences of those
resamples give the interval.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .comparison import Difference
from .intervals import Bootstrap
from .predictions import Predictions
from .replicates import Configuration, Measured, Replicated, measure_replicates

METRICS = ("roc_auc", "sensitivity", "specificity", "accuracy")
_NO_WIDTH = 1e-12


def difference(
    internal: Predictions, external: Predictions, threshold: float, bootstrap: Bootstrap
) -> dict[str, Difference]:
    """What other patients change: each metric of the external images less the internal one's.

    Args:
        internal: of the images that the model was tested on.
        external: of images of other patients, by the same model.
        threshold: a probability at or above it is called positive, on both sides alike.
        bootstrap: how intervals are made; the external patients are drawn by the next seed, for
            equal draws of as many patients would make the samples look related.

    Returns:
        A difference for each of `METRICS`, without a p value: its interval is what is quoted.
    """
    first = _measured("internal", internal, threshold, bootstrap)
    second = _measured("external", external, threshold, replace(bootstrap, seed=bootstrap.seed + 1))
    return {name: _difference(name, first, second) for name in METRICS}


def _measured(
    name: str, predictions: Predictions, threshold: float, bootstrap: Bootstrap
) -> Measured:
    return measure_replicates(Configuration(name, (predictions,), (threshold,)), bootstrap)


def _difference(name: str, internal: Measured, external: Measured) -> Difference:
    sides = {"internal": internal.metric(name), "external": external.metric(name)}
    for side, found in sides.items():
        if found.value is None:
            return _without_interval(None, f"{side}: {found.note}")
    value = float(external.values[name][0] - internal.values[name][0])
    for side, found in sides.items():
        if found.low is None or found.high is None:
            return _without_interval(value, f"{side}: {found.note}")
    resampled = internal.resampled[name], external.resampled[name]
    if any(_is_flat(values) for values in resampled):
        low, high = _square_and_add(value, sides["internal"], sides["external"])
        methods = " and ".join(found.method for found in sides.values())
        return _with_interval(value, (low, high), f"square-and-add of two intervals: {methods}")
    apart = resampled[1] - resampled[0]
    method = f"two independent patient bootstraps, expanded percentile, {len(apart)} resamples"
    lost = int(np.isnan(apart).sum())
    note = f"{lost} of {len(apart)} resamples lacked a class and were left out" if lost else ""
    fewer = min(side.configuration.images.patient_count for side in (internal, external))
    return _with_interval(value, internal.bootstrap.percentiles(apart, fewer), method, note)


def _is_flat(resampled: NDArray[np.float64]) -> bool:
    """Whether every resample gives the same value, as if that side were known for certain."""
    return bool(np.nanmax(resampled) - np.nanmin(resampled) <= _NO_WIDTH)


def _square_and_add(
    value: float, internal: Replicated, external: Replicated
) -> tuple[float, float]:
    """The interval of a difference of two independent values from the interval of each.

    Source:
        Newcombe, Stat Med 17 (1998), 873-890, method 10; for any metric, Zou and Donner, Stat
        Med 27 (2008), 1693-1702.
    """
    below = np.hypot(_arm(external, "low"), _arm(internal, "high"))
    above = np.hypot(_arm(external, "high"), _arm(internal, "low"))
    return float(max(-1.0, value - below)), float(min(1.0, value + above))


def _arm(found: Replicated, bound: str) -> float:
    return abs(getattr(found, bound) - found.value)


def _with_interval(
    value: float, bounds: tuple[float, float], method: str, note: str = ""
) -> Difference:
    return Difference(value, *bounds, None, "none", method, note)


def _without_interval(value: float | None, why: str) -> Difference:
    return Difference(value, None, None, None, "none", "none", why)
