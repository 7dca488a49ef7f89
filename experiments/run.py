"""The run directory: a folder of files, each written whole, held by one process at a time."""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import RadZooError, RunError, RunHeld

LEASE = ".lease"


@contextmanager
def lease(folder: Path, name: str, held: RunHeld) -> Iterator[None]:
    """Make a folder and keep other processes out of it; free again when this one ends, or dies.

    Args:
        name: of the file in it that is locked.
        held: what to raise where another process has the lock.

    Raises:
        RunError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file: IO = stack.enter_context(open(folder / name, "w"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise held from None
        except OSError as error:
            raise unwritable(folder, error) from error
        yield


def unwritable(path: Path, error: OSError) -> RunError:
    """What the system said, and the way out."""
    return RunError(
        f"{error.filename or path} cannot be written: {error.strerror or error}. "
        "Choose another folder with --out, or free some space."
    )


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows under the keys of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class RunDirectory:
    """One run's folder; `hold` it before writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def is_finished(self) -> bool:
        """Whether the run went to its end: `metrics.json` is written last."""
        return (self / "metrics.json").exists()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Make the folder and keep other processes out of it.

        Raises:
            RunHeld: another process holds it.
            RunError: it cannot be written, now or later.
        """
        held = RunHeld(
            f"{self.path} is being worked on by another process. Wait for it, or stop it."
        )
        with lease(self.path, LEASE, held):
            try:
                self._sweep()
                yield
            except (RadZooError, BrokenPipeError):  # the pipe is a reader's of our output
                raise
            except OSError as error:
                raise unwritable(self.path, error) from error

    def _sweep(self) -> None:
        """Remove the drafts of a process that was killed: their names begin with a point."""
        for draft in [*self.path.glob(".*"), *self.path.glob("plots/.*")]:
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            elif draft.name != LEASE:
                draft.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove a folder in which no work was done."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):  # another run of the same spec stands beside it
            self.path.parent.rmdir()

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file whole: a reader finds the old one or the new one.

        Raises:
            RunError: the disk is full, or cannot be written.
        """
        data = content.encode() if isinstance(content, str) else content
        draft = self / f".{name}.{os.getpid()}"
        try:
            with open(draft, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self / name)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise RunError(f"{self / name} cannot be written: {error.strerror}.") from error

    def adopt(self, draft: Path, name: str) -> None:
        """Take in a whole file that a worker wrote elsewhere on the same disk."""
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, self / name)

    def write_json(self, name: str, content: Any) -> None:
        """Write JSON that any reader takes: no NaN."""
        self.write(name, json.dumps(content, indent=1, allow_nan=False) + "\n")

    def write_csv(self, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
        """Write rows under the keys of the first, and return the SHA-256 of the file."""
        content = as_csv(rows)
        self.write(name, content)
        return hashlib.sha256(content).hexdigest()

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run.

        Raises:
            RunError: it is not there or damaged.
        """
        try:
            return json.loads((self / name).read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{self / name} cannot be read: {error}.") from error
