"""Whether acting on the model does more good than calling every image positive, or none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confusion import CLASSES, Confusion, called_positive
from .estimate import SAME, Estimate, Fallback, Sample
from .intervals import Bootstrap
from .predictions import Predictions

_GRID = np.arange(1, 100) / 100


@dataclass(frozen=True)
class NetBenefit:
    """The net benefit at one threshold; to call no image positive has 0.

    Args:
        model: true positives an image, less the false positives at their price; 1 at most.
        treat_all: the same where every image is called positive.
    """

    model: Estimate
    treat_all: Estimate


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit by threshold, all (99,), at the thresholds 0.01 to 0.99.

    `low` and `high` bound that of the model at each threshold (pointwise). Where a class is
    missing, all but `thresholds` is NaN and `note` says why.
    """

    thresholds: NDArray[np.float64]
    net_benefit: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    note: str


def net_benefit(sample: Sample, counted: Confusion, threshold: float) -> NetBenefit:
    """The net benefit of a threshold that both calls and prices: odds to 1 for a false positive.

    Args:
        sample: images of both classes, else it is not estimable.
        counted: as `confusion` counts them at this threshold.
        threshold: at 0 a false positive costs nothing; from 1 on it has no price, and nothing
            is estimable.

    Source:
        Vickers and Elkin, Med Decis Making 26 (2006), 565-574.
    """
    lost = counted.lacking(*CLASSES)
    if not lost and threshold >= 1:
        lost = f"a false positive has no price at the threshold {threshold:.4g}"
    if lost:
        nothing = sample.not_estimable(lost)
        return NetBenefit(nothing, nothing)
    cells = np.vstack([counted.cells, counted.resampled])
    cleared, alarms, missed, found = cells.T / cells.sum(axis=1)
    price = threshold / (1 - threshold)
    model, everyone = found - price * alarms, found + missed - price * (cleared + alarms)
    return NetBenefit(_estimated(sample, counted, model), _estimated(sample, counted, everyone))


def _estimated(sample: Sample, counted: Confusion, benefits: NDArray[np.float64]) -> Estimate:
    """Of the benefit as it is, which stands first, and those of the resamples."""
    groups = {name: counted.groups[name] for name in CLASSES}
    value, resampled = float(benefits[0]), benefits[1:]
    return sample.estimated(value, resampled, groups, lambda: Fallback(None, "none", SAME))


def decision_curve(
    predictions: Predictions, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> DecisionCurve:
    """The decision curve with a pointwise band over resampled patients.

    It takes probabilities at their word: those of a model that is not calibrated mislead it.

    Source:
        Vickers and Elkin, Med Decis Making 26 (2006), 565-574; for calibration Van Calster and
        Vickers, Med Decis Making 35 (2015), 162-169.
    """
    if not predictions.positives or not predictions.negatives:
        why = "not estimable: the images are of one class"
        nothing = np.full(len(_GRID), np.nan)
        return DecisionCurve(_GRID, nothing, nothing, nothing, nothing, why)
    bootstrap, called = Bootstrap(resamples, confidence, seed), called_positive(predictions, _GRID)
    images = np.bincount(predictions.patient_codes).astype(float)[:, None]
    benefit = called[:, 1] - _GRID / (1 - _GRID) * called[:, 0]
    sums = bootstrap.sums(np.hstack([benefit, images]))
    low, high = bootstrap.band(sums[:, :-1] / sums[:, -1:], predictions.patient_count)
    share, total = predictions.positives / len(predictions), len(predictions)
    everyone = share - (1 - share) * _GRID / (1 - _GRID)
    return DecisionCurve(
        _GRID, benefit.sum(axis=0) / total, low, high, everyone, _note(predictions)
    )


def _note(predictions: Predictions) -> str:
    few = min(predictions.patients_with(predictions.labels == label) for label in (0, 1))
    if few < 2:
        return "the band means nothing: one of the classes comes from one patient only"
    return ""
