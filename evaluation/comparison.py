"""Two configurations on the same test images: by how much they differ, and how surely.

The same patients are drawn for both, so what makes an image hard for both cancels out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import delong
from .replicates import RANKING, Measured, few_patients, mismatch

_NO_WIDTH = 1e-12
_OF_CLASS = {"sensitivity": (1,), "specificity": (0,), "accuracy": (0, 1)}


@dataclass(frozen=True)
class Difference:
    """A metric of one configuration less that of another.

    Args:
        value: of the means over seeds, or None where one cannot be estimated; `note` says why.
        low: the lower bound of the paired interval, or None where there is none.
        high: the upper bound.
        p_value: two-sided, of no difference; None where there is no established test.
        test: what gave the p value; "none" where there is none.
        method: how the interval was made; "none" where there is none.
        note: what a reader must know; often empty.
    """

    value: float | None
    low: float | None
    high: float | None
    p_value: float | None
    test: str
    method: str
    note: str = ""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0: the two are told apart."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(first: Measured, second: Measured, metric: str) -> Difference:
    """The first configuration's metric less the second's, over the same resampled patients.

    Args:
        first: of any number of seeds.
        second: measured on the same images with the same bootstrap.
        metric: one of `replicates.METRICS`.

    Returns:
        The difference with its percentile interval. The p value is DeLong's, clustered by
        patient, for `roc_auc`; of McNemar's exact test for sensitivity, specificity and accuracy
        where both have one seed; else None. Identical predictions have the difference 0, the
        interval 0 to 0 and the p value 1.

    Raises:
        DataError: the test images are not the same in the same order.
        ValueError: the patients were not drawn alike.
    """
    _refuse_others(first, second)
    found = first.metric(metric), second.metric(metric)
    for one in found:
        if one.value is None:
            return Difference(None, None, None, None, "none", "none", one.note)
    if _identical(first, second, metric):
        return Difference(0.0, 0.0, 0.0, 1.0, "identical predictions", "identical predictions")
    value = float(first.values[metric].mean() - second.values[metric].mean())
    low, high, method, why = _interval(first, second, metric)
    p_value, test, note = _tested(first, second, metric)
    notes = "; ".join(dict.fromkeys(text for text in (why, note) if text))
    return Difference(value, low, high, p_value, test, method, notes)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct the p values of a family; None stays None and does not count.

    Source:
        Holm, Scand J Stat 6 (1979), 65-70; computed by statsmodels.
    """
    known = [p_value for p_value in p_values if p_value is not None]
    if not known:
        return [None] * len(p_values)
    from statsmodels.stats.multitest import multipletests  # a second to import

    corrected = iter(multipletests(known, method="holm")[1].tolist())
    return [None if p_value is None else next(corrected) for p_value in p_values]


def _refuse_others(first: Measured, second: Measured) -> None:
    if first.bootstrap != second.bootstrap:
        raise ValueError("Both configurations must be measured with the same bootstrap.")
    one, other = first.configuration, second.configuration
    why = mismatch(one.images, other.images)
    if why:
        raise DataError(
            f"{one.name!r} and {other.name!r} cannot be compared in pairs: {why}. Compare "
            "configurations that were tested on the same images."
        )


def _identical(first: Measured, second: Measured, metric: str) -> bool:
    one, other = first.configuration, second.configuration
    if one.seeds != other.seeds:
        return False
    if metric in RANKING:
        pairs = zip(one.predictions, other.predictions, strict=True)
        return all(np.array_equal(a.probabilities, b.probabilities) for a, b in pairs)
    return np.array_equal(_calls(first), _calls(second))


def _calls(measured: Measured) -> NDArray[np.bool_]:
    """(seeds, images): what was called positive."""
    one = measured.configuration
    pairs = zip(one.predictions, one.thresholds, strict=True)
    return np.array([predicted.probabilities >= cut for predicted, cut in pairs])


def _interval(
    first: Measured, second: Measured, metric: str
) -> tuple[float | None, float | None, str, str]:
    """Bounds, method and note."""
    few = few_patients(first.configuration.images)
    apart = first.resampled[metric] - second.resampled[metric]
    kept = int(np.isfinite(apart).sum())
    if few or not kept:
        return None, None, "none", f"no interval: {few or 'no resample has both classes'}"
    low, high = first.bootstrap.percentiles(apart, first.configuration.images.patient_count)
    if high - low <= _NO_WIDTH:
        note = "no interval: every resample gives the same difference, which is not certainty"
        return None, None, "none", note
    lost = len(apart) - kept
    note = f"{lost} of {len(apart)} resamples lacked a class and were left out" if lost else ""
    method = f"paired patient bootstrap, expanded percentile, {len(apart)} resamples"
    return low, high, method, note


def _tested(first: Measured, second: Measured, metric: str) -> tuple[float | None, str, str]:
    """The p value, the test, and what to know of it."""
    one, other = first.configuration, second.configuration
    if metric == "roc_auc":
        found = delong.areas([one.predictions, other.predictions]).difference(0, 1)
        clustered = ", clustered by patient" if _several(first) else ""
        return (
            found.p_value,
            f"DeLong{clustered}" if found.p_value is not None else "none",
            found.note,
        )
    if metric not in _OF_CLASS:
        return None, "none", ""
    if one.seeds > 1 or other.seeds > 1:
        return None, "none", "no test for a mean over seeds; the interval speaks"
    chosen = np.isin(one.images.labels, _OF_CLASS[metric])
    right = [(_calls(side)[0] == one.images.labels)[chosen] for side in (first, second)]
    note = "the test takes images as independent, though patients have several"
    return _mcnemar(*right), "exact McNemar", note if _several(first) else ""


def _several(measured: Measured) -> bool:
    images = measured.configuration.images
    return images.patient_count < len(images)


def _mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Of images that each side got right or not; two-sided.

    Source:
        McNemar, Psychometrika 12 (1947), 153-157; computed by statsmodels.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    pairs = np.bincount(2 * first + second, minlength=4).reshape(2, 2)
    return float(mcnemar(pairs, exact=True).pvalue)
