"""What all figures share: colours, the line under each, and how they are written.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart, and nothing is
said by colour alone. SVG text is drawn as paths, so it looks the same where our font is missing.
The same numbers give the same bytes.
"""

import io
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

BLUE, RED, GREY = "#0072B2", "#D55E00", "#5F6368"
# for many lines: seven colours, eight marks and four dashes, so that no two of them come alike
COLOURS = (BLUE, RED, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "osD^vPX*"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
STYLE: Any = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, hence is everywhere
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#E4E6E8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.8,
    "savefig.dpi": 160,
    "svg.fonttype": "path",
    "svg.hashsalt": "radzoo",
    "text.parse_math": False,  # a dataset may have a $ in its name
}
_LETTERS_PER_INCH = 15  # of the smallest font


@dataclass(frozen=True)
class Caption:
    """What stands under every figure, so that none can be shown without its context.

    Args:
        dataset: its name.
        split: "test", or "train and validation".
        images: how many images of that split.
        patients: how many patients, or None where they are unknown.
        synthetic: whether the images were made by a program.
        confidence: of the intervals and bands, in (0, 1).
    """

    dataset: str
    split: str
    images: int
    patients: int | None = None
    synthetic: bool = False
    confidence: float = 0.95

    def __str__(self) -> str:
        made = " (SYNTHETIC images)" if self.synthetic else ""
        people = "patients unknown" if self.patients is None else f"{self.patients:,} patients"
        return (
            f"{self.dataset}{made} \N{MIDDLE DOT} {self.split} \N{MIDDLE DOT} "
            f"{self.images:,} images, {people} \N{MIDDLE DOT} Research use only"
        )

    @property
    def percent(self) -> str:
        """The confidence as a figure writes it: "95 %"."""
        return f"{100 * self.confidence:g} %"


def figure(size_inch: tuple[float, float], caption: Caption | str) -> Figure:
    """An empty figure with its caption at the foot; belongs to no global state."""
    drawn = Figure(figsize=size_inch, layout="constrained", facecolor="white")
    text = textwrap.fill(str(caption), int(size_inch[0] * _LETTERS_PER_INCH))
    drawn.supxlabel(text, x=0.01, ha="left", fontsize=7, color=GREY)
    return drawn


def panels(drawn: Figure, rows: int, columns: int) -> NDArray[Any]:
    """The axes of a figure, (rows, columns)."""
    return np.asarray(drawn.subplots(rows, columns, squeeze=False))


def save(drawn: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG; a reader finds the old file or the new one, never half."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, stamp in (("png", {"Software": None}), ("svg", {"Date": None})):
        page = io.BytesIO()
        drawn.savefig(page, format=kind, metadata=stamp)
        drawn.set_layout_engine("none")  # it is laid out by now, and again takes as long as drawing
        draft, path = folder / f".{name}.{kind}.{os.getpid()}", folder / f"{name}.{kind}"
        draft.write_bytes(page.getvalue())
        os.replace(draft, path)
        written.append(path)
    return written
