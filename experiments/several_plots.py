"""The figures of a run of several findings: their areas, and which of them come together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from ..evaluation import Estimate
from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, panels, save

_BESIDE = 6  # findings of which two matrices can be read side by side
_SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", BLUE])


@mpl.rc_context(STYLE)
def areas(metrics: Mapping[str, Any], folder: Path, caption: Caption) -> list[Path]:
    """Draw the ROC AUC of each finding on the test side with its interval, and their mean.

    Args:
        metrics: as `several.summarise` gives them.
        folder: where `areas.png` and `.svg` go.
        caption: of the test side.
    """
    found = {name: one for name, one in metrics["findings"].items() if "folder" in one}
    sides = {name: one["splits"]["test"] for name, one in found.items()}
    measured = {name: Estimate(**side["metrics"]["roc_auc"]) for name, side in sides.items()}
    order = sorted(measured, key=lambda name: -(measured[name].value or 0.0))
    drawn = figure((7.6, 0.3 * len(order) + 2.0), caption)
    axes = panels(drawn, 1, 1)[0, 0]
    for height, name in enumerate(order):
        _interval(axes, height, measured[name], BLUE, "o")
    mean = Estimate(**metrics["splits"]["test"]["metrics"]["mean_roc_auc"])
    _interval(axes, len(order) + 0.3, mean, RED, "D")
    rows = [f"{name}  ({sides[name]['positives']} of {sides[name]['images']})" for name in order]
    axes.set_yticks([*range(len(order)), len(order) + 0.3], [*rows, f"mean of {len(order)}"])
    axes.axvline(0.5, color=GREY, linestyle=":", linewidth=1.2, zorder=0)
    axes.annotate("chance", (0.5, 1), (3, 2), ("data", "axes fraction"), "offset points",
                  fontsize=7, color=GREY, va="bottom")  # fmt: skip
    axes.set(xlim=(-0.01, 1.01), ylim=(len(order) + 0.9, -0.7))
    axes.set_xlabel(f"ROC AUC on test images, {caption.percent} interval over patients")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    drawn.suptitle("Findings (positive of known)", x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, "areas")


def _interval(axes: Axes, height: float, found: Estimate, colour: str, mark: str) -> None:
    beside: dict[str, Any] = {"va": "center", "fontsize": 7.5, "clip_on": False}
    axes.text(1.03, height, str(found), **beside)
    if found.value is None:
        return
    if found.low is not None and found.high is not None:
        axes.plot([found.low, found.high], [height] * 2, color=colour, lw=1.6)
    axes.plot(found.value, height, marker=mark, color=colour, ms=5.5, clip_on=False)


@mpl.rc_context(STYLE)
def together(metrics: Mapping[str, Any], folder: Path, caption: Caption) -> list[Path]:
    """Draw how often the finding of a row comes with that of a column: in truth, and as called.

    Args:
        metrics: as `several.summarise` gives them.
        folder: where `together.png` and `.svg` go.
        caption: of all images; the calls are of the test side alone, and the figure says so.
    """
    names = list(metrics["findings"])
    size = 0.62 * len(names) + 2.2
    words = (
        "Images with the row's finding that also have the column's, and their share of those of "
        "which that is known; darker is more. On the diagonal, in grey, all with the finding; - is "
        "nothing to tell."
    )
    down, across = (1, 2) if len(names) <= _BESIDE else (2, 1)
    drawn = figure((across * size, down * size + 0.7), f"{words} {caption}")
    first, second = panels(drawn, down, across).ravel()
    test = metrics["splits"]["test"]["images"]
    _matrix(first, names, metrics["together"]["true"], "True labels of all images")
    called, title = metrics["together"]["called_on_test"], f"Calls on the {test:,} test images"
    _matrix(second, names, called, title)
    drawn.suptitle("Findings that come together", x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, "together")


def _matrix(axes: Axes, names: list[str], found: Mapping[str, Any], title: str) -> None:
    counts, of = np.array(found["counts"]), np.array(found["of"])
    shares = np.divide(counts, of, out=np.zeros(of.shape), where=of > 0)
    own = np.eye(len(names), dtype=bool)
    axes.imshow(np.where(own, np.nan, shares), cmap=_SHARES, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(counts.shape):
        number, share = int(counts[row, column]), float(shares[row, column])
        known = of[:, column].any() if row == column else of[row, column] > 0
        _cell(axes, (row, column), number, share, bool(known))
    places = range(len(names))
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.set_title(title, fontsize=9)
    axes.tick_params(length=0, labelsize=8)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _cell(axes: Axes, place: tuple[int, int], count: int, share: float, known: bool) -> None:
    row, column = place
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7}
    if row == column:
        box = mpl.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, color="#E4E6E8", lw=0)
        axes.add_patch(box)
        axes.text(column, row, f"{count:,}" if known else "-", weight="bold", **middle)
        return
    said = f"{count:,}\n{100 * share:.0f} %" if known else "-"
    axes.text(column, row, said, color="white" if share > 0.75 else "#303134", **middle)
