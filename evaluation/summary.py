"""All that a run's predictions say, as the plain values of `metrics.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import operating_points, sections
from .confusion import confusion
from .estimate import Sample
from .intervals import Bootstrap
from .metrics import measure, of_confusion
from .operating_points import OperatingPoint
from .predictions import Predictions
from .sections import plain
from .subgroups import Subgroup, measure_groups


@dataclass(frozen=True)
class Subject:
    """What was predicted, for the reader of the numbers.

    Args:
        dataset: its name.
        classes: the negative and the positive class, in that order.
        synthetic: whether the images were made by a program.
        notes: sentences that belong beside every number.
        patients_known: whether the patients of the predictions are people; False where each
            image was given an id of its own because nobody knows whose it is.
    """

    dataset: str
    classes: tuple[str, str]
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    patients_known: bool = True


@dataclass(frozen=True)
class Options:
    """What to work out.

    Args:
        threshold: of the main table; set beforehand.
        thresholds: further ones to show, set beforehand.
        youden: whether to choose the threshold of largest sensitivity + specificity - 1.
        target_sensitivities: choose the largest threshold that reaches each.
        target_specificities: choose the smallest threshold that reaches each.
        miss_costs: choose the cheapest threshold where a miss costs so many false alarms.
        prevalence: where given, PPV and NPV are worked out for it too, in (0, 1).
        bootstrap: how the intervals are made.
    """

    threshold: float = 0.5
    thresholds: tuple[float, ...] = ()
    youden: bool = True
    target_sensitivities: tuple[float, ...] = ()
    target_specificities: tuple[float, ...] = ()
    miss_costs: tuple[float, ...] = ()
    prevalence: float | None = None
    bootstrap: Bootstrap = field(default_factory=Bootstrap)


def summarise(
    splits: Mapping[str, Predictions],
    subject: Subject,
    options: Options | None = None,
    groups: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, Any]:
    """Measure every split, choose operating points on validation, and take the test set apart.

    Args:
        splits: predictions by split: "train", "validation", "test"; any may be missing.
        subject: what was predicted.
        options: what to work out; the defaults if not given.
        groups: for each column of the table ("view", "sex"), the group of each test image.

    Returns:
        Plain values for JSON: `classes`, `positive_class`, `confidence`, `resamples`, `synthetic`,
        `patients_known`, `dataset`, `notes`, `prevalence`, `splits`, `operating_points`,
        `subgroups`, `calibration` and `extremes`. A split holds its counts, its `threshold`, its
        `metrics` and how many patients were `missed` or had false `alarms`. An operating point
        holds the metrics of validation and test, and of the test images its `decision` (net
        benefit) and, where a prevalence was given, the predictive values `at_prevalence`.

    Raises:
        ValueError: a target, cost or prevalence is out of range, or a column of `groups` has not
            one value for each test image.
    """
    options = options or Options()
    notes = list(subject.notes)
    points = [_applied(point, splits, options) for point in _points(splits, options, notes)]
    test = splits.get("test")
    return {
        "dataset": subject.dataset,
        "classes": list(subject.classes),
        "positive_class": subject.classes[1],
        "synthetic": subject.synthetic,
        "patients_known": subject.patients_known,
        "confidence": options.bootstrap.confidence,
        "resamples": options.bootstrap.resamples,
        "prevalence": options.prevalence,
        "splits": {name: _split(split, options) for name, split in splits.items()},
        "operating_points": points,
        "subgroups": _subgroups(test, groups or {}, options),
        **({} if test is None else _portrait(test, splits.get("validation"), options)),
        "notes": notes,
    }


def _portrait(
    test: Predictions, validation: Predictions | None, options: Options
) -> dict[str, Any]:
    return {
        "calibration": sections.calibration(test, validation, options.bootstrap),
        "extremes": sections.surest(test, options.threshold, options.bootstrap),
    }


def _split(predictions: Predictions, options: Options) -> dict[str, Any]:
    how = options.bootstrap.resamples, options.bootstrap.confidence, options.bootstrap.seed
    return {
        "images": len(predictions),
        "patients": predictions.patient_count,
        "positives": predictions.positives,
        "threshold": options.threshold,
        "metrics": plain(measure(predictions, options.threshold, *how)),
        **_per_patient(predictions, options.threshold),
    }


def _per_patient(predictions: Predictions, threshold: float) -> dict[str, dict[str, int]]:
    """A patient is missed if none of the positive images was called positive."""
    ill, called = predictions.labels == 1, predictions.probabilities >= threshold
    codes, patients = predictions.patient_codes, predictions.patient_count
    sick = np.bincount(codes, ill, patients) > 0
    found = np.bincount(codes, ill & called, patients) > 0
    alarmed = np.bincount(codes, called, patients) > 0
    return {
        "missed": {"patients": int((sick & ~found).sum()), "of": int(sick.sum())},
        "alarms": {"patients": int((alarmed & ~sick).sum()), "of": int((~sick).sum())},
    }


def _points(
    splits: Mapping[str, Predictions], options: Options, notes: list[str]
) -> list[OperatingPoint]:
    fixed = dict.fromkeys((options.threshold, *options.thresholds))
    points = [operating_points.fixed(threshold) for threshold in fixed]
    chosen_by_rule = (
        options.youden,
        options.target_sensitivities,
        options.target_specificities,
        options.miss_costs,
    )
    if not any(chosen_by_rule):
        return points
    validation = splits.get("validation")
    if validation is None or not validation.positives or not validation.negatives:
        notes.append(
            "No threshold was chosen: that needs validation images of both classes, for a "
            "threshold chosen on the test images would flatter them."
        )
        return points
    return points + _chosen(validation, options)


def _chosen(validation: Predictions, options: Options) -> list[OperatingPoint]:
    rules = operating_points
    points = [rules.max_youden(validation)] if options.youden else []
    points += [rules.target_sensitivity(validation, t) for t in options.target_sensitivities]
    points += [rules.target_specificity(validation, t) for t in options.target_specificities]
    return points + [rules.minimal_cost(validation, cost) for cost in options.miss_costs]


def _applied(
    point: OperatingPoint, splits: Mapping[str, Predictions], options: Options
) -> dict[str, Any]:
    counted = {
        name: (sample, confusion(sample, point.threshold))
        for name in ("validation", "test")
        if name in splits
        for sample in [Sample(splits[name], options.bootstrap)]
    }
    metrics = {name: plain(of_confusion(*pair)) for name, pair in counted.items()}
    test = counted.get("test")
    return {
        "name": point.name,
        "rule": point.rule,
        "threshold": point.threshold,
        "chosen_on": point.chosen_on,
        **metrics,
        **({} if test is None else sections.use(*test, point.threshold, options.prevalence)),
    }


def _subgroups(
    test: Predictions | None, groups: Mapping[str, Sequence[Any]], options: Options
) -> dict[str, dict[str, Any]]:
    if test is None:
        return {}
    return {
        column: {
            name: _group(group)
            for name, group in measure_groups(
                test, values, options.threshold, options.bootstrap
            ).items()
        }
        for column, values in groups.items()
    }


def _group(group: Subgroup) -> dict[str, Any]:
    counts = {"images": group.images, "patients": group.patients, "positives": group.positives}
    if group.metrics is None:
        return {**counts, "too_few": True}
    return {**counts, "too_few": False, "metrics": plain(group.metrics)}
