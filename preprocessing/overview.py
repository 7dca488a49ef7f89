"""What a dataset holds, as counts and as a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from .registry import Dataset

if TYPE_CHECKING:
    import pandas as pd

ACROSS = 8  # images side by side
BOX_COLOUR = "#ffb000"  # told apart from grey by every kind of colour vision


@dataclass(frozen=True)
class Counts:
    """How many images and patients, and how they are spread.

    Attributes:
        images: all of them.
        patients: how many different ones; None if no image has a known patient.
        images_by: images by value, for `label` (as class names) and, where the dataset has
            them, `split`, `view`, `sex` and `site`; "unknown" where a value is missing.
        patients_by_label: patients by class name; empty if no patient is known.
    """

    images: int
    patients: int | None
    images_by: dict[str, dict[str, int]]
    patients_by_label: dict[str, int]


def counts(dataset: Dataset) -> Counts:
    """Count images and patients; no image is read."""
    table = dataset.table
    by_label = table["label"].value_counts()
    images_by = {"label": {name: int(by_label[i]) for i, name in enumerate(dataset.classes)}}
    for column in ("split", "view", "sex", "site"):
        if column in table:
            values = table[column].fillna("unknown").value_counts()
            images_by[column] = {str(value): int(values[value]) for value in sorted(values.index)}
    known = bool(table["patient"].notna().any())
    people = table.groupby("label")["patient"].nunique()
    return Counts(
        images=len(table),
        patients=int(table["patient"].nunique()) if known else None,
        images_by=images_by,
        patients_by_label={n: int(people[i]) for i, n in enumerate(dataset.classes)}
        if known
        else {},
    )


def contact_sheet(dataset: Dataset, path: Path, per_class: int = 16) -> Path:
    """Draw images of each class, evenly picked from its rows, with patients and boxes.

    Args:
        dataset: whose images are read and shown as they are, without any step.
        path: the PNG to write.
        per_class: images of each class, 8 in a row.

    Returns:
        `path`.

    Raises:
        DataError: an image cannot be read, or `per_class` is below 1.
    """
    if per_class < 1:
        raise DataError(f"per_class must be at least 1; got {per_class}.")
    from matplotlib.figure import Figure

    chosen = [_chosen(dataset.table, label, per_class) for label in range(len(dataset.classes))]
    lines = [-(-len(rows) // ACROSS) for rows in chosen]
    figure = Figure(figsize=(12, 1.62 * sum(lines) + 0.9), dpi=110, layout="constrained")
    figure.suptitle(_title(dataset), fontsize=12, fontweight="bold")
    blocks = figure.subfigures(len(lines), 1, height_ratios=lines, squeeze=False)[:, 0]
    for label, (block, rows, count) in enumerate(zip(blocks, chosen, lines, strict=True)):
        block.supylabel(dataset.classes[label].replace("_", " "), fontsize=12)
        for axes in block.subplots(count, ACROSS, squeeze=False).flat:
            axes.set_axis_off()
        for axes, row in zip(block.axes, rows, strict=False):
            _show(axes, dataset, int(row))
    figure.supxlabel(_footer(dataset), fontsize=9)
    figure.savefig(path, format="png")
    return Path(path)


def _chosen(table: "pd.DataFrame", label: int, per_class: int) -> np.ndarray:
    rows = np.flatnonzero(table["label"] == label)
    places = np.linspace(0, len(rows) - 1, min(per_class, len(rows)))
    return rows[places.astype(int)]


def _title(dataset: Dataset) -> str:
    held = counts(dataset)
    people = "unknown patients" if held.patients is None else f"{held.patients:,} patients"
    synthetic = " (synthetic)" if dataset.synthetic else ""
    return f"{dataset.name}{synthetic}: {held.images:,} images of {people}"


def _footer(dataset: Dataset) -> str:
    outlined = "Orange: the box that the data set names. " if "box_x0" in dataset.table else ""
    return f"{outlined}Source: {dataset.source}. Research use only."


def _show(axes: Any, dataset: Dataset, row: int) -> None:
    from matplotlib.patches import Rectangle

    image = dataset.read(row)
    known = dataset.table.iloc[row]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, extent=(0, image.shape[1], image.shape[0], 0))
    patient = known["patient"] if known.notna()["patient"] else "patient unknown"
    axes.set_title(str(patient), fontsize=7, pad=2)
    if "box_x0" in known and known.notna()["box_x0"]:
        x, y = known["box_x0"], known["box_y0"]
        size = known["box_x1"] - x, known["box_y1"] - y
        axes.add_patch(Rectangle((x, y), *size, fill=False, edgecolor=BOX_COLOUR, linewidth=0.8))
