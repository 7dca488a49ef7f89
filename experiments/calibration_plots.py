"""The reliability plot of a run: what was promised beside what came, raw and calibrated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ..evaluation import Estimate, Predictions, scaled
from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, save

_STEPS = np.linspace(0, 1, 21)
_LOOKS: dict[str, dict[str, Any]] = {
    "raw": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "scaled": {"color": RED, "marker": "s", "linestyle": "--"},
}


@mpl.rc_context(STYLE)
def reliability(
    calibration: Mapping[str, Any], predictions: Predictions, folder: Path, caption: Caption
) -> list[Path]:
    """Draw observed shares by mean probability, and how the probabilities are spread.

    Args:
        calibration: as `evaluation.summarise` gives it.
        predictions: the same, raw.
        folder: where `reliability.png` and `.svg` go.
        caption: of the same predictions.
    """
    drawn = figure((7.2, 5.4), caption)
    above, below = drawn.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    above.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2, label="as promised")
    temperature = calibration["temperature"]["value"]
    names = {"raw": "raw probability"}
    _bins(above, calibration["raw"], "raw", names["raw"], caption)
    _spread(below, predictions, "raw")
    if calibration["scaled"] is not None:
        names["scaled"] = f"calibrated, temperature {temperature:.3g}"
        _bins(above, calibration["scaled"], "scaled", names["scaled"], caption)
        _spread(below, scaled(predictions, temperature), "scaled")
    above.set(title="Reliability", xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))
    above.set_ylabel("Observed share of positive images")
    below.set_xlabel("Probability of the positive class (mean of the bin)")
    below.set_ylabel("Images")
    below.yaxis.get_major_locator().set_params(integer=True)
    drawn.legend(loc="outside right upper", labelspacing=0.9)
    return save(drawn, folder, "reliability")


def _bins(axes: Axes, found: Mapping[str, Any], look: str, name: str, caption: Caption) -> None:
    bins = found["bins"]
    across = [one["probability"] for one in bins]
    up = [one["share"]["value"] for one in bins]
    bars = [reach(Estimate(**one["share"])) for one in bins]
    counts = sorted(one["share"]["images"] for one in bins)
    ece, brier = (Estimate(**found["metrics"][key]) for key in ("ece", "brier"))
    span = f"{counts[0]:,}" if counts[0] == counts[-1] else f"{counts[0]:,} to {counts[-1]:,}"
    label = f"{name}\n{len(bins)} bins of {span} images, {caption.percent} intervals\n"
    label += f"ECE {ece}\nBrier {brier}"
    axes.errorbar(
        across,
        up,
        yerr=np.transpose(bars),
        label=label,
        linewidth=1.3,
        elinewidth=1,
        capsize=2.5,
        markersize=5.5,
        **_LOOKS[look],
    )


def reach(share: Estimate) -> tuple[float, float]:
    """How far an error bar goes down and up from the value; nowhere without an interval."""
    if share.value is None or share.low is None or share.high is None:
        return 0.0, 0.0
    return max(0.0, share.value - share.low), max(0.0, share.high - share.value)


def _spread(axes: Axes, predictions: Predictions, look: str) -> None:
    counts, _ = np.histogram(predictions.probabilities, _STEPS)
    style = {key: _LOOKS[look][key] for key in ("color", "linestyle")}
    axes.stairs(counts, _STEPS, fill=look == "raw", alpha=0.25 if look == "raw" else 1, **style)
