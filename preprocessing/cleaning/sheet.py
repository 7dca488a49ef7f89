"""The proposed images as a picture, by check."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from ..registry import Dataset

if TYPE_CHECKING:
    from .checks import Proposal
    from .proposals import Cleaning

ACROSS = 8  # images side by side
MOST = 24  # images of a check
LETTERS = 24  # of an id that fit over an image


def draw(found: "Cleaning", path: Path, most: int = MOST) -> Path:
    """Draw the proposed images of each check, evenly picked, with id, class and value.

    Args:
        found: with at least one proposal; their images are read again.
        path: the PNG to write.
        most: images of each check, 8 in a row.

    Returns:
        `path`.
    """
    from matplotlib.figure import Figure

    names = [name for name in found.checked if found.of(name)]
    chosen = {name: _picked(found.of(name), most) for name in names}
    lines = [-(-len(chosen[name]) // ACROSS) for name in names]
    height = 1.9 * sum(lines) + 0.45 * len(names) + 0.6
    figure = Figure(figsize=(13, height), dpi=110, layout="constrained")
    ratios = [count + 0.25 for count in lines]
    blocks = figure.subfigures(len(names), 1, height_ratios=ratios, squeeze=False)
    for name, block, count in zip(names, blocks[:, 0], lines, strict=True):
        block.suptitle(_title(found, name, len(chosen[name])), fontsize=11, fontweight="bold")
        for axes in block.subplots(count, ACROSS, squeeze=False).flat:
            axes.set_axis_off()
        for axes, one in zip(block.axes, chosen[name], strict=False):
            _show(axes, found.dataset, one)
    figure.supxlabel(f"Source: {found.dataset.source}. Proposals only.", fontsize=9)
    figure.savefig(path, format="png")
    return path


def _picked(proposals: tuple["Proposal", ...], most: int) -> list["Proposal"]:
    places = np.linspace(0, len(proposals) - 1, min(most, len(proposals)))
    return [proposals[int(place)] for place in places]


def _title(found: "Cleaning", check: str, shown: int) -> str:
    count = len(found.of(check))
    some = f", {shown} of them shown" if shown < count else ""
    return f"{check.replace('_', ' ')}: {count} of {len(found.dataset.table):,}{some}"


def _show(axes: Any, dataset: Dataset, one: "Proposal") -> None:
    known = dataset.table.iloc[one.row]
    name = str(known["id"])
    name = name if len(name) <= LETTERS else "..." + name[-LETTERS:]
    value = "" if np.isnan(one.value) else f": {one.value:.3g}"
    axes.set_title(f"{name}\n{dataset.classes[known['label']]}{value}", fontsize=7, pad=2)
    try:
        axes.imshow(dataset.read(one.row), cmap="gray", vmin=0, vmax=1)
    except (DataError, OSError):
        axes.text(0.5, 0.5, "cannot be read", ha="center", fontsize=8, transform=axes.transAxes)
