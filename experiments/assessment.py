"""From the predictions of a run to its figures, plots and report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import evaluation
from ..evaluation import Bootstrap, Estimate, Options, Predictions, Subject
from ..preprocessing import Store
from . import plots, report
from .data import SIDES, Cohort
from .run import RunDirectory
from .spec import Evaluation, Spec


def assess(
    spec: Spec, cohort: Cohort, probabilities: np.ndarray, run: RunDirectory, images: Store
) -> dict[str, Any]:
    """Write `predictions.csv` and the plots, and work out what `metrics.json` will hold.

    Args:
        spec: of one run.
        cohort: the images and their sides.
        probabilities: (images, classes), of every image of the dataset.
        run: where to write.
        images: what the model saw, to show some of it.
    """
    run.write_csv("predictions.csv", _rows(cohort, probabilities))
    sides = {
        side: Predictions(cohort.labels[rows], probabilities[rows, -1], cohort.patients[rows])
        for side in SIDES
        for rows in [cohort.rows(side)]
    }
    metrics = evaluation.summarise(
        sides, _subject(cohort), _options(spec.evaluation), _groups(spec.evaluation, cohort)
    )
    _draw(_Drawing(spec, cohort, metrics, run.path / "plots"), sides["test"], images)
    history = pd.read_csv(run / "history.csv")
    caption = _caption(cohort, metrics, ("train", "validation"))
    plots.learning_curves(history, run.path / "plots", caption, spec.training.monitor)
    return metrics


def write_report(
    run: RunDirectory, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> Path:
    """Write `report.html` from what the run directory holds and what it is about to hold."""
    return report.write(run.path, metrics, manifest)


def _rows(cohort: Cohort, probabilities: np.ndarray) -> list[dict[str, Any]]:
    table = cohort.dataset.table
    named = table["patient"].astype(object).where(table["patient"].notna(), "")
    rows = zip(
        cohort.sides.tolist(),
        table["id"],
        named if cohort.by_patient else [""] * len(table),
        (cohort.dataset.classes[label] for label in cohort.labels),
        probabilities[:, -1].tolist(),
        strict=True,
    )
    keys = ("split", "id", "patient", "label", "probability")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def _subject(cohort: Cohort) -> Subject:
    dataset = cohort.dataset
    negative, positive = dataset.classes
    return Subject(
        dataset.name,
        (negative, positive),
        dataset.synthetic,
        cohort.notes,
        patients_known=cohort.by_patient,
    )


def _options(section: Evaluation) -> Options:
    target, costs = section.target_sensitivity, section.costs
    return Options(
        threshold=section.thresholds[0],
        thresholds=section.thresholds[1:],
        target_sensitivities=() if target is None else (target,),
        miss_costs=() if costs is None else (costs.miss / costs.false_alarm,),
        bootstrap=_bootstrap(section),
    )


def _bootstrap(section: Evaluation) -> Bootstrap:
    return Bootstrap(section.resamples, section.confidence)


def _groups(section: Evaluation, cohort: Cohort) -> dict[str, list[Any]]:
    """The groups of the test images, for each column that was asked for and is known."""
    table = cohort.dataset.table.iloc[cohort.rows("test")]
    groups: dict[str, list[Any]] = {
        name: table[name].tolist() for name in section.subgroups if name in table
    }
    if "age" in groups:
        groups["age"] = evaluation.age_bands(groups["age"])
    return groups


class _Drawing:
    """What the plots of a run share."""

    def __init__(
        self, spec: Spec, cohort: Cohort, metrics: Mapping[str, Any], folder: Path
    ) -> None:
        self.spec, self.cohort, self.metrics, self.folder = spec, cohort, metrics, folder
        self.test = {
            name: Estimate(**values)
            for name, values in metrics["splits"]["test"]["metrics"].items()
        }
        self.caption = _caption(cohort, metrics, ("test",))


def _draw(drawing: _Drawing, test: Predictions, images: Store) -> None:
    section, metrics = drawing.spec.evaluation, drawing.metrics
    how = section.resamples, section.confidence
    folder, caption, points = drawing.folder, drawing.caption, metrics["operating_points"]
    folder.mkdir(exist_ok=True)
    roc = evaluation.roc_curve(test, *how)
    plots.roc(roc, drawing.test["roc_auc"], folder, caption, plots.marks(points))
    curve = evaluation.precision_recall_curve(test, *how)
    marks = plots.marks(points, beside="ppv")
    plots.precision_recall(curve, drawing.test["pr_auc"], folder, caption, marks)
    threshold, classes = section.thresholds[0], drawing.cohort.dataset.classes
    plots.confusion_matrix(drawing.test, classes, threshold, folder, caption)
    plots.sample_predictions(_samples(drawing, test, images), folder, caption)


def _samples(drawing: _Drawing, test: Predictions, images: Store) -> plots.Samples:
    threshold = drawing.spec.evaluation.thresholds[0]
    chosen = plots.most_telling(test, threshold)
    rows = drawing.cohort.rows("test")[chosen]
    return plots.Samples(
        images=images.images()[rows][..., 0] * images.scale,
        truths=test.labels[chosen].tolist(),
        probabilities=test.probabilities[chosen].tolist(),
        ids=drawing.cohort.dataset.table["id"].astype(str).iloc[rows].tolist(),
        classes=drawing.cohort.dataset.classes,
        threshold=threshold,
    )


def _caption(cohort: Cohort, metrics: Mapping[str, Any], sides: tuple[str, ...]) -> plots.Caption:
    counts = [metrics["splits"][side] for side in sides]
    return plots.Caption(
        dataset=cohort.dataset.name,
        split=" and ".join(sides),
        images=sum(count["images"] for count in counts),
        patients=sum(count["patients"] for count in counts) if cohort.by_patient else None,
        synthetic=cohort.dataset.synthetic,
        confidence=metrics["confidence"],
    )
