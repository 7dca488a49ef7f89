"""A process of its own in which unknown files are decoded, with bounds on its memory and time.

Requests and replies are JSON lines on its stdin and stdout. It ends when its stdin closes, and is
replaced after a file that was too much for it.
"""

import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FilmRefused, WorkerFailed

MEMORY = 4 * 2**30  # bytes of address space
TIME_S = 20  # a file, of the clock and of the processor
START_S = 60  # until a new process is ready, on a busy machine
_FILE = 2**30  # bytes that it may write into one file
_PROGRAM = "from radzoo.webapp.decoder import main; main()"
_LONGEST = 2**20  # bytes of a reply; one takes some 700
_TAIL = 2000  # characters of what a process that died wrote to stderr


class Recipe(NamedTuple):
    """What a model sees of a film: the steps of its spec, and the shape that they must give."""

    steps: Sequence[Mapping[str, Any]]
    shape: tuple[int, int, int]


class Decoder:
    """Decodes files one after another; threads that share one wait for each other.

    The process is started with the first file.
    """

    def __init__(self) -> None:
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def decode(
        self, path: Path, out: Path, keep_identifiers: bool, recipes: Mapping[str, Recipe]
    ) -> dict[str, Any]:
        """Make a film of an uploaded file; of one that is refused nothing is left.

        Args:
            path: of the file.
            out: folder of the film, which appears when it is whole; an old one is replaced.
            keep_identifiers: whether a DICOM header is kept as it came.
            recipes: for each model, under a name of letters, digits and hyphens, what it sees:
                written as float32 `model-NAME.npy`.

        Returns:
            The facts, see `decoding.decode`.

        Raises:
            FilmRefused: why it is not taken; also `took_too_long`, `took_too_much`, `does_not_fit`.
            WorkerFailed: the process cannot be started, or has a fault of its own.
            OSError: `out` cannot be written.
        """
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=out.parent))
        try:
            request = {
                "path": str(path.resolve()),
                "out": str(part.resolve()),
                "keep_identifiers": keep_identifiers,
                "recipes": {name: recipe._asdict() for name, recipe in recipes.items()},
            }
            with self._lock:
                facts = self._ask(request)
            _publish(part, out)
            return facts
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def close(self) -> None:
        """End the process; it can be called twice."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask twice if the process is killed: a film is not blamed for what another used up."""
        with suppress(_Killed):
            return self._ask_once(request)
        try:
            return self._ask_once(request)
        except _Killed:  # the system was out of memory, both times
            raise FilmRefused("took_too_much") from None

    def _ask_once(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._child is None:
            self._child = _Child()
        try:
            reply = self._child.ask(request)
        except BaseException:  # it was killed, or Ctrl-C came in the midst of a reply
            self._child.end()
            self._child = None
            raise
        if "refused" in reply:
            raise FilmRefused(reply["refused"], **reply["values"])
        if "failed" in reply:
            raise WorkerFailed(reply["failed"])
        return reply["facts"]


class _Killed(Exception):
    """The process was killed by signal 9: by the system where memory is short, or by a person."""


class _Child:
    """The process, ready for requests."""

    def __init__(self) -> None:
        self._stderr: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        paths = os.pathsep.join(path for path in sys.path if path)
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, **one, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C is for the server, which ends us by our stdin
        )
        try:
            if self._line(START_S) is None:
                raise WorkerFailed(f"The decoder was not ready within {START_S} s.")
        except BaseException:
            self.end()
            raise

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises FilmRefused, WorkerFailed or _Killed if it dies; it is then of no more use."""
        assert self._process.stdin is not None, "a pipe, see `__init__`"
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._obituary() from None
        reply = self._line(TIME_S)
        if reply is None:
            raise FilmRefused("took_too_long", seconds=TIME_S)
        return json.loads(reply)

    def end(self) -> None:
        """Kill it: it holds nothing that would have to be kept."""
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def _line(self, seconds: float) -> bytes | None:
        """The next line of its stdout; None if none comes in time."""
        assert self._process.stdout is not None, "a pipe, see `__init__`"
        until, said = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                if not selector.select(max(until - time.monotonic(), 0)):
                    return None
                more = os.read(self._process.stdout.fileno(), 65_536)
                if not more:
                    raise self._obituary()
                said += more
                if len(said) > _LONGEST:  # no longer our program
                    raise FilmRefused("damaged")
        return said

    def _obituary(self) -> FilmRefused | WorkerFailed | _Killed:
        """Why it died: by its limits, by a fault of a decoder, or by one of ours."""
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return FilmRefused("took_too_long", seconds=TIME_S)
        if code == -signal.SIGKILL:
            return _Killed()
        if code < 0:
            return FilmRefused("damaged")
        self._stderr.seek(0)
        said = self._stderr.read()[-_TAIL:].strip()
        return WorkerFailed(f"The decoder ended with exit code {code} and said:\n{said}")


def main() -> None:
    """Be the process: decode what comes on stdin, until it closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # decoders print to fd 1, also from C
    _bound(resource.RLIMIT_CORE, 0)  # it would hold a patient's picture
    from ..experiments import prediction  # noqa: F401
    from . import decoding  # noqa: F401  so that their loading is not counted as a file's

    _bound(resource.RLIMIT_AS, MEMORY)
    _bound(resource.RLIMIT_FSIZE, _FILE)
    reply: dict[str, Any] = {"ready": True}
    print(json.dumps(reply), file=replies, flush=True)
    for line in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _bound(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + TIME_S + 1)
        reply = _answer(json.loads(line))
        print(json.dumps(reply), file=replies, flush=True)


def _bound(what: int, limit: int) -> None:
    """Set the soft limit, which is what counts; a stricter one of the system stays."""
    _, hard = resource.getrlimit(what)
    most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(what, (most, hard))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    import traceback

    try:
        return {"facts": _work(**request)}
    except FilmRefused as refused:
        return {"refused": refused.code, "values": refused.values}
    except MemoryError:
        return {"refused": "took_too_much", "values": {}}
    except Exception:  # noqa: BLE001  it goes on in the process that asked
        return {"failed": traceback.format_exc()}


def _work(
    path: str, out: str, keep_identifiers: bool, recipes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    from .decoding import decode

    facts, image = decode(Path(path), Path(out), keep_identifiers)
    for name, recipe in recipes.items():
        prepared = _prepared(image, Recipe(recipe["steps"], tuple(recipe["shape"])))
        np.save(Path(out) / f"model-{name}.npy", prepared, allow_pickle=False)
    for file in Path(out).iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    return facts


def _prepared(image: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    """An image as a model sees it: float32 (rows, columns, channels)."""
    from ..experiments.prediction import pipeline

    try:
        prepared = pipeline(recipe.steps)(image)
    except DataError as error:  # it has too few pixels for what is cut out of it
        raise _does_not_fit(image.shape, recipe) from error
    if prepared.ndim == 2:
        prepared = prepared[..., None]
    if prepared.shape != recipe.shape:
        raise _does_not_fit(image.shape, recipe)
    return prepared


def _does_not_fit(shape: tuple[int, ...], recipe: Recipe) -> FilmRefused:
    rows, columns = recipe.shape[:2]
    return FilmRefused(
        "does_not_fit",
        **{"columns": shape[1], "rows": shape[0]},
        **{"wanted_columns": columns, "wanted_rows": rows},
    )


def _publish(part: Path, out: Path) -> None:
    """Give a whole folder its name, in place of an old one."""
    aside = part.with_name(part.name + "-old")
    if out.exists():
        out.rename(aside)
    part.rename(out)
    shutil.rmtree(aside, ignore_errors=True)
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
