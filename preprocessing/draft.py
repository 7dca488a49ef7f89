"""An array in the making, which an interruption does not undo.

Beside the file stands a journal: after each block of images, how many are done and the SHA-256
of the file up to there. Whoever comes back checks these, and goes on after the last that fits.
"""

import errno
import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import DataError
from .decoding import Fault, Layout, write

BLOCK = 32  # images between two lines of the journal

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Draft:
    """A file of a layout, with its journal; use it in a `with`.

    What ends early is kept if it is worth coming back to: not after an image that cannot be
    read, for then the data must change, and not with less than a block.

    Attributes:
        path: of the file, `.partial`; the journal is called `.journal`.
        layout: of the file.
        done: how many images are in it, from the first on.
        faults: which of these could not be read.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout, self.done = path, layout, 0
        self.faults: list[Fault] = []
        self._file = os.open(path, os.O_RDWR)
        self._journal = path.with_suffix(".journal").open("a")
        self._digest = hashlib.sha256(layout.header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        self._journal.close()
        if error is None or isinstance(error, DataError) or self.done < BLOCK:
            remove(self.path)

    def row(self, row: int) -> bytes:
        """An image as it is stored."""
        size = self.layout.row_bytes
        return os.pread(self._file, size, len(self.layout.header) + row * size)

    def put(self, row: int, data: bytes) -> None:
        """Put an image, as it is stored, into its place."""
        write(self._file, data, len(self.layout.header) + row * self.layout.row_bytes)

    def record(self, stop: int, faults: Iterable[Fault]) -> None:
        """Write down that the images up to `stop` are in the file, but for some."""
        self._hash(stop)
        new = list(faults)
        line = {"done": stop, "sha256": self._digest.hexdigest(), "faults": new}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()
        self.done, self.faults = stop, self.faults + new

    def sha256(self) -> str:
        """Of the whole file, now that all is in it and the disk has it."""
        os.fsync(self._file)
        return self._digest.hexdigest()

    def _hash(self, stop: int) -> None:
        for row in range(self.done, stop):
            self._digest.update(self.row(row))

    def _replay(self, lines: list[str], strict: bool) -> list[str]:
        """Take up what the journal says as far as the file agrees; the lines that hold."""
        for number, line in enumerate(lines):
            try:
                said = json.loads(line)
                stop, sha256 = said["done"], said["sha256"]
                faults = [Fault(row, why, tuple(shape)) for row, why, shape in said["faults"]]
            except (ValueError, KeyError, TypeError):  # a crash cut it off
                return lines[:number]
            sure = self._digest.copy()
            self._hash(stop)
            if self._digest.hexdigest() != sha256 or (strict and faults):
                self._digest = sure
                return lines[:number]
            self.done, self.faults = stop, self.faults + faults
        return lines


def begin(path: Path, layout: Layout) -> Draft:
    """Start a file, with room for all of it, so that a full disk is met now and not in an hour.

    Raises:
        OSError: it cannot be written; nothing is left.
    """
    try:
        with path.open("wb") as file:
            file.write(layout.header)
            file.flush()
            _reserve(file.fileno(), layout.size)
        path.with_suffix(".journal").write_text(json.dumps(asdict(layout)) + "\n")
        return Draft(path, layout)
    except OSError:
        remove(path)
        raise


def resume(path: Path, total: int, dtype: str, white: int, strict: bool) -> Draft | None:
    """Go on with a file that was left, or None if there is none that fits.

    Args:
        path: as of `begin`.
        total: how many images it must be for.
        dtype: as the layout's.
        white: as the layout's.
        strict: whether to go back to before the first image that could not be read.
    """
    journal = path.with_suffix(".journal")
    try:
        first, *lines = journal.read_text().splitlines()
        said = json.loads(first)
        layout = Layout(tuple(said["shape"]), said["dtype"], said["white"])
        wanted = layout.shape[0], layout.dtype, layout.white, path.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if wanted != (total, dtype, white, layout.size):
        return None
    draft = Draft(path, layout)
    kept = draft._replay(lines, strict)
    os.truncate(journal, len("".join(line + "\n" for line in [first, *kept]).encode()))
    return draft


def remove(path: Path) -> None:
    """Remove a draft's file and its journal."""
    for file in path, path.with_suffix(".journal"):
        file.unlink(missing_ok=True)


def _reserve(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:  # not every file system can
            if error.errno in _FULL:
                raise
    with suppress(OSError):
        os.ftruncate(file, size)
