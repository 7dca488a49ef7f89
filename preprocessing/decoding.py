"""Images decoded into their places in a file, in this process or in several of its own kind.

A process gets what it needs once, then rows to decode, and answers with those it could not; it
ends when its stdin does, so none outlives whoever started it. Pickles go through pipes between
parent and child only.
"""

import io
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError, Failure, ProcessKilled
from .pipeline import Pipeline

Read = Callable[[int], np.ndarray]
Decode = Callable[[Sequence[int]], list["Fault"]]

_PROGRAM = "from radzoo.preprocessing import decoding; decoding.serve()"


@dataclass(frozen=True)
class Layout:
    """How an array lies in its .npy file.

    Attributes:
        shape: (images, rows, columns, channels).
        dtype: of a stored value, as NumPy writes it: "|u1", "<u2" or "<f4".
        white: the stored value of 1.
    """

    shape: tuple[int, int, int, int]
    dtype: str
    white: int

    @property
    def header(self) -> bytes:
        """What stands before the first image."""
        buffer = io.BytesIO()
        described = {"descr": self.dtype, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(buffer, described)
        return buffer.getvalue()

    @property
    def row_bytes(self) -> int:
        """Size of an image."""
        return int(np.prod(self.shape[1:])) * np.dtype(self.dtype).itemsize

    @property
    def size(self) -> int:
        """Size of the file."""
        return len(self.header) + self.shape[0] * self.row_bytes

    def stored(self, image: np.ndarray) -> bytes:
        """An image in [0, 1] as the file holds it."""
        values = image if self.white == 1 else np.rint(image * self.white)
        return values.astype(self.dtype).tobytes()


class Fault(NamedTuple):
    """An image that could not be put into the file."""

    row: int
    why: str
    shape: tuple[int, ...] = ()  # after the steps, if that is what is wrong


@dataclass(frozen=True)
class Job:
    """What is needed to decode any row.

    Attributes:
        read: row -> float32 (rows, columns) in [0, 1].
        pipeline: the steps.
        path: of a file of the layout's size.
        layout: of that file.
    """

    read: Read
    pipeline: Pipeline
    path: Path
    layout: Layout


def decode(job: Job, rows: Sequence[int]) -> list[Fault]:
    """Read rows and put them into the file; what cannot be read leaves its place as it is.

    Raises:
        OSError: the file cannot be written.
    """
    start, faults = len(job.layout.header), []
    with job.path.open("r+b") as file:
        for row in rows:
            try:
                image = with_channels(job.pipeline(job.read(row)))
            except (DataError, OSError) as error:
                faults.append(Fault(row, str(error)))
                continue
            if image.shape != job.layout.shape[1:]:
                why = f"it has {image.shape[0]} x {image.shape[1]} pixels after the steps"
                faults.append(Fault(row, why, image.shape))
                continue
            write(file.fileno(), job.layout.stored(image), start + row * job.layout.row_bytes)
    return faults


def with_channels(image: np.ndarray) -> np.ndarray:
    """An image as (rows, columns, channels)."""
    return image[..., np.newaxis] if image.ndim == 2 else image


def write(file: int, data: bytes, offset: int) -> None:
    """Write all of `data` at a place of an open file."""
    view = memoryview(data)
    while view:  # a disk that gets full takes a part
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def can_travel(job: Job) -> bool:
    """Whether another process can be given this job."""
    try:
        # what a script or a notebook defines itself, no other process can import
        return b"__main__" not in pickle.dumps(job)
    except (AttributeError, TypeError, pickle.PicklingError):
        return False


@contextmanager
def workers(job: Job, processes: int) -> Iterator[Decode]:
    """What decodes rows of a job; called by as many threads at once, each has a process.

    Args:
        job: see `can_travel`.
        processes: how many to start; 1 means this one.

    Raises:
        ProcessKilled: one ended in the middle of its work.
        Failure: reading raised what it should not have.
    """
    if processes == 1:
        yield partial(decode, job)
        return
    with ExitStack() as stack:
        idle: SimpleQueue[_Child] = SimpleQueue()
        told = pickle.dumps(job)
        for _ in range(processes):
            idle.put(stack.enter_context(_Child(told)))

        def decoded(rows: Sequence[int]) -> list[Fault]:
            child = idle.get()
            try:
                return child.ask(rows)
            finally:
                idle.put(child)

        yield decoded


class _Child:
    """Another process that decodes."""

    def __init__(self, job: bytes) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  it lasts as long as the process
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for us; it ends by its stdin
        )
        self._say(job)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None, "a pipe"
        assert self._process.stdout is not None, "a pipe"
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def ask(self, rows: Sequence[int]) -> list[Fault]:
        """Have rows decoded."""
        assert self._process.stdout is not None, "a pipe"
        self._say(pickle.dumps(rows))
        try:
            answer = pickle.load(self._process.stdout)  # noqa: S301  of our own child
        except (EOFError, pickle.UnpicklingError):
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise ProcessKilled(
                f"A process that decodes images ended with code {self._process.wait()}. "
                f"{' '.join(said)} Was there too little memory? What was decoded is kept; start "
                "again."
            ) from None
        if isinstance(answer, OSError):
            raise answer
        if isinstance(answer, str):
            raise Failure(f"Images {rows[0]} to {rows[-1]} could not be decoded:\n{answer}")
        return answer

    def _say(self, data: bytes) -> None:
        assert self._process.stdin is not None, "a pipe"
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:  # it died: `ask` finds no answer and tells why
            return


def serve() -> None:
    """Be such a process: read a job, then rows, from stdin; answer on stdout."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # decoders print to fd 1, also from C
    import cv2

    cv2.setNumThreads(1)  # there is a process for each core
    job = pickle.load(sys.stdin.buffer)  # noqa: S301  of our own parent
    while True:
        try:
            rows = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            return
        pickle.dump(_answer(job, rows), answers)
        answers.flush()


def _answer(job: Job, rows: Sequence[int]) -> Any:
    """Faults; or the OSError of a file that cannot be written; or the traceback of a bug."""
    try:
        return decode(job, rows)
    except OSError as error:
        return error
    except Exception:  # noqa: BLE001  the parent raises it
        return traceback.format_exc()
