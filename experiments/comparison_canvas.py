"""What the figures of a comparison share: which configurations, how they look, the data beside."""

import os
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from .canvas import COLOURS, DASHES, MARKS, Caption, save
from .compare import Comparison, Row
from .comparison_files import marked

MOST = 8  # lines in one figure; more cannot be told apart


class Look(NamedTuple):
    """Of one of many lines: never by colour alone."""

    color: str
    marker: str
    linestyle: Any


def look(number: int) -> Look:
    """Of line `number`, from 0."""
    marker, dash = MARKS[number % len(MARKS)], DASHES[number % len(DASHES)]
    return Look(COLOURS[number % len(COLOURS)], marker, dash)


def drawn(comparison: Comparison) -> tuple[tuple[Row, ...], str]:
    """The configurations that fit into one figure, and the words for a title if not all do."""
    rows = comparison.rows
    words = f" (the first {MOST} of {len(rows)})" if len(rows) > MOST else ""
    return rows[:MOST], words


def caption(comparison: Comparison, *sides: str) -> Caption:
    """Of the images of one or more sides."""
    metrics = comparison.first.metrics
    counts = [metrics["splits"][side] for side in sides]
    patients = sum(count["patients"] for count in counts)
    return Caption(
        dataset=metrics["dataset"],
        split=" and ".join(sides),
        images=sum(count["images"] for count in counts),
        patients=patients if comparison.patients_known else None,
        synthetic=comparison.synthetic,
        confidence=comparison.bootstrap.confidence,
    )


def wrapped(name: str, width: int = 34) -> str:
    """A name for a legend or an axis."""
    return textwrap.fill(name, width)


def keep(
    figure: Figure, data: pd.DataFrame, comparison: Comparison, folder: Path, name: str
) -> list[Path]:
    """Write a figure as PNG and SVG, and the data behind it as CSV."""
    paths = save(figure, folder, name)
    draft, path = folder / f".{name}.csv.{os.getpid()}", folder / f"{name}.csv"
    marked(data, comparison).to_csv(draft, index=False)
    os.replace(draft, path)
    return [*paths, path]
