"""Learning curves of configurations side by side, with the gap between training and validation."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from .canvas import BLUE, GREY, RED, STYLE, figure
from .compare import Comparison, Row
from .comparison_canvas import caption, drawn, keep, wrapped

_SHOWN = {"accuracy": "Accuracy", "loss": "Loss"}
_BESIDE = 4  # configurations in one line


@mpl.rc_context(STYLE)
def learning_curves(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw accuracy and loss by epoch: means over seeds, each seed thinly, the gap shaded."""
    rows, words = drawn(comparison)
    data = pd.concat([_history(row) for row in rows])
    shown = [name for name in _SHOWN if {name, f"val_{name}"} <= set(data)]
    if not shown:
        return []
    across = min(len(rows), _BESIDE)
    down = len(shown) * -(-len(rows) // across)
    size = max(6.6, 2.7 * across + 0.7), 2.2 * down + 0.7
    page = figure(size, caption(comparison, "train", "validation"))
    grid = page.subplots(down, across, squeeze=False)
    for place, row in enumerate(rows):
        block, column = divmod(place, across)
        own = data[data["configuration"] == row.name]
        for line, name in enumerate(shown):
            axes = grid[block * len(shown) + line, column]
            _panel(axes, own, name)
            axes.set(ylabel=_SHOWN[name] if column == 0 else "")
            axes.set_xlabel("Epoch" if line == len(shown) - 1 else "")
            if line == 0:
                axes.set_title(wrapped(row.name, 32), fontsize=8)
    for place in range(len(rows), across * -(-len(rows) // across)):
        for line in range(len(shown)):
            grid[place // across * len(shown) + line, place % across].set_axis_off()
    _share(grid, len(shown))
    page.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    page.suptitle(f"Learning curves{words}", x=0.01, ha="left", fontsize=10, weight="bold")
    return keep(page, data, comparison, folder, "learning_curves")


def _history(row: Row) -> pd.DataFrame:
    """Of all seeds; each phase of transfer learning may count from 1, so epochs are counted on."""
    seeds = []
    for run in row.candidate.runs:
        history = run.history
        counted = history.assign(configuration=row.name, seed=run.seed)
        seeds.append(counted.assign(epoch=range(1, len(history) + 1)))
    return pd.concat(seeds)


def _panel(axes: Axes, data: pd.DataFrame, name: str) -> None:
    mean = data.groupby("epoch")[[name, f"val_{name}"]].mean()
    lines: tuple[tuple[str, str, str, Any], ...] = (
        (name, "train", BLUE, "-"),
        (f"val_{name}", "validation", RED, (0, (4, 1.5))),
    )
    axes.fill_between(mean.index, mean[name], mean[f"val_{name}"], color=GREY, alpha=0.15, lw=0)
    for column, label, colour, dash in lines:
        if data["seed"].nunique() > 1:
            for _, seed in data.groupby("seed"):
                axes.plot(seed["epoch"], seed[column], color=colour, lw=0.6, alpha=0.4)
        axes.plot(mean.index, mean[column], color=colour, ls=dash, lw=1.5, label=label)
    axes.fill_between(
        [], [], [], color=GREY, alpha=0.15, lw=0, label="gap: overfitting (number: last epoch)"
    )
    last = data.groupby("seed").last()
    gap = float((last[name] - last[f"val_{name}"]).mean()) * (-1 if name == "loss" else 1)
    height = 0.96 if name == "loss" else 0.04
    axes.annotate(
        f"gap {gap:+.3f}", (0.97, height), xycoords="axes fraction", fontsize=8,
        ha="right", va="top" if name == "loss" else "bottom",
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))


def _share(grid: Any, kinds: int) -> None:
    """One scale for all panels of a metric; a loss that falls far is drawn by powers of ten."""
    for kind in range(kinds):
        panels = [axes for line in grid[kind::kinds] for axes in line if axes.has_data()]
        lines = [line.get_ydata() for axes in panels for line in axes.get_lines()]
        low = min(float(min(values)) for values in lines)
        high = max(float(max(values)) for values in lines)
        for axes in panels:
            if low > 0 and high / low > 10:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter("{x:g}")
                axes.yaxis.set_minor_formatter(NullFormatter())
                axes.set_ylim(low / 1.2, high * 1.2)
            else:
                margin = 0.04 * (high - low or 1)
                axes.set_ylim(low - margin, high + margin)
