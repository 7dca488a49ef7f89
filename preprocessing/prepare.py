"""Before the first run: are the files what they should be, can all be read, and their array.

A run does the same by itself, but stops at the first image that it cannot read.
"""

import csv
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import store
from .pipeline import Pipeline
from .registry import Check, Dataset, DatasetEntry
from .store import Progress, Store

COLUMNS = ("id", "reason")  # of the list of what cannot be read


@dataclass(frozen=True)
class Prepared:
    """What became of a dataset.

    Attributes:
        store: the array of the images that can be read, under the name by which a run with the
            same steps finds it; None if there is none.
        unreadable: why, by id, for each image that cannot be read.
        done: images that this call decoded or copied; others were in the array before.
        seconds: that this took.
    """

    store: Store | None
    unreadable: Mapping[str, str]
    done: int
    seconds: float


def checked(entry: DatasetEntry, options: Mapping[str, Any]) -> list[Check]:
    """What is known of a dataset's files, and what was found; empty if nothing is known.

    Args:
        entry: of the registry.
        options: of the dataset, with defaults.

    Raises:
        DataError: the files cannot be read.
    """
    return list(entry.checks(**options)) if entry.checks else []


def differing(checks: Iterable[Check]) -> list[Check]:
    """Those whose files are not as expected."""
    return [check for check in checks if check.expected != check.found]


def pipeline(size_px: int) -> Pipeline:
    """The steps of `preprocessing: [{name: resize, rows: N, columns: N}]` in a spec."""
    return Pipeline([("resize", {"rows": size_px, "columns": size_px})])


def prepared(
    dataset: Dataset,
    steps: Pipeline,
    cache: Path,
    progress: Progress,
    processes: int | None = None,
) -> Prepared:
    """Decode every image and keep the array; go on after images that cannot be read.

    Args:
        dataset: whose images are read.
        steps: what is done to each.
        cache: the folder of arrays.
        progress: called with (images done, images in all).
        processes: that decode, as for `store.build`.

    Raises:
        RunError: the folder cannot be written, or the disk is full.
    """
    done = before = 0

    def tell(images: int, of: int) -> None:
        nonlocal done, before
        done += images == before + 1  # those that were there before are told in one step
        before = images
        progress(images, of)

    began = time.monotonic()
    kept, faults = store.build_readable(dataset, steps, cache, tell, processes)
    ids = dataset.table["id"].astype(str)
    unreadable = {ids.iloc[row]: why for row, why in sorted(faults.items())}
    return Prepared(kept, unreadable, done, time.monotonic() - began)


def write(unreadable: Mapping[str, str], path: Path) -> Path:
    """Write a row an image, id and reason; `dataset.leave_out` of a spec takes such a list.

    Returns:
        `path`.

    Raises:
        RunError: it cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            rows.writerows(unreadable.items())
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror or error}. Choose another --unreadable."
        ) from error
    return path
