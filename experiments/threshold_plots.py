"""What a threshold costs and what sureness buys: decision curve, errors, risk and coverage."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ..evaluation import DecisionCurve, Errors, Estimate, RiskCoverageCurve, TradeOff
from .calibration_plots import reach
from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, panels, save

_THESIS = ((0.5, "o"), (0.4, "s"), (0.2, "D"))


@mpl.rc_context(STYLE)
def decision_curve(
    curve: DecisionCurve, calibrated: DecisionCurve | None, folder: Path, caption: Caption
) -> list[Path]:
    """Draw the net benefit by threshold beside that of calling every image positive, or none.

    Args:
        curve: of the raw probabilities.
        calibrated: of the calibrated ones, where there are any.
        folder: where `decision_curve.png` and `.svg` go.
        caption: of the same predictions.
    """
    drawn = figure((7.2, 4.2), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    axes.set(title="Decision curve", xlim=(0, 1), xlabel="Threshold probability")
    axes.set_ylabel("Net benefit (true positives an image)")
    if np.isnan(curve.net_benefit).all():
        axes.text(0.5, 0.5, curve.note, ha="center", fontsize=7.5, color=GREY)
        return save(drawn, folder, "decision_curve")
    _band(axes, (curve.thresholds, curve.low, curve.high), BLUE, caption)
    axes.plot(curve.thresholds, curve.net_benefit, color=BLUE, label="model, raw probability")
    if calibrated is not None:
        style: dict[str, Any] = {"color": RED, "linestyle": "-.", "linewidth": 1.4}
        axes.plot(curve.thresholds, calibrated.net_benefit, label="model, calibrated", **style)
    axes.plot(curve.thresholds, curve.treat_all, color=GREY, linestyle="--", label="call all")
    axes.axhline(0, color="black", linestyle=":", linewidth=1.2, label="call none")
    top = float(max(curve.treat_all.max(), np.nanmax(curve.high), 0.02))
    axes.set_ylim(-0.3 * top, 1.08 * top)  # where all are called, the benefit falls without end
    drawn.legend(loc="outside right upper", labelspacing=0.9)
    return save(drawn, folder, "decision_curve")


@mpl.rc_context(STYLE)
def errors_by_threshold(trade_off: TradeOff, folder: Path, caption: Caption) -> list[Path]:
    """Draw how many images are missed and how many are false alarms at every threshold.

    Args:
        trade_off: as `evaluation.error_counts` gives it; the thesis's thresholds are marked.
        folder: where `errors_by_threshold.png` and `.svg` go.
        caption: of the same predictions.
    """
    drawn = figure((7.2, 4.2), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    missed, alarms = trade_off.false_negatives, trade_off.false_positives
    _errors(axes, trade_off, missed, {"color": RED, "label": "missed (false negatives)"})
    said: dict[str, Any] = {"color": BLUE, "linestyle": "--"}
    _errors(axes, trade_off, alarms, {**said, "label": "false alarms (false positives)"})
    axes.fill_between([], [], color=GREY, alpha=0.2, lw=0, label=_band_label(caption))
    for threshold, mark in _THESIS:
        place = int(np.searchsorted(trade_off.thresholds, threshold))
        ill, well = missed.count[place], alarms.count[place]
        label = f"threshold {threshold:g}:\n{ill:,.0f} missed, {well:,.0f} false alarms"
        axes.axvline(threshold, color=GREY, linewidth=0.8, linestyle=":")
        style: dict[str, Any] = {"color": GREY, "markersize": 6.5, "markeredgecolor": "white"}
        where = [threshold] * 2, [ill, well]
        axes.plot(*where, mark, label=label, zorder=5, clip_on=False, **style)  # whole at 0 too
    axes.set(title="Errors by threshold", xlim=(0, 1), xlabel="Threshold", ylabel="Images")
    axes.set_ylim(bottom=0)
    axes.yaxis.get_major_locator().set_params(integer=True)
    if trade_off.note:
        axes.text(0.5, axes.get_ylim()[1] / 2, trade_off.note, ha="center", fontsize=7.5)
    drawn.legend(loc="outside right upper", labelspacing=0.9)
    return save(drawn, folder, "errors_by_threshold")


def _errors(axes: Axes, trade_off: TradeOff, errors: Errors, style: Mapping[str, Any]) -> None:
    bounds = errors.low, errors.high
    axes.fill_between(trade_off.thresholds, *bounds, color=style["color"], alpha=0.15, lw=0)
    axes.plot(trade_off.thresholds, errors.count, **style)


@mpl.rc_context(STYLE)
def extremes(
    curve: RiskCoverageCurve, found: Mapping[str, Any], folder: Path, caption: Caption
) -> list[Path]:
    """Draw the errors among the surest calls, and the share right at both ends of the order.

    Args:
        curve: the risk-coverage curve.
        found: the value `extremes` that `evaluation.summarise` gives.
        folder: where `extremes.png` and `.svg` go.
        caption: of the same predictions.
    """
    drawn = figure((8.4, 4.6), caption)
    left, right = panels(drawn, 1, 2)[0]
    _band(left, (curve.coverage, curve.low, curve.high), BLUE, caption)
    area = Estimate(**found["aurc"])
    left.plot(curve.coverage, curve.risk, color=BLUE, label=f"AURC {area}")
    left.set(title=f"Surest calls at threshold {found['threshold']:.4g}", xlim=(0, 1))
    left.set_ylim(bottom=0)
    left.set(xlabel="Share of images judged, the surest first", ylabel="Share of wrong calls")
    prevalence = area.positives / area.images
    _ends(right, found["counts"], (1 - prevalence, prevalence), caption)
    for axes in (left, right):
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14))
    return save(drawn, folder, "extremes")


_ENDS = (
    ("lowest", -0.08, "truly negative", {"color": BLUE, "marker": "o"}, ":"),
    ("highest", 0.08, "truly positive", {"color": RED, "marker": "s"}, "--"),
)


def _ends(
    axes: Axes,
    counts: Sequence[Mapping[str, Any]],
    of_all: tuple[float, float],
    caption: Caption,
) -> None:
    for (end, shift, meaning, look, dash), chance in zip(_ENDS, of_all, strict=True):
        shares = [Estimate(**count[end]) for count in counts]
        style: dict[str, Any] = {**look, "capsize": 3, "markersize": 6, "linestyle": "none"}
        axes.errorbar(
            np.arange(len(counts)) + shift,
            [share.value or 0.0 for share in shares],
            yerr=np.transpose([reach(share) for share in shares]) if shares else None,
            label=f"{end} probabilities: {meaning}",
            **style,
        )
        label = f"{meaning} of all images: {chance:.3f}"
        axes.axhline(chance, color=look["color"], linestyle=dash, linewidth=1, label=label)
    axes.set(title=f"Extremes with {caption.percent} intervals", ylim=(-0.03, 1.03))
    axes.set(xlim=(-0.5, max(len(counts), 1) - 0.5), ylabel="Share right")
    axes.set_xticks(range(len(counts)), [f"{count['count']}" for count in counts])
    axes.set_xlabel("Images at each end")
    if not counts:
        axes.text(0, 0.5, "not estimable: fewer than 20 images", ha="center", fontsize=7.5)


def _band(axes: Axes, band: tuple[Any, Any, Any], colour: str, caption: Caption) -> None:
    across, low, high = band
    label = _band_label(caption)
    axes.fill_between(across, low, high, color=colour, alpha=0.18, lw=0, label=label)


def _band_label(caption: Caption) -> str:
    return f"{caption.percent} band, patients resampled"
