"""Figures of a comparison over the threshold: ROC, precision-recall, and errors of both kinds."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..evaluation import Predictions, Replicated, mean_precision_recall_curve, mean_roc_curve
from .canvas import GREY, STYLE, figure, panels
from .compare import Comparison, Row
from .comparison_canvas import caption, drawn, keep, look, wrapped

_THRESHOLDS = np.linspace(0, 1, 101)
_NAMED = (0.2, 0.4, 0.5)  # the thesis's two, and the usual one


@mpl.rc_context(STYLE)
def roc(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw the ROC curves over each other, means over seeds, with bands over patients."""
    rows, words = drawn(comparison)
    page, axes = _square(comparison)
    frames = []
    for number, row in enumerate(rows):
        replicates = row.measured.configuration.predictions
        curve = mean_roc_curve(replicates, comparison.bootstrap)
        data = pd.DataFrame(
            {
                "configuration": row.name,
                "false_positive_rate": curve.false_positive_rate,
                "sensitivity": curve.sensitivity,
                "low": curve.low,
                "high": curve.high,
            }
        )
        _line(axes, number, data, _legend(row, "roc_auc", comparison))
        frames.append(data)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="chance")
    axes.set(xlabel="False-positive rate (1 - specificity)", ylabel="Sensitivity (recall)")
    _finish(page, axes, f"ROC curves{words}", comparison)
    return keep(page, pd.concat(frames), comparison, folder, "roc")


@mpl.rc_context(STYLE)
def precision_recall(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw the precision-recall curves over each other, with the prevalence."""
    rows, words = drawn(comparison)
    page, axes = _square(comparison)
    frames = []
    for number, row in enumerate(rows):
        replicates = row.measured.configuration.predictions
        curve = mean_precision_recall_curve(replicates, comparison.bootstrap)
        data = pd.DataFrame(
            {
                "configuration": row.name,
                "sensitivity": curve.sensitivity,
                "precision": curve.precision,
                "low": curve.low,
                "high": curve.high,
            }
        )
        _line(axes, number, data, _legend(row, "pr_auc", comparison))
        frames.append(data)
    label = f"chance: prevalence {curve.prevalence:.3f}"
    axes.axhline(curve.prevalence, color=GREY, linestyle=":", linewidth=1, label=label)
    axes.set(xlabel="Sensitivity (recall)", ylabel="Precision (positive predictive value)")
    _finish(page, axes, f"Precision-recall curves{words}", comparison)
    return keep(page, pd.concat(frames), comparison, folder, "precision_recall")


@mpl.rc_context(STYLE)
def errors(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw how many are missed, and how many are false alarms, at each threshold."""
    rows, words = drawn(comparison)
    data = pd.concat([_errors(row) for row in rows])
    page = figure((9.4, 4.2), caption(comparison, "test"))
    first = rows[0].metrics["false_negatives"]
    totals = first.positives, first.images - first.positives
    kinds = (("missed", "Missed (false negatives)"), ("false_alarms", "False alarms"))
    for axes, (column, words_of), total in zip(panels(page, 1, 2)[0], kinds, totals, strict=True):
        for number, row in enumerate(rows):
            own = data[data["configuration"] == row.name]
            style = look(number)
            label = wrapped(row.name) if column == "missed" else None
            axes.plot(
                own["threshold"], own[column], color=style.color, ls=style.linestyle, label=label
            )
        axes.set(title=words_of, xlabel="Threshold (probability)", xlim=(0, 1), ylim=(0, total))
        axes.set_ylabel(f"Images, of {total:,}")
        _mark_thresholds(axes)
    page.legend(loc="outside right upper")
    page.suptitle(f"Errors by threshold{words}", x=0.01, ha="left", fontsize=10, weight="bold")
    return keep(page, data, comparison, folder, "errors_by_threshold")


def _square(comparison: Comparison) -> tuple[Figure, Axes]:
    page = figure((7.6, 4.8), caption(comparison, "test"))
    return page, panels(page, 1, 1)[0, 0]


def _line(axes: Axes, number: int, data: pd.DataFrame, label: str) -> None:
    """The curve begins on the axis: without the first point a steep rise would lean."""
    across, up = data.iloc[:, 1], data.iloc[:, 2]
    if up.isna().all():
        return
    style, start = look(number), 0.0 if "false_positive_rate" in data else up.iloc[0]
    axes.fill_between(across, data["low"], data["high"], color=style.color, alpha=0.06, lw=0)
    axes.plot(
        [0, *across], [start, *up], color=style.color, ls=style.linestyle, lw=1.6, label=label
    )


def _legend(row: Row, metric: str, comparison: Comparison) -> str:
    found: Replicated = row.metrics[metric]
    if found.value is None:
        return f"{wrapped(row.name)}\nnot estimable"
    if found.low is None:
        return f"{wrapped(row.name)}\n{found.value:.3f} (no interval)"
    percent = f"{100 * comparison.bootstrap.confidence:g} %"
    return (
        f"{wrapped(row.name)}\n{found.value:.3f} ({percent}: {found.low:.3f} to {found.high:.3f})"
    )


def _finish(page: Figure, axes: Axes, title: str, comparison: Comparison) -> None:
    axes.set(title=title, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    percent = f"{100 * comparison.bootstrap.confidence:g} %"
    axes.fill_between([], [], color=GREY, alpha=0.15, lw=0, label=f"bands: {percent}, by patient")
    page.legend(loc="outside right upper", labelspacing=0.7, title="Area under the curve")


def _errors(row: Row) -> pd.DataFrame:
    counts = [_counts(one) for one in row.measured.configuration.predictions]
    missed, alarms = np.mean(counts, axis=0)
    return pd.DataFrame(
        {
            "configuration": row.name,
            "threshold": _THRESHOLDS,
            "missed": missed,
            "false_alarms": alarms,
        }
    )


def _counts(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Missed and false alarms at each threshold; a probability at it is called positive."""
    ill = np.sort(predictions.probabilities[predictions.labels == 1])
    well = np.sort(predictions.probabilities[predictions.labels == 0])
    return np.searchsorted(ill, _THRESHOLDS), len(well) - np.searchsorted(well, _THRESHOLDS)


def _mark_thresholds(axes: Axes) -> None:
    for threshold in _NAMED:
        axes.axvline(threshold, color=GREY, linestyle=":", linewidth=1)
        axes.annotate(
            f"{threshold:g}", (threshold, 1), (2, -2), ("data", "axes fraction"), "offset points",
            fontsize=7, color=GREY, va="top",
        )  # fmt: skip
