"""How good predictions are, each number with its interval.

A probability at or above the threshold is called positive. `sensitivity` is what others call
recall: the share of the positive images that were called positive.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .combined import COMBINATIONS, combined
from .confusion import CLASSES, Confusion, confusion
from .estimate import FLAT, SAME, Estimate, Fallback, Sample
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
    "mcc",
    "lr_positive",
    "lr_negative",
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
    classes: tuple[str, ...] = CLASSES

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
        An estimate for each of `NAMES`. All lie in [0, 1] but Matthews' correlation `mcc`, in
        [-1, 1], the likelihood ratios, at least 0, and the four counts; the counts' intervals
        are those of sensitivity and specificity, times the images of the class.
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
    found = {"brier": brier(sample)}
    why = _one_class(predictions, CLASSES)
    if why:
        return {**found, **dict.fromkeys(("roc_auc", "pr_auc"), sample.not_estimable(why))}
    return {**found, **_areas(sample, {"positive image": predictions.labels == 1})}


def brier(sample: Sample) -> Estimate:
    """The mean squared difference between probability and truth, in [0, 1].

    Source:
        Brier, Mon Weather Rev 78 (1950), 1-3.
    """
    predictions = sample.predictions
    squares = (predictions.probabilities - predictions.labels) ** 2
    errors = np.bincount(predictions.patient_codes, squares)
    images = np.bincount(predictions.patient_codes)
    sums = sample.bootstrap.sums(np.column_stack([errors, images]).astype(float))
    return sample.estimated(
        float(squares.mean()),
        sums[:, 0] / sums[:, 1],
        {"image": np.ones(len(predictions), dtype=bool)},
        lambda: Fallback(None, "none", SAME),
    )


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
        return Fallback(bounds, f"Newcombe score (method 5), {ill} and {well} patients", FLAT)

    return {
        "roc_auc": sample.estimated(area, areas, both, newcombe),
        "pr_auc": sample.estimated(
            precision, precisions, positive, lambda: Fallback(None, "none", SAME)
        ),
    }


def at_threshold(
    predictions: Predictions, threshold: float, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """What a threshold decides: the rates of `NAMES`, their combinations and the four counts."""
    sample = Sample(predictions, bootstrap)
    return of_confusion(sample, confusion(sample, threshold))


def of_confusion(sample: Sample, counted: Confusion) -> dict[str, Estimate]:
    """The same from a confusion matrix that has been counted and resampled."""
    found = {name: _rate(sample, name, counted) for name in _RATES}
    found["balanced_accuracy"] = _balanced(sample, found, counted)
    both = {name: combined(sample, counted, what) for name, what in COMBINATIONS.items()}
    return {**found, **both, **_counts(sample, found)}


def _rate(sample: Sample, name: str, counted: Confusion) -> Estimate:
    rate = _RATES[name]
    value = float(rate(counted.cells[None])[0])
    why = _one_class(sample.predictions, rate.classes)
    if why or np.isnan(value):
        return sample.not_estimable(why or f"there is no {rate.of}")
    concerned = int((counted.totals @ np.array(rate.denominator) > 0).sum())
    fallback = partial(_wilson, name, value, concerned, sample.bootstrap.confidence)
    groups = {rate.of: counted.groups[rate.of]}
    return sample.estimated(value, rate(counted.resampled), groups, fallback)


def _wilson(name: str, value: float, patients: int, confidence: float) -> Fallback:
    """Wilson's interval with patients as trials: never narrower than images would make it."""
    method = f"Wilson score, {patients} patients as trials"
    if name != "f1":
        return Fallback(wilson(value, patients, confidence), method, FLAT)
    # F1 is no proportion, but true positives / (all but true negatives) is, and F1 grows with it
    low, high = wilson(value / (2 - value), patients, confidence)
    return Fallback((2 * low / (1 + low), 2 * high / (1 + high)), method + ", by TP/(TP+FP+FN)")


def _balanced(sample: Sample, found: dict[str, Estimate], counted: Confusion) -> Estimate:
    ill, well = found["sensitivity"].value, found["specificity"].value
    if ill is None or well is None:
        return sample.not_estimable(_one_class(sample.predictions, CLASSES))
    values = ill, well
    both = {name: counted.groups[name] for name in CLASSES}
    first, second = (_RATES[name](counted.resampled) for name in ("sensitivity", "specificity"))

    def added() -> Fallback:
        confidence = sample.bootstrap.confidence
        people = [sample.predictions.patients_with(chosen) for chosen in both.values()]
        bounds = [wilson(*seen, confidence) for seen in zip(values, people, strict=True)]
        method = "Wilson scores, {} and {} patients as trials, square-and-add".format(*people)
        return Fallback(square_and_add(values, *bounds), method, FLAT)

    return sample.estimated(sum(values) / 2, (first + second) / 2, both, added)


def _counts(sample: Sample, found: dict[str, Estimate]) -> dict[str, Estimate]:
    sensitivity, specificity = found["sensitivity"], found["specificity"]
    ill, well = sample.predictions.positives, sample.predictions.negatives
    return {
        "true_negatives": sample.of_total(specificity, well),
        "false_positives": sample.of_total(specificity, well, missed=True),
        "false_negatives": sample.of_total(sensitivity, ill, missed=True),
        "true_positives": sample.of_total(sensitivity, ill),
    }


def _one_class(predictions: Predictions, needed: tuple[str, ...]) -> str:
    counts = {"positive image": predictions.positives, "negative image": predictions.negatives}
    return " and ".join(f"there is no {name}" for name in needed if not counts[name])
