"""How good predictions are, each number with its interval.

A probability at or above the threshold is called positive. `sensitivity` is what others call
recall: the share of the positive images that were called positive.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .estimate import Estimate, Fallback, Sample
from .intervals import Bootstrap, newcombe_auc, square_and_add, wilson
from .predictions import Predictions
from .ranking import rank

NAMES = (
    "roc_auc",
    "sensitivity",
    "specificity",
    "pr_auc",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "ppv",
    "npv",
    "brier",
    "true_negatives",
    "false_positives",
    "false_negatives",
    "true_positives",
)


@dataclass(frozen=True)
class _Rate:
    """A ratio of sums over the cells true negative, false positive, false negative, true positive.

    `of` names the images in the denominator, `classes` what must be there for it to mean a thing.
    """

    numerator: tuple[int, int, int, int]
    denominator: tuple[int, int, int, int]
    of: str
    classes: tuple[str, ...] = ("positive image", "negative image")

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k, 4) cells become (k,) rates; NaN where the denominator is 0."""
        below = cells @ np.array(self.denominator, dtype=float)
        above = cells @ np.array(self.numerator, dtype=float)
        return np.divide(above, below, out=np.full(len(cells), np.nan), where=below > 0)


_RATES = {
    "accuracy": _Rate((1, 0, 0, 1), (1, 1, 1, 1), "image", ()),
    "sensitivity": _Rate((0, 0, 0, 1), (0, 0, 1, 1), "positive image", ("positive image",)),
    "specificity": _Rate((1, 0, 0, 0), (1, 1, 0, 0), "negative image", ("negative image",)),
    "f1": _Rate((0, 0, 0, 2), (0, 1, 1, 2), "positive image"),
    "ppv": _Rate((0, 0, 0, 1), (0, 1, 0, 1), "image called positive"),
    "npv": _Rate((1, 0, 0, 0), (1, 0, 1, 0), "image called negative"),
}


def measure(
    predictions: Predictions,
    threshold: float = 0.5,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Measure predictions at one threshold, with intervals over patients.

    Args:
        predictions: of one split; at least one image.
        threshold: a probability at or above it is called positive.
        resamples: of patients, for the intervals.
        confidence: of the intervals, in (0, 1).
        seed: of the resamples.

    Returns:
        An estimate for each of `NAMES`. All but the four counts lie in [0, 1]; the counts'
        intervals are those of sensitivity and specificity, times the images of the class.
        `pr_auc` is average precision. A metric that these images cannot give has the value
        None and says why.

    Raises:
        ValueError: `resamples` or `confidence` is out of range.
    """
    bootstrap = Bootstrap(resamples, confidence, seed)
    found = {**ranking(predictions, bootstrap), **at_threshold(predictions, threshold, bootstrap)}
    return {name: found[name] for name in NAMES}


def ranking(predictions: Predictions, bootstrap: Bootstrap) -> dict[str, Estimate]:
    """What no threshold changes: `roc_auc`, `pr_auc` and `brier` (mean squared error)."""
    sample = Sample(predictions, bootstrap)
    positive = predictions.labels == 1
    squares = (predictions.probabilities - predictions.labels) ** 2
    errors = np.bincount(predictions.patient_codes, squares)
    images = np.bincount(predictions.patient_codes)
    sums = bootstrap.sums(np.column_stack([errors, images]).astype(float))
    brier = sample.estimated(
        float(squares.mean()),
        sums[:, 0] / sums[:, 1],
        {"image": np.ones(len(predictions), dtype=bool)},
        lambda: Fallback(None, "none", _SAME),
    )
    why = _one_class(predictions, ("positive image", "negative image"))
    if why:
        return {"brier": brier, **dict.fromkeys(("roc_auc", "pr_auc"), sample.not_estimable(why))}
    return {"brier": brier, **_areas(sample, {"positive image": positive})}


def _areas(sample: Sample, positive: dict[str, NDArray[np.bool_]]) -> dict[str, Estimate]:
    predictions, bootstrap = sample.predictions, sample.bootstrap
    ranks, patients = rank(predictions), predictions.patient_count
    area, precision = ranks.areas(np.ones((patients, 1)))[:, 0].tolist()
    draws = bootstrap.draws(patients, len(predictions))
    areas, precisions = np.hstack([ranks.areas(draw) for draw in draws])
    both = {**positive, "negative image": predictions.labels == 0}

    def newcombe() -> Fallback:
        ill, well = (predictions.patients_with(chosen) for chosen in both.values())
        bounds = newcombe_auc(area, ill, well, bootstrap.confidence)
        return Fallback(bounds, f"Newcombe score (method 5), {ill} and {well} patients", _FLAT)

    return {
        "roc_auc": sample.estimated(area, areas, both, newcombe),
        "pr_auc": sample.estimated(
            precision, precisions, positive, lambda: Fallback(None, "none", _SAME)
        ),
    }


def at_threshold(
    predictions: Predictions, threshold: float, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """What a threshold decides: the rates of `NAMES` and the four counts."""
    sample = Sample(predictions, bootstrap)
    called = predictions.probabilities >= threshold
    groups = {
        "image": np.ones(len(predictions), dtype=bool),
        "positive image": predictions.labels == 1,
        "negative image": predictions.labels == 0,
        "image called positive": called,
        "image called negative": ~called,
    }
    totals = _cells(predictions, called)
    resampled = bootstrap.sums(totals)
    found = {name: _rate(sample, name, groups, totals, resampled) for name in _RATES}
    found["balanced_accuracy"] = _balanced(sample, found, groups, resampled)
    return {**found, **_counts(sample, found)}


def _cells(predictions: Predictions, called: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(patients, 4): how many images of each patient lie in each cell of the confusion matrix."""
    cell = 2 * predictions.labels.astype(int) + called
    patients = predictions.patient_count
    counts = np.bincount(4 * predictions.patient_codes + cell, minlength=4 * patients)
    return counts.reshape(patients, 4).astype(float)


def _rate(
    sample: Sample,
    name: str,
    groups: dict[str, NDArray[np.bool_]],
    totals: NDArray[np.float64],
    resampled: NDArray[np.float64],
) -> Estimate:
    rate = _RATES[name]
    value = float(rate(totals.sum(axis=0, keepdims=True))[0])
    why = _one_class(sample.predictions, rate.classes)
    if why or np.isnan(value):
        return sample.not_estimable(why or f"there is no {rate.of}")
    concerned = int((totals @ np.array(rate.denominator) > 0).sum())
    fallback = partial(_wilson, name, value, concerned, sample.bootstrap.confidence)
    return sample.estimated(value, rate(resampled), {rate.of: groups[rate.of]}, fallback)


def _wilson(name: str, value: float, patients: int, confidence: float) -> Fallback:
    """Wilson's interval with patients as trials: never narrower than images would make it."""
    method = f"Wilson score, {patients} patients as trials"
    if name != "f1":
        return Fallback(wilson(value, patients, confidence), method, _FLAT)
    # F1 is no proportion, but true positives / (all but true negatives) is, and F1 grows with it
    low, high = wilson(value / (2 - value), patients, confidence)
    return Fallback((2 * low / (1 + low), 2 * high / (1 + high)), method + ", by TP/(TP+FP+FN)")


def _balanced(
    sample: Sample,
    found: dict[str, Estimate],
    groups: dict[str, NDArray[np.bool_]],
    resampled: NDArray[np.float64],
) -> Estimate:
    ill, well = found["sensitivity"].value, found["specificity"].value
    if ill is None or well is None:
        return sample.not_estimable(_one_class(sample.predictions, _RATES["f1"].classes))
    values = ill, well
    both = {name: groups[name] for name in _RATES["f1"].classes}
    mean = (_RATES["sensitivity"](resampled) + _RATES["specificity"](resampled)) / 2

    def combined() -> Fallback:
        confidence = sample.bootstrap.confidence
        people = [sample.predictions.patients_with(chosen) for chosen in both.values()]
        parts = [wilson(*seen, confidence) for seen in zip(values, people, strict=True)]
        method = "Wilson scores, {} and {} patients as trials, square-and-add".format(*people)
        return Fallback(square_and_add(values, *parts), method, _FLAT)

    return sample.estimated(sum(values) / 2, mean, both, combined)


def _counts(sample: Sample, found: dict[str, Estimate]) -> dict[str, Estimate]:
    sensitivity, specificity = found["sensitivity"], found["specificity"]
    ill, well = sample.predictions.positives, sample.predictions.negatives
    return {
        "true_negatives": sample.of_total(specificity, well),
        "false_positives": sample.of_total(specificity, well, missed=True),
        "false_negatives": sample.of_total(sensitivity, ill, missed=True),
        "true_positives": sample.of_total(sensitivity, ill),
    }


_FLAT = "every resample gives the same value, which would claim certainty; hence a score interval"
_SAME = "no interval: every resample gives the same value, and no score interval is established"


def _one_class(predictions: Predictions, needed: tuple[str, ...]) -> str:
    counts = {"positive image": predictions.positives, "negative image": predictions.negatives}
    return " and ".join(f"there is no {name}" for name in needed if not counts[name])
