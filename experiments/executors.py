"""Who does the trials of a sweep: processes of this machine, or the workers of a Dask cluster.

Every trial is a process of its own, for a backend is fixed per process. Whoever attends it passes
its events on and begins it again if it was killed. An executor is one class, as `Executor` says.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from typing import IO, Any, Protocol

from ..errors import BackendUnavailable
from .study import Executor as Section
from .trial import Request

Event = dict[str, Any]
Tell = Callable[[Event], None]
_PROGRAM = "from radzoo.experiments.trial import main; main()"
LAST = ("finished", "error")  # the events that end a trial
_TAIL = 2000  # characters of what a trial that died wrote to stderr


class Executor(Protocol):
    """What a sweep asks of whoever does its trials; `slots` is how many it does at a time."""

    slots: int

    def submit(self, number: int, request: Request) -> None:
        """Have a trial done; `number` names it in events."""

    def prune(self, number: int) -> None:
        """Have a trial in lockstep end after its epoch."""

    def next(self) -> tuple[int, Event]:
        """Wait for an event of any trial; `finished` or `error` is its last."""

    def close(self) -> None:
        """End the trials that are still going on."""


def connect(section: Section) -> Executor:
    """The executor that a spec asks for.

    Raises:
        BackendUnavailable: its package is missing, or its cluster cannot be had.
    """
    if section.name == "local":
        return Local(section.workers, section.retries)
    try:
        from . import cluster
    except ImportError as error:
        raise BackendUnavailable(
            f"The executor 'dask' needs {error.name}: pip install 'radzoo[dask]'"
        ) from error
    return cluster.Cluster(section.address or "", section.retries)


class Events:
    """What trials told, in order; after the last event of a trial nothing more is heard of it.

    On a cluster the end of a task and what it told before come by different ways.
    """

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
        self._ended: set[int] = set()

    def put(self, number: int, event: Event) -> None:
        """Take in an event of a trial; from any thread."""
        self._told.put((number, event))

    def next(self) -> tuple[int, Event]:
        """Wait for an event."""
        while True:
            number, event = self._told.get()
            if number not in self._ended:
                break
        if event["event"] in LAST:
            self._ended.add(number)
        return number, event


class Local:
    """Trials as processes of this machine, some at a time, which share its cores.

    Args:
        workers: how many at a time.
        retries: how often a trial that was killed is begun again.
    """

    def __init__(self, workers: int, retries: int) -> None:
        self.slots, self._retries = workers, retries
        self._todo: queue.SimpleQueue[tuple[int, Request]] = queue.SimpleQueue()
        self._events = Events()
        self._orders: dict[int, str] = {}
        for place in range(workers):
            cores = _share(place, workers)
            threading.Thread(target=self._work, args=(cores,), daemon=True).start()

    def submit(self, number: int, request: Request) -> None:
        """See `Executor`."""
        self._todo.put((number, request))

    def prune(self, number: int) -> None:
        """See `Executor`."""
        self._orders[number] = "prune"

    def next(self) -> tuple[int, Event]:
        """See `Executor`."""
        return self._events.next()

    def close(self) -> None:
        """Nothing to do: trials end with the process that holds their stdin."""

    def _work(self, cores: set[int]) -> None:
        while True:
            number, request = self._todo.get()
            tell, order = partial(self._events.put, number), partial(self._order, number)
            tell(attend(request, tell, order, self._retries, cores))

    def _order(self, number: int) -> str:
        return self._orders.get(number, "go")


def _share(place: int, workers: int) -> set[int]:
    """The cores for one of several trials at a time; all of them if there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return set(cores[place % len(cores) :: workers]) or set(cores)


def attend(
    request: Request,
    tell: Tell,
    order: Callable[[], str],
    retries: int,
    cores: set[int] | None = None,
) -> Event:
    """Start a trial and pass its events on.

    Args:
        request: the trial.
        tell: gets every event but the last.
        order: asked after every event: "go"; "prune" ends a trial in lockstep after its epoch;
            "halt" ends any.
        retries: how often a trial that was killed is begun again.
        cores: that it may use; all if not given.

    Returns:
        The last event: `finished`, or `error` with its `kind`, `message` and `exit_code`.
    """
    for _ in range(retries):
        last = _attempt(request, tell, order, cores)
        if last.get("kind") != "ProcessKilled" or order() == "halt":
            return last
        tell({"event": "again", "message": last["message"]})
    return _attempt(request, tell, order, cores)


def _attempt(
    request: Request, tell: Tell, order: Callable[[], str], cores: set[int] | None
) -> Event:
    """One process; what it said last, or what became of it."""
    try:
        with tempfile.TemporaryFile("w+", errors="replace") as stderr:
            with _start(request, stderr, cores) as process:
                last = _converse(process, request, tell, order)
            return last or _obituary(process.returncode, stderr)
    except OSError as error:
        return failed(f"The trial could not be started: {error.strerror or error}.")


def _start(request: Request, stderr: IO[str], cores: set[int] | None) -> subprocess.Popen:
    """Start the process apart from our terminal: Ctrl-C is for us, and ends it by its stdin."""
    paths = os.pathsep.join(path for path in sys.path if path)

    def prepare() -> None:
        if cores:
            os.sched_setaffinity(0, cores)

    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509  it takes no lock
    )
    _say(process, request.as_line())
    return process


def _converse(
    process: subprocess.Popen, request: Request, tell: Tell, order: Callable[[], str]
) -> Event | None:
    assert process.stdout is not None, "a pipe, see `_start`"
    last = None
    for line in process.stdout:
        event = _event(line)
        if event is None:  # it died in the middle of a line, or something else wrote to its pipe
            break
        if event["event"] in LAST:
            last = event
            break
        tell(event)
        wanted = order()
        if wanted == "halt":
            _hang_up(process)
        elif request.lockstep and event["event"] == "epoch":
            _say(process, wanted + "\n")
    _hang_up(process)
    return last


def _event(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _say(process: subprocess.Popen, line: str) -> None:
    assert process.stdin is not None, "a pipe, see `_start`"
    try:
        process.stdin.write(line)
        process.stdin.flush()
    except (BrokenPipeError, ValueError):  # it died, or we hung up: what it said last tells why
        return


def _hang_up(process: subprocess.Popen) -> None:
    assert process.stdin is not None, "a pipe, see `_start`"
    try:
        process.stdin.close()
    except BrokenPipeError:
        return


def _obituary(code: int, stderr: IO[str]) -> Event:
    if code < 0:
        return failed(
            f"The trial was killed by signal {-code}. Signal 9 is often the system out of memory: "
            "try fewer workers or a smaller batch_size.",
            "ProcessKilled",
        )
    stderr.seek(0)
    said = stderr.read()[-_TAIL:].strip()
    return failed(f"The trial ended with exit code {code} and said:\n{said}")


def failed(message: str, kind: str = "WorkerFailed") -> Event:
    """The last event of a trial that could not speak for itself."""
    return {"event": "error", "kind": kind, "message": message, "exit_code": 1}
