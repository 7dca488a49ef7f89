"""Lesions from a CSV of boxes, any number of them an image."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from . import csv_files, digests, paths

COLUMNS = ("image", "x", "y", "width", "height")


@dataclass(frozen=True)
class Boxes:
    """Boxes of some images, in pixels of the images as they are on disk.

    Attributes:
        of: name of an image -> (k, 4), x and y of the upper left corner, width and height.
        content: SHA-256 of the file.
    """

    of: Mapping[str, np.ndarray]
    content: str

    def masks(
        self, names: Sequence[str], read: Callable[[int], np.ndarray]
    ) -> Callable[[int], np.ndarray | None]:
        """What gives the mask of a row: bool (rows, columns), or None without a box.

        Args:
            names: of the images by row.
            read: gives the image of a row.
        """

        def mask(row: int) -> np.ndarray | None:
            if names[row] not in self.of:
                return None
            marked = np.zeros(read(row).shape[:2], bool)
            for x, y, width, height in self.of[names[row]]:
                marked[round(y) : round(y + height), round(x) : round(x + width)] = True
            return marked

        return mask


def read(
    where: Mapping[str, str], names: Sequence[str], only: Mapping[str, str] | None = None
) -> Boxes:
    """Read the boxes of named images.

    Args:
        where: `path` of the CSV (looked up as a dataset's), and the CSV's names of `COLUMNS`
            where they differ.
        names: of the images, as the column `image` names them.
        only: columns of the CSV and the value that each must have in a row, else it is no box.

    Raises:
        DataError: the file cannot be read, has not those columns, a box is no box, or none is of
            a named image.
    """
    import pandas as pd

    strange = sorted(set(where) - {"path", *COLUMNS})
    if "path" not in where or strange:
        raise DataError(
            f"boxes needs `path`, and takes {', '.join(COLUMNS)} for columns of other names"
            + (f"; it has {', '.join(strange)}." if strange else ".")
        )
    file = paths.find(where["path"])
    rows = csv_files.read(file)
    columns = [where.get(name, name) for name in COLUMNS]
    missing = [name for name in columns if name not in rows]
    if missing:
        raise DataError(
            f"{file}: line 1 has no column {missing[0]!r}. It has: {', '.join(rows.columns)}. Name "
            "it in `boxes`."
        )
    for column, value in (only or {}).items():
        rows = rows[rows[column] == value]
    numbers = rows[columns[1:]].apply(pd.to_numeric, errors="coerce")
    wrong = ~(numbers.ge(0).all(axis=1) & numbers[columns[3:]].gt(0).all(axis=1))
    if wrong.any():
        line = int(rows.index[wrong][0]) + 2
        raise DataError(f"{file}: line {line} is no box; x, y, width and height are in pixels.")
    groups = numbers.groupby(rows[columns[0]].to_numpy())
    known = set(names)
    kept = {str(name): group.to_numpy(float) for name, group in groups if name in known}
    if not kept:
        raise DataError(
            f"{file}: no box is of a listed image. Its column {columns[0]!r} must name images as "
            "the list does."
        )
    return Boxes(kept, digests.of_files([file])[0].sha256)
