"""What the predictions of a run for other people's images say, beside its internal test."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from .. import evaluation
from ..evaluation import Options, Predictions, Subject, external
from ..preprocessing import Store
from . import assessment
from .data import Cohort
from .external_pair import Pair
from .run import RunDirectory

WORDS = "external validation"


def measure(
    pair: Pair, probabilities: np.ndarray, images: Store, directory: RunDirectory
) -> dict[str, Any]:
    """Write `predictions.csv` and the plots, and work out what `metrics.json` will hold.

    Args:
        pair: the run and the images.
        probabilities: (images, classes), of every image of the dataset.
        images: what the model saw.
        directory: where to write.

    Returns:
        As `evaluation.summarise` gives it of the run's validation images and, as "test", of the
        external ones, at the thresholds of the run; and `external`: the run's internal test, the
        differences to it, and the overlap.
    """
    spec, cohort, rows = pair.plan.spec, pair.cohort, pair.cohort.rows("test")
    test = Predictions(cohort.labels[rows], probabilities[rows, -1], cohort.patients[rows])
    directory.write_csv("predictions.csv", _rows(cohort, rows, probabilities))
    sides = {"test": test}
    if "validation" in pair.run.metrics["splits"]:  # of a finding it may be known of no image
        sides = {"validation": pair.run.predictions_of("validation"), **sides}
    groups = assessment.groups(spec.evaluation, cohort)
    metrics = evaluation.summarise(sides, _subject(pair), _options(pair), groups)
    points = pair.run.metrics["operating_points"]
    metrics["operating_points"] = _named(points, metrics["operating_points"])
    metrics["external"] = _beside(pair, test, _options(pair))
    drawing = assessment.Drawing(spec, cohort, metrics, directory.path / "plots", WORDS)
    assessment.draw(drawing, test, images)
    return metrics


def _rows(cohort: Cohort, rows: np.ndarray, probabilities: np.ndarray) -> list[dict[str, Any]]:
    table = cohort.dataset.table.iloc[rows]
    patients = table["patient"].astype(object).where(table["patient"].notna(), "")
    labels = (cohort.dataset.classes[label] for label in table["label"])
    found = zip(table["id"], patients, labels, probabilities[rows, -1].tolist(), strict=True)
    keys = ("split", "id", "patient", "label", "probability")
    return [dict(zip(keys, ("external", *row), strict=True)) for row in found]


def _subject(pair: Pair) -> Subject:
    subject = assessment.subject(pair.cohort)
    return replace(subject, notes=(f"{pair.title}.", *subject.notes))


def _options(pair: Pair) -> Options:
    """Every threshold of the run, as one that was set beforehand: here nothing is chosen."""
    thresholds = [point["threshold"] for point in pair.run.metrics["operating_points"]]
    own = assessment.options(pair.plan.spec.evaluation)
    fixed = replace(
        own, youden=False, target_sensitivities=(), target_specificities=(), miss_costs=()
    )
    return replace(fixed, thresholds=tuple(thresholds))


def _named(
    points: Sequence[Mapping[str, Any]], applied: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What was measured at each threshold, under the name that the run gave it."""
    measured = {point["threshold"]: point for point in applied}
    kept = ("name", "rule", "chosen_on")
    return [
        {**measured[point["threshold"]], **{key: point[key] for key in kept}} for point in points
    ]


def _beside(pair: Pair, test: Predictions, options: Options) -> dict[str, Any]:
    """The internal test of the run, and by how much the external one differs."""
    run = pair.run
    internal = run.predictions_of("test")
    apart = external.difference(internal, test, options.threshold, options.bootstrap)
    return {
        "title": pair.title,
        "run": run.name,
        "internal": run.metrics["splits"]["test"],
        "internal_patients_known": run.metrics["patients_known"],
        "differences": {name: asdict(difference) for name, difference in apart.items()},
        "overlap": {
            **pair.overlap.as_dict(),
            "meant": pair.asked.overlap_meant,
            "sentence": str(pair.overlap),
        },
    }
