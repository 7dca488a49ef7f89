"""One configuration, trained once or several times: its metrics on average over the seeds.

Seeds are replicates of a training, patients are the sample. So the value is the mean over seeds,
its interval comes from resampled patients, and the spread between seeds stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .estimate import Estimate
from .intervals import Bootstrap
from .metrics import measure
from .predictions import Predictions
from .ranking import rank

RANKING = ("roc_auc", "pr_auc", "brier")  # what no threshold changes
METRICS = (*RANKING, "sensitivity", "specificity", "accuracy", "balanced_accuracy", "f1")
COUNTS = ("false_negatives", "false_positives")
_NO_WIDTH = 1e-12


@dataclass(frozen=True, eq=False)
class Configuration:
    """What was predicted by one configuration, once for each of its replicates (seeds).

    Args:
        name: what people call it.
        predictions: one or more, of the same images in the same order.
        thresholds: of each replicate; set beforehand, or chosen on its own validation images.

    Raises:
        DataError: there is no replicate, not one threshold for each, or they are of other images.
    """

    name: str
    predictions: tuple[Predictions, ...]
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.predictions or len(self.predictions) != len(self.thresholds):
            raise DataError(
                f"{self.name!r} needs one or more replicates with a threshold each; got "
                f"{len(self.predictions)} and {len(self.thresholds)} thresholds."
            )
        for number, other in enumerate(self.predictions[1:], start=1):
            why = mismatch(self.images, other)
            if why:
                raise DataError(f"Replicates 0 and {number} of {self.name!r} differ: {why}.")

    @property
    def images(self) -> Predictions:
        """The first replicate, for what all share: labels, patients and their counts."""
        return self.predictions[0]

    @property
    def seeds(self) -> int:
        """How many replicates there are."""
        return len(self.predictions)


@dataclass(frozen=True)
class Replicated:
    """A metric of a configuration: never the bare number.

    Args:
        value: the mean over seeds, or None where it cannot be estimated; `note` says why.
        low: the lower bound of the interval over patients of that mean, or None.
        high: the upper bound.
        seed_sd: the standard deviation between seeds; None where there is one seed.
        seeds: how many.
        images: how many images were measured, of all classes.
        patients: how many patients they show.
        positives: how many of the images are of the positive class.
        method: how the interval was made; "none" where there is none.
        note: what a reader must know about this number; often empty.
    """

    value: float | None
    low: float | None
    high: float | None
    seed_sd: float | None
    seeds: int
    images: int
    patients: int
    positives: int
    method: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Measured:
    """A configuration with each of `METRICS` and `COUNTS`, as it is and resampled.

    Args:
        configuration: what was measured.
        bootstrap: how patients were resampled.
        values: (seeds,) by metric, of the images as they are; NaN where there is none.
        resampled: (resamples,) by metric, the mean over seeds in each resample.
    """

    configuration: Configuration
    bootstrap: Bootstrap
    values: dict[str, NDArray[np.float64]]
    resampled: dict[str, NDArray[np.float64]]

    def metric(self, name: str) -> Replicated:
        """One of `METRICS` (all in [0, 1]) or `COUNTS` (images, on average over the seeds)."""
        configuration, values = self.configuration, self.values[name]
        images, seeds = configuration.images, configuration.seeds
        value = float(values.mean())
        low, high, method, note = _interval(self, name)
        return Replicated(
            None if np.isnan(value) else value,
            low,
            high,
            None if seeds < 2 or np.isnan(value) else float(values.std(ddof=1)),
            seeds,
            len(images),
            images.patient_count,
            images.positives,
            method,
            note,
        )


def measure_replicates(configuration: Configuration, bootstrap: Bootstrap) -> Measured:
    """Measure all replicates of a configuration on the same resampled patients."""
    found = [
        _replicate(one, threshold, bootstrap)
        for one, threshold in zip(configuration.predictions, configuration.thresholds, strict=True)
    ]
    stacked = {name: np.array([seed[name] for seed in found]) for name in (*METRICS, *COUNTS)}
    values = {name: both[:, 0] for name, both in stacked.items()}
    resampled = {name: both[:, 1:].mean(axis=0) for name, both in stacked.items()}
    return Measured(configuration, bootstrap, values, resampled)


def mismatch(one: Predictions, other: Predictions) -> str:
    """Why two predictions are not of the same images in the same order; empty if they are."""
    if len(one) != len(other):
        return f"they have {len(one)} and {len(other)} images"
    for name in ("labels", "patients"):
        differing = int((getattr(one, name) != getattr(other, name)).sum())
        if differing:
            return f"the {name} of {differing} of {len(one)} images are not the same"
    return ""


def few_patients(images: Predictions) -> str:
    """Which class comes from fewer than two patients, so that nothing is known of its spread."""
    for name, label in (("positive", 1), ("negative", 0)):
        if images.patients_with(images.labels == label) < 2:
            return f"the {name} images are of fewer than two patients"
    return ""


def _replicate(
    predictions: Predictions, threshold: float, bootstrap: Bootstrap
) -> dict[str, NDArray[np.float64]]:
    """(1 + resamples,) by metric: first of the images as they are, then of each resample."""
    patients = predictions.patient_count
    totals = _totals(predictions, threshold)
    sums = np.vstack([totals.sum(axis=0), bootstrap.sums(totals)])
    ranks = rank(predictions)
    draws = bootstrap.draws(patients, len(predictions))
    areas = [ranks.areas(weights) for weights in (np.ones((patients, 1)), *draws)]
    roc_auc, pr_auc = np.hstack(areas)
    found = _rates(sums)
    found["false_negatives"] = (1 - found["sensitivity"]) * predictions.positives
    found["false_positives"] = (1 - found["specificity"]) * predictions.negatives
    return {"roc_auc": roc_auc, "pr_auc": pr_auc, **found}


def _totals(predictions: Predictions, threshold: float) -> NDArray[np.float64]:
    """(patients, 5): true negatives, false positives, false negatives, true positives, squares."""
    ill, called = predictions.labels == 1, predictions.probabilities >= threshold
    squares = (predictions.probabilities - predictions.labels) ** 2
    columns = (~ill & ~called, ~ill & called, ill & ~called, ill & called, squares)
    codes, patients = predictions.patient_codes, predictions.patient_count
    return np.array([np.bincount(codes, column, patients) for column in columns]).T


def _rates(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    cleared, alarms, missed, hits, squares = sums.T
    sensitivity = _share(hits, hits + missed)
    specificity = _share(cleared, cleared + alarms)
    images = cleared + alarms + missed + hits
    both = sensitivity + specificity  # NaN where a class is missing
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": _share(cleared + hits, images),
        "balanced_accuracy": both / 2,
        "f1": _share(2 * hits, 2 * hits + alarms + missed) + 0 * both,
        "brier": _share(squares, images),
    }


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


_Interval = tuple[float | None, float | None, str, str]


def _interval(measured: Measured, name: str) -> _Interval:
    """Bounds, method and note."""
    resampled = measured.resampled[name]
    kept = int(np.isfinite(resampled).sum())
    images = measured.configuration.images
    if few_patients(images) or not kept:
        return _of_each_seed(measured, name)
    low, high = measured.bootstrap.percentiles(resampled, images.patient_count)
    if high - low <= _NO_WIDTH:
        return _of_each_seed(measured, name)
    mean = " of the mean over seeds" if measured.configuration.seeds > 1 else ""
    method = f"patient bootstrap{mean}, expanded percentile, {len(resampled)} resamples"
    lost = len(resampled) - kept
    note = f"{lost} of {len(resampled)} resamples lacked a class and were left out" if lost else ""
    return low, high, method, note


def _of_each_seed(measured: Measured, name: str) -> _Interval:
    """What `measure` says where the bootstrap says nothing; the widest interval of the seeds."""
    configuration, how = measured.configuration, measured.bootstrap
    pairs = zip(configuration.predictions, configuration.thresholds, strict=True)
    options = how.resamples, how.confidence, how.seed
    found = [measure(one, threshold, *options)[name] for one, threshold in pairs]
    return _widest(found)


def _widest(found: Sequence[Estimate]) -> _Interval:
    lows = [one.low for one in found if one.low is not None]
    highs = [one.high for one in found if one.high is not None]
    if len(lows) < len(found):
        missing = next(one for one in found if one.low is None)
        return None, None, "none", missing.note
    method = found[0].method + (", the widest of the seeds" if len(found) > 1 else "")
    return min(lows), max(highs), method, found[0].note
