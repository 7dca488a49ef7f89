"""From the predictions of a run to its figures, plots and report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import evaluation
from ..evaluation import Bootstrap, Options, Predictions, Subject
from ..preprocessing import Store
from . import figures, plots, report
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
        if len(rows)  # of a finding there may be none of which it is known
    }
    metrics = evaluation.summarise(
        sides, subject(cohort), options(spec.evaluation), groups(spec.evaluation, cohort)
    )
    draw(Drawing(spec, cohort, metrics, run.path / "plots"), sides["test"], images)
    history = pd.read_csv(run / "history.csv")
    learned = tuple(side for side in ("train", "validation") if side in sides)
    caption = figures.caption(metrics, learned)
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
    return [dict(zip(keys, row, strict=True)) for row in rows if row[0]]


def subject(cohort: Cohort) -> Subject:
    """What was predicted, for the reader of the numbers."""
    dataset = cohort.dataset
    negative, positive = dataset.classes
    return Subject(
        dataset.name,
        (negative, positive),
        dataset.synthetic,
        cohort.notes,
        patients_known=cohort.by_patient,
    )


def options(section: Evaluation) -> Options:
    """What a spec asks to be worked out."""
    sensitivity, specificity = section.target_sensitivity, section.target_specificity
    costs = section.costs
    return Options(
        threshold=section.thresholds[0],
        thresholds=section.thresholds[1:],
        target_sensitivities=() if sensitivity is None else (sensitivity,),
        target_specificities=() if specificity is None else (specificity,),
        miss_costs=() if costs is None else (costs.miss / costs.false_alarm,),
        prevalence=section.prevalence,
        bootstrap=Bootstrap(section.resamples, section.confidence),
    )


def groups(section: Evaluation, cohort: Cohort) -> dict[str, list[Any]]:
    """The groups of the test images, for each column that was asked for and is known."""
    table = cohort.dataset.table.iloc[cohort.rows("test")]
    found: dict[str, list[Any]] = {
        name: table[name].tolist() for name in section.subgroups if name in table
    }
    if "age" in found:
        found["age"] = evaluation.age_bands(found["age"])
    return found


class Drawing:
    """What the plots of a run share."""

    def __init__(
        self,
        spec: Spec,
        cohort: Cohort,
        metrics: Mapping[str, Any],
        folder: Path,
        words: str = "test",
    ) -> None:
        self.spec, self.cohort, self.metrics, self.folder = spec, cohort, metrics, folder
        self.caption = figures.caption(metrics, ("test",), words)


def draw(drawing: Drawing, test: Predictions, images: Store) -> None:
    """Draw all figures of the test side, and some of its images."""
    folder, caption = drawing.folder, drawing.caption
    folder.mkdir(exist_ok=True)
    figures.draw(drawing.metrics, drawing.spec.evaluation, test, folder, caption)
    plots.sample_predictions(_samples(drawing, test, images), folder, caption)


def _samples(drawing: Drawing, test: Predictions, images: Store) -> plots.Samples:
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
