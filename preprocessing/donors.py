"""Images that other arrays made by the same steps hold already.

Another choice of rows or of labels is another array, but no image is decoded twice for it.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .decoding import Layout

ROWS = ".rows"  # beside an array: the digest of each of its images, a line each


class Donors:
    """The arrays beside one that is to be made; use it in a `with`.

    Args:
        path: of the array to be made, `CONTENT-STEPS.npy`.
        layout: of it.
        wanted: digests of images.
    """

    def __init__(self, path: Path, layout: Layout, wanted: Iterable[str]) -> None:
        self._places: dict[str, tuple[int, int]] = {}  # digest: open file, offset
        self._files: list[int] = []
        self._size = layout.row_bytes
        missing = set(wanted)
        steps = path.stem.rpartition("-")[2]
        for rows in sorted(path.parent.glob(f"*-{steps}{ROWS}")) if missing else []:
            self._add(rows, layout, missing)
            missing -= self._places.keys()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            os.close(file)

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def get(self, digest: str) -> bytes:
        """An image as it is stored."""
        file, offset = self._places[digest]
        return os.pread(file, self._size, offset)

    def _add(self, rows: Path, layout: Layout, missing: set[str]) -> None:
        try:
            held = rows.read_text().split()
            array = rows.with_suffix(".npy")
            theirs = Layout((len(held), *layout.shape[1:]), layout.dtype, layout.white)
            whole = rows.with_suffix(".json").exists() and array.stat().st_size == theirs.size
            file = os.open(array, os.O_RDONLY)
        except OSError:  # it is being removed
            return
        self._files.append(file)
        header = theirs.header
        if not whole or os.pread(file, len(header), 0) != header:
            return
        for row, digest in enumerate(held):
            if digest in missing:
                self._places[digest] = file, len(header) + row * self._size


def note_rows(path: Path, digests: Sequence[str]) -> None:
    """Write down which images the array of this path holds."""
    made = path.with_suffix(ROWS + "-partial")
    made.write_text("\n".join(digests) + "\n")
    made.replace(path.with_suffix(ROWS))
