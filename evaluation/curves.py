"""ROC and precision-recall curves with a band over resampled patients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .intervals import Bootstrap
from .predictions import Predictions

_GRID = np.linspace(0, 1, 201)
_Curve = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Sensitivity by false-positive rate (1 - specificity), all (201,) and in [0, 1].

    `low` and `high` bound the sensitivity at each rate (pointwise, not the curve as a whole).
    Where a class is missing, the sensitivity is NaN and `note` says why.
    """

    false_positive_rate: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    note: str


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Precision (PPV) by sensitivity (recall), all (201,) and in [0, 1].

    The precision is that of the largest threshold which reaches the sensitivity. `prevalence`
    is what chance gives at every sensitivity. `low`, `high` and `note` as in `RocCurve`.
    """

    sensitivity: NDArray[np.float64]
    precision: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    prevalence: float
    note: str


def roc_curve(
    predictions: Predictions, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> RocCurve:
    """The ROC curve with a pointwise band over resampled patients.

    Source:
        Fawcett, Pattern Recognit Lett 27 (2006), 861-874; vertical averaging, section 8.1.
    """
    return mean_roc_curve([predictions], Bootstrap(resamples, confidence, seed))


def mean_roc_curve(replicates: Sequence[Predictions], bootstrap: Bootstrap) -> RocCurve:
    """The mean over replicates (seeds) of ROC curves of the same images, with its band.

    The band is that of the mean over resampled patients; seeds are not resampled.
    """
    return RocCurve(_GRID, *_banded(replicates, bootstrap, _sensitivity))


def precision_recall_curve(
    predictions: Predictions, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> PrecisionRecallCurve:
    """The precision-recall curve with a pointwise band over resampled patients.

    Source:
        Davis and Goadrich, ICML 2006: no straight line joins two points of this curve.
    """
    return mean_precision_recall_curve([predictions], Bootstrap(resamples, confidence, seed))


def mean_precision_recall_curve(
    replicates: Sequence[Predictions], bootstrap: Bootstrap
) -> PrecisionRecallCurve:
    """The mean over replicates (seeds) of precision-recall curves; as `mean_roc_curve`."""
    precision, low, high, note = _banded(replicates, bootstrap, _precision)
    prevalence = replicates[0].positives / len(replicates[0])
    return PrecisionRecallCurve(_GRID, precision, low, high, prevalence, note)


def _banded(
    replicates: Sequence[Predictions], bootstrap: Bootstrap, curve: _Curve
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], str]:
    predictions = replicates[0]
    if not predictions.positives or not predictions.negatives:
        nothing = np.full(len(_GRID), np.nan)
        return nothing, nothing, nothing, "not estimable: the images are of one class"
    apart = [_weighted(one, curve) for one in replicates]

    def drawn(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.mean([one(weights) for one in apart], axis=0)

    patients = predictions.patient_count
    draws = bootstrap.draws(patients, len(predictions))
    curves = np.array([drawn(weights) for draw in draws for weights in draw.T])
    low, high = bootstrap.band(curves, patients)
    kept = int(np.isfinite(curves).all(axis=1).sum())
    note = _note(predictions, kept, bootstrap.resamples)
    if not note and not (high - low).any():
        note = "no band: every resample gives the same curve, which is not certainty"
    return drawn(np.ones(patients)), low, high, note


def _weighted(
    predictions: Predictions, curve: _Curve
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The curve as a function of how often each patient counts."""
    order = np.argsort(-predictions.probabilities, kind="stable")
    scores, codes = predictions.probabilities[order], predictions.patient_codes[order]
    positive = predictions.labels[order] == 1
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)

    def weighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        weight = weights[codes]
        return curve(np.cumsum(weight * positive)[ends], np.cumsum(weight * ~positive)[ends])

    return weighted


def _sensitivity(hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    if not hits[-1] or not alarms[-1]:
        return np.full(len(_GRID), np.nan)
    start = np.zeros(1)
    return np.interp(
        _GRID,
        np.concatenate([start, alarms / alarms[-1]]),
        np.concatenate([start, hits / hits[-1]]),
    )


def _precision(hits: NDArray[np.float64], alarms: NDArray[np.float64]) -> NDArray[np.float64]:
    if not hits[-1] or not alarms[-1]:
        return np.full(len(_GRID), np.nan)
    # a curve has no precision at sensitivity 0; it starts at its first hit
    needed = np.maximum(_GRID * hits[-1] - 1e-9, 1e-9)
    reached = np.searchsorted(hits, needed)
    return hits[reached] / (hits[reached] + alarms[reached])


def _note(predictions: Predictions, kept: int, resamples: int) -> str:
    few = min(predictions.patients_with(predictions.labels == label) for label in (0, 1))
    if few < 2:
        return "the band means nothing: one of the classes comes from one patient only"
    lost = resamples - kept
    return f"{lost} of {resamples} resamples lacked a class and were left out" if lost else ""
