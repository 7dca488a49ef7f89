"""The figures of a run, each as PNG and SVG: curves and the confusion matrix.

Learning curves are in learning.py, example images in samples.py, the look of all in canvas.py.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ..evaluation import Estimate, PrecisionRecallCurve, RocCurve
from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, panels, save
from .learning import learning_curves
from .samples import Samples, most_telling, sample_predictions

__all__ = [
    "STYLE",
    "Caption",
    "Samples",
    "confusion_matrix",
    "learning_curves",
    "marks",
    "most_telling",
    "precision_recall",
    "roc",
    "sample_predictions",
]

_MARKS = "osD^vPX*"


def marks(
    operating_points: Sequence[Mapping[str, Any]], beside: str = "specificity", split: str = "test"
) -> dict[str, tuple[float, float]]:
    """The places of operating points on a curve, from what `evaluation.summarise` gives.

    Args:
        operating_points: its value `operating_points`.
        beside: "specificity" for a ROC curve, "ppv" for a precision-recall curve.
        split: of the curve.

    Returns:
        (sensitivity, the other metric) by name; points without a number are left out.
    """
    places = {}
    for point in operating_points:
        values = [
            point.get(split, {}).get(name, {}).get("value") for name in ("sensitivity", beside)
        ]
        if None not in values:
            places[point["name"]] = (values[0], values[1])
    return places


@mpl.rc_context(STYLE)
def roc(
    curve: RocCurve,
    area: Estimate,
    folder: Path,
    caption: Caption,
    points: Mapping[str, tuple[float, float]] | None = None,
) -> list[Path]:
    """Draw the ROC curve with its band and the operating points.

    Args:
        curve: as `evaluation.roc_curve` gives it.
        area: the metric `roc_auc` of the same predictions.
        folder: where `roc.png` and `.svg` go.
        caption: of the same predictions.
        points: (sensitivity, specificity) by the name of the operating point.
    """
    drawn = figure((7.2, 4.6), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    _line(axes, curve.false_positive_rate, curve, f"ROC AUC {area}", caption)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2, label="chance")
    for (ill, well), name, mark in _marked(points):
        label = f"{name}:\nsensitivity {ill:.3f}, specificity {well:.3f}"
        axes.plot(1 - well, ill, mark, label=label, **_POINT)
    _finish(axes, drawn, "ROC curve", curve.note)
    axes.set_xlabel("False-positive rate (1 - specificity)")
    axes.set_ylabel("Sensitivity (recall)")
    return save(drawn, folder, "roc")


@mpl.rc_context(STYLE)
def precision_recall(
    curve: PrecisionRecallCurve,
    area: Estimate,
    folder: Path,
    caption: Caption,
    points: Mapping[str, tuple[float, float]] | None = None,
) -> list[Path]:
    """Draw the precision-recall curve, with the prevalence that chance would give.

    Args:
        curve: as `evaluation.precision_recall_curve` gives it.
        area: the metric `pr_auc` of the same predictions.
        folder: where `precision_recall.png` and `.svg` go.
        caption: of the same predictions.
        points: (sensitivity, precision) by the name of the operating point.
    """
    drawn = figure((7.2, 4.6), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    _line(axes, curve.sensitivity, curve, f"PR AUC {area}", caption)
    label = f"chance: prevalence {curve.prevalence:.3f}"
    axes.axhline(curve.prevalence, color=GREY, linestyle=":", linewidth=1.2, label=label)
    for (ill, ppv), name, mark in _marked(points):
        label = f"{name}:\nsensitivity {ill:.3f}, precision {ppv:.3f}"
        axes.plot(ill, ppv, mark, label=label, **_POINT)
    _finish(axes, drawn, "Precision-recall curve", curve.note)
    axes.set_xlabel("Sensitivity (recall)")
    axes.set_ylabel("Precision (positive predictive value)")
    return save(drawn, folder, "precision_recall")


def _line(
    axes: Axes,
    across: NDArray[np.float64],
    curve: RocCurve | PrecisionRecallCurve,
    label: str,
    caption: Caption,
) -> None:
    up = curve.sensitivity if isinstance(curve, RocCurve) else curve.precision
    if np.isnan(up).all():
        return
    if np.nanmax(curve.high - curve.low) > 0:
        said = f"{caption.percent} band, patients resampled"
        axes.fill_between(across, curve.low, curve.high, color=BLUE, alpha=0.18, lw=0, label=said)
    # the curve starts on the axis: without the first point a steep rise would lean
    first = 0.0 if isinstance(curve, RocCurve) else up[0]
    worded = label.replace(" (", f"\n({caption.percent}: ", 1)
    axes.plot([0, *across], [first, *up], color=BLUE, label=worded)


_POINT: dict[str, Any] = {
    "color": RED,
    "markersize": 7,
    "markeredgecolor": "white",
    "linestyle": "none",
    "clip_on": False,
    "zorder": 5,
}


def _marked(
    points: Mapping[str, tuple[float, float]] | None,
) -> Iterator[tuple[tuple[float, float], str, str]]:
    """Each place with the names of the points that share it, and its marker."""
    names: dict[tuple[float, float], list[str]] = {}
    for name, place in (points or {}).items():
        names.setdefault(place, []).append(name)
    for (place, shared), mark in zip(names.items(), cycle(_MARKS), strict=False):
        yield place, ",\n".join(shared), mark


def _finish(axes: Axes, drawn: Figure, title: str, note: str) -> None:
    axes.set(title=title, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    drawn.legend(loc="outside right upper", labelspacing=0.9)
    if note:
        height = 0.5 if note.startswith("not estimable") else 0.03
        axes.text(0.5, height, textwrap.fill(note, 44), ha="center", fontsize=7.5, color=GREY)


_VERDICTS = (
    ("true_negatives", "cleared"),
    ("false_positives", "false alarm"),
    ("false_negatives", "MISSED"),
    ("true_positives", "found"),
)


@mpl.rc_context(STYLE)
def confusion_matrix(
    metrics: Mapping[str, Estimate],
    classes: Sequence[str],
    threshold: float,
    folder: Path,
    caption: Caption,
) -> list[Path]:
    """Draw the confusion matrix: counts, shares of the true class, and their intervals.

    Args:
        metrics: as `evaluation.measure` gives them; the four counts are used.
        classes: the negative and the positive class.
        threshold: of these metrics.
        folder: where `confusion_matrix.png` and `.svg` go.
        caption: of the same predictions.
    """
    drawn = figure((6.0, 4.4), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    for place, (name, verdict) in enumerate(_VERDICTS):
        row, column = divmod(place, 2)
        other = metrics[_VERDICTS[place ^ 1][0]]
        _cell(axes, (row, column), (metrics[name], other, verdict), caption)
    names = [
        f"{name}\n({sign})" for name, sign in zip(classes, ("negative", "positive"), strict=True)
    ]
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=(0.5, 1.5), yticks=(0.5, 1.5))
    axes.set_xticklabels([f"called {name}" for name in names])
    axes.set_yticklabels([f"truly {name}" for name in names], rotation=90, va="center")
    axes.set_title(f"Confusion matrix at threshold {threshold:.4g}")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return save(drawn, folder, "confusion_matrix")


def _cell(
    axes: Axes, place: tuple[int, int], content: tuple[Estimate, Estimate, str], caption: Caption
) -> None:
    (row, column), (count, other, verdict) = place, content
    total = (count.value or 0) + (other.value or 0)
    share = (count.value or 0) / total if total else 0.0
    colour = BLUE if row == column else RED
    axes.add_patch(
        Rectangle(
            (column + 0.01, row + 0.01), 0.98, 0.98, color=colour, alpha=0.08 + 0.4 * share, lw=0
        )
    )
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    axes.text(column + 0.5, row + 0.2, verdict, color="#303134", **middle)
    axes.text(column + 0.5, row + 0.45, f"{count.value:,.0f}", fontsize=20, weight="bold", **middle)
    axes.text(column + 0.5, row + 0.68, f"{100 * share:.1f} % of {total:,.0f}", **middle)
    if count.low is None or count.high is None:
        said = "no interval"
    else:
        low, high = (100 * bound / total for bound in (count.low, count.high))
        said = f"{caption.percent}: {low:.1f} to {high:.1f} %"
    axes.text(column + 0.5, row + 0.83, said, fontsize=8, color="#303134", **middle)
