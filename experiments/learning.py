"""Learning curves: what training gained epoch by epoch, and which epoch was kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, panels, save

_PANELS = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "roc_auc": "ROC AUC",
    "sensitivity": "Sensitivity (recall)",
}


@mpl.rc_context(STYLE)
def learning_curves(
    history: pd.DataFrame | Mapping[str, Any],
    folder: Path,
    caption: Caption,
    monitor: str = "val_loss",
) -> list[Path]:
    """Draw loss and metrics by epoch, and mark the best epoch.

    Args:
        history: one row an epoch: `loss`, `val_loss` and, where known, `accuracy`, `roc_auc`,
            `sensitivity`, each also with `val_`, `epoch` (from 1) and `phase` (a name).
        folder: where `learning_curves.png` and `.svg` go.
        caption: of the images trained and validated on.
        monitor: the column that decides which epoch is best; the least loss, else the most.

    Returns:
        The paths of the PNG and of the SVG, as all functions here do.

    Raises:
        ValueError: the history has neither loss nor any of the metrics.
    """
    table = pd.DataFrame(history)
    epochs = _epochs(table)
    names = [name for name in _PANELS if {name, f"val_{name}"} & set(table)]
    if not names or table.empty:
        raise ValueError(f"Nothing to draw by epoch in the columns {', '.join(map(str, table))}.")
    drawn = figure((3.6 * len(names) + 0.4, 3.6), caption)
    best = _best_epoch(table, epochs, monitor)
    for panel, name in zip(panels(drawn, 1, len(names))[0], names, strict=True):
        _learning_panel(panel, table, epochs, name)
        _mark_phases(panel, table, epochs)
        if best is not None:
            panel.axvline(best, color=GREY, linestyle="--", linewidth=1)
            said = monitor.replace("val_", "validation ").replace("roc_auc", "ROC AUC")
            panel.set_xlabel(f"Epoch (dashed: {best:g}, best {said})")
        panel.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none")
    drawn.suptitle("Learning curves", x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, "learning_curves")


def _epochs(table: pd.DataFrame) -> NDArray[np.float64]:
    counted = np.arange(1.0, len(table) + 1)
    if "epoch" not in table or not table["epoch"].is_monotonic_increasing:
        return counted  # each phase of transfer learning may count from 1
    return table["epoch"].to_numpy(dtype=float)


def _best_epoch(table: pd.DataFrame, epochs: NDArray[np.float64], monitor: str) -> float | None:
    if monitor not in table or table[monitor].isna().all():
        return None
    values = table[monitor].to_numpy(dtype=float)
    best = np.nanargmin(values) if monitor.endswith("loss") else np.nanargmax(values)
    return float(epochs[best])


def _learning_panel(
    panel: Axes, table: pd.DataFrame, epochs: NDArray[np.float64], name: str
) -> None:
    mark = {"markersize": 3.5} if len(table) <= 40 else {"marker": ""}
    lines = ((name, "train", BLUE, "-", "o"), (f"val_{name}", "validation", RED, "--", "s"))
    for column, label, colour, line, marker in lines:
        if column in table:
            style: dict[str, Any] = {"marker": marker, **mark}
            values = table[column].to_numpy(dtype=float)
            panel.plot(epochs, values, color=colour, linestyle=line, label=label, **style)
    panel.set(xlabel="Epoch", ylabel=_PANELS[name])
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    if name == "loss":
        panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]))


def _mark_phases(panel: Axes, table: pd.DataFrame, epochs: NDArray[np.float64]) -> None:
    if "phase" not in table or table["phase"].nunique() < 2:
        return
    numbered = pd.api.types.is_numeric_dtype(table["phase"])
    phases = (("phase " if numbered else "") + table["phase"].astype(str)).to_numpy()
    starts = [0, *(np.flatnonzero(phases[1:] != phases[:-1]) + 1)]
    for start in starts:
        if start:
            panel.axvline(epochs[start] - 0.5, color=GREY, linestyle=":", linewidth=1)
        where = (epochs[start] - 0.4, 1.0)
        panel.annotate(
            phases[start], where, (2, 2), ("data", "axes fraction"), "offset points",
            fontsize=7, color=GREY, va="bottom",
        )  # fmt: skip
