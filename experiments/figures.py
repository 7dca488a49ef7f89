"""The figures that predictions alone decide: a run draws them, and so does measuring it anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import evaluation
from ..evaluation import Bootstrap, Estimate, Predictions
from . import calibration_plots, plots, threshold_plots
from .canvas import Caption
from .spec import Evaluation

Metrics = Mapping[str, Any]


def draw(
    metrics: Metrics, section: Evaluation, test: Predictions, folder: Path, caption: Caption
) -> None:
    """Draw the curves, the confusion matrix, the calibration and the extremes of the test side.

    Args:
        metrics: as `evaluation.summarise` gives them.
        section: what they were asked for.
        test: the predictions of the test side.
        folder: where the figures go.
        caption: of the test side.
    """
    how, points = (section.resamples, section.confidence), metrics["operating_points"]
    found = metrics["splits"]["test"]["metrics"]
    measured = {name: Estimate(**values) for name, values in found.items()}
    roc = evaluation.roc_curve(test, *how)
    plots.roc(roc, measured["roc_auc"], folder, caption, plots.marks(points))
    curve = evaluation.precision_recall_curve(test, *how)
    marks = plots.marks(points, beside="ppv")
    plots.precision_recall(curve, measured["pr_auc"], folder, caption, marks)
    threshold = section.thresholds[0]
    plots.confusion_matrix(measured, metrics["classes"], threshold, folder, caption)
    _draw_uses(metrics, section, test, folder, caption)


def _draw_uses(
    metrics: Metrics, section: Evaluation, test: Predictions, folder: Path, caption: Caption
) -> None:
    how = section.resamples, section.confidence
    calibration_plots.reliability(metrics["calibration"], test, folder, caption)
    temperature = metrics["calibration"]["temperature"]["value"]
    calibrated = None
    if temperature is not None:
        calibrated = evaluation.decision_curve(evaluation.scaled(test, temperature), *how)
    decision = evaluation.decision_curve(test, *how)
    threshold_plots.decision_curve(decision, calibrated, folder, caption)
    threshold_plots.errors_by_threshold(evaluation.error_counts(test, *how), folder, caption)
    risk = evaluation.risk_coverage(test, section.thresholds[0], Bootstrap(*how))
    threshold_plots.extremes(risk, metrics["extremes"], folder, caption)


def caption(metrics: Metrics, sides: tuple[str, ...], words: str = "") -> Caption:
    """What stands under a figure of some sides; `words` instead of their names, if given."""
    counts = [metrics["splits"][side] for side in sides]
    patients = sum(count["patients"] for count in counts)
    return Caption(
        dataset=metrics["dataset"],
        split=words or " and ".join(sides),
        images=sum(count["images"] for count in counts),
        patients=patients if metrics["patients_known"] else None,
        synthetic=metrics["synthetic"],
        confidence=metrics["confidence"],
    )
