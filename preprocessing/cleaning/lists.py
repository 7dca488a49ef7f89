"""The list of what is to be left out, as a file: written for people, read before a run."""

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from .. import digests, paths
from ..registry import Dataset

if TYPE_CHECKING:
    from .proposals import Cleaning

COLUMNS = ("id", "patient", "label", "check", "value", "limit", "reason")
NAMED = 3


def write(found: "Cleaning", path: Path) -> Path:
    """Write a row a proposal: id, patient, label, check, value, limit, reason.

    Returns:
        `path`.
    """
    table = found.dataset.table
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in found.proposals:
            known = table.iloc[one.row]
            patient = known["patient"] if known.notna()["patient"] else ""
            figures = ["" if math.isnan(x) else f"{x:.4g}" for x in (one.value, one.limit)]
            label = found.dataset.classes[known["label"]]
            writer.writerow([known["id"], patient, label, one.check, *figures, one.reason])
    return path


def leave_out(dataset: Dataset, path: str) -> Dataset:
    """A dataset without the images that a list names.

    Args:
        dataset: all images.
        path: a CSV with a column `id`, looked up in the current folder and then in
            RADZOO_DATA. Other columns, and an id that is there twice, mean nothing.

    Returns:
        The others in their order, with a note of how many were left out, and another `content`.

    Raises:
        DataError: there is no such file or column, an id is not the dataset's, or a class is
            left empty.
    """
    file = paths.find(path)
    named = _ids(file)
    ids = dataset.table["id"].astype(str)
    strange = sorted(named - set(ids))
    if strange:
        raise DataError(
            f"{len(strange)} of the {len(named)} ids in {file.name} are not in "
            f"{dataset.name!r}: {', '.join(strange[:NAMED])}. Is it the list of another dataset?"
        )
    kept = np.flatnonzero(~ids.isin(named).to_numpy())
    note = f"{len(named):,} of {len(ids):,} images were left out, as {file.name} lists them."
    return replace(
        dataset,
        table=dataset.table.iloc[kept].reset_index(drop=True),
        read=partial(_at, dataset.read, kept),
        masks=partial(_at, dataset.masks, kept) if dataset.masks else None,
        content=digests.combined(dataset.content, sorted(named)),
        notes=(*dataset.notes, note),
        image_digests=tuple(dataset.image_digests[row] for row in kept if dataset.image_digests),
    )


def _at(function: Callable[[int], Any], kept: np.ndarray, row: int) -> Any:
    return function(int(kept[row]))


def _ids(file: Path) -> set[str]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = csv.DictReader(opened)
            if "id" not in (rows.fieldnames or ()):
                raise DataError(
                    f"{file} has no column 'id'; expected a list as `data clean` writes it."
                )
            return {row["id"] for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as a CSV: {error}") from error
