"""Our side of a worker: start it, ask it, turn its failures into our errors."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import BackendUnavailable, ProcessKilled, RadZooError, RunError, WorkerFailed
from . import legacy, registry

ROOT = Path(__file__).resolve().parents[1]
MAX_MESSAGE = 1000  # Keras shows whole arrays in some; the log has it all
START_S = 180  # the first start of a framework on a cold disk takes a minute
STOP_S = 30  # a worker ends after the batch it is in
SILENCE_S = 1800  # it says something after every batch; to compile a large model takes minutes
TICK_S = 5
# What is raised on a full disk, or where the folder has gone, by name.
STORAGE = ("OSError", "SafetensorError", "FileNotFoundError", "PermissionError")
# How frameworks say that memory is used up, in a message, by a name or in the log.
MEMORY = (
    "MemoryError",
    "RESOURCE_EXHAUSTED",
    "ResourceExhaustedError",
    "OutOfMemoryError",
    "out of memory",
    "allocate memory",
    "bad_alloc",
)

Listener = Callable[[dict[str, Any]], None]


class Worker:
    """A running worker; get one from `connect`."""

    def __init__(self, backend: registry.Backend, process: subprocess.Popen, log: Path) -> None:
        assert process.stdin is not None, "a pipe, see `_start`"
        assert process.stdout is not None, "a pipe, see `_start`"
        self.backend = backend
        self.process = process
        self.described: dict[str, Any] = {}
        self._requests, self._replies = process.stdin, process.stdout
        self._log = log

    def ask(self, verb: str, listener: Listener | None = None, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for its reply.

        Args:
            verb: "describe", "build", "train", "predict", "benchmark", "gradients" or
                "activations".
            listener: called with every event on the way to the reply.
            arguments: JSON values; arrays travel as paths of files.

        Raises:
            WorkerFailed: the request raised in the worker, or the worker died.
            RunError: the worker could not write a file.
            RadZooError: the worker raised one of `errors`.
        """
        with contextlib.suppress(BrokenPipeError):  # a dead worker is told of below
            print(json.dumps({"do": verb, **arguments}), file=self._requests, flush=True)
        limit_s = START_S if verb == "describe" else SILENCE_S
        while (line := self._heard(verb, limit_s)).endswith("\n"):  # else it died in mid-line
            reply = self._parsed(verb, line)
            if "ok" in reply:
                return reply["ok"]
            if "error" in reply:
                raise self._error(verb, **reply["error"])
            if listener and reply["event"] != "alive":
                listener(reply)
        raise self._obituary(verb)

    def _heard(self, verb: str, limit_s: float) -> str:
        """Wait for a line; a worker that says nothing for too long is ended.

        Ticks are counted, not the clock: while this process stands still, as after Ctrl-Z, it
        cannot hear.
        """
        heard, gave_up = threading.Event(), threading.Event()

        def give_up() -> None:
            if not any(heard.wait(TICK_S) for _ in range(max(1, round(limit_s / TICK_S)))):
                gave_up.set()
                self._kill()

        watch = threading.Thread(target=give_up, daemon=True)
        watch.start()
        try:
            line = self._replies.readline()
        finally:
            heard.set()
        if gave_up.is_set():
            raise ProcessKilled(
                f"The worker of backend {self.backend.name!r} said nothing for {limit_s:g} s in "
                f"{verb!r} and was ended. What is done is kept.{self._where()}"
            )
        return line

    def _parsed(self, verb: str, line: str) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            reply = json.loads(line)
            if isinstance(reply, dict) and reply.keys() & {"ok", "error", "event"}:
                return reply
        raise WorkerFailed(
            f"The worker of backend {self.backend.name!r} said in {verb!r} what is no reply: "
            f"{line[:80]!r}. Something else writes to its pipe; what is done is kept."
            f"{self._where()}"
        )

    def _kill(self) -> None:
        """End the worker, and its engine if there is one, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Let the worker finish its batch, then end it; by force after `STOP_S` seconds."""
        for pipe in self._requests, self._replies:
            with contextlib.suppress(OSError):  # what was not sent yet has no reader any more
                pipe.close()
        self._exit_code()

    def _exit_code(self) -> int:
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._kill()
            return self.process.wait()
        except KeyboardInterrupt:  # a second Ctrl-C: the user will not wait for the batch
            self._kill()
            raise

    def _error(self, verb: str, kind: str, message: str) -> RadZooError:
        ours = getattr(errors, kind, None)
        if isinstance(ours, type) and issubclass(ours, RadZooError):
            error = ours.__new__(ours)
            error.args = (message,)  # the message is complete: no constructor may reword it
            return error
        if kind in STORAGE and verb != "describe":  # which reads libraries alone
            return RunError(
                f"Backend {self.backend.name!r} cannot write or read a file in {verb!r}: "
                f"{message}. Free some space, or mend the disk, and give the same command again."
            )
        return WorkerFailed(
            f"Backend {self.backend.name!r} failed in {verb!r}: {kind}: "
            f"{message[:MAX_MESSAGE]}{_hint(kind + message)}{self._where()}"
        )

    def _obituary(self, verb: str) -> WorkerFailed:
        code = self._exit_code()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        hint, where = "", self._where()
        if code == -signal.SIGKILL:
            hint = " Signal 9 is often the system out of memory: try a smaller batch_size."
        elif code != 0:
            hint = _hint(where)
        kind = ProcessKilled if code < 0 else WorkerFailed
        return kind(f"The worker of backend {self.backend.name!r} {how} in {verb!r}.{hint}{where}")

    def _where(self, lines: int = 5) -> str:
        if self._log == Path(os.devnull) or not self._log.exists():  # somebody removed the run
            return ""
        tail = "\n  ".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        return f"\nThe end of {self._log}:\n  {tail}"


def _hint(told: str) -> str:
    if any(word in told for word in MEMORY):
        return "\nThe memory is used up: try a smaller batch_size, or smaller images."
    return ""


@contextmanager
def connect(name: str, device: str = "auto", log: Path = Path(os.devnull)) -> Iterator[Worker]:
    """Start the worker of backend `name`; it ends with the `with` block.

    Args:
        name: a backend of the table.
        device: cpu, gpu, gpu:N, or auto: a GPU if there is one.
        log: file for everything that its frameworks print.

    Raises:
        UnknownName: no backend has that name.
        BackendUnavailable: its interpreter or its packages are missing, or it does not start.
        DeviceUnavailable: the device is not there; the message names those that are.
    """
    backend = registry.get(name)
    if not backend.installed:
        raise BackendUnavailable(
            f"Backend {name!r} is not installed here. To install it: {backend.install}"
        )
    worker = _start(backend, device, log)
    try:
        worker.described = _describe(worker, device)
        yield worker
    finally:
        worker.stop()


def _start(backend: registry.Backend, device: str, log: Path) -> Worker:
    """Start the process, apart from our terminal: Ctrl-C is for us to pass on."""
    command = [backend.python, str(ROOT / "backends" / "worker"), backend.adapter, str(ROOT)]
    with open(log, "ab") as stderr:
        process = subprocess.Popen(
            [*command, *backend.hidden],
            env=backend.environment(device),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",  # or garbage in the pipe would be a bug of ours
            start_new_session=True,
        )
    return Worker(backend, process, log)


def _describe(worker: Worker, device: str) -> dict[str, Any]:
    backend = worker.backend
    engine = _engine(backend.name) if backend.legacy else {}
    try:
        return worker.ask("describe", device=device, jit_compile=backend.jit_compile, **engine)
    except WorkerFailed as error:
        raise BackendUnavailable(
            f"Backend {backend.name!r} does not start. To install it: {backend.install}\n{error}"
        ) from error


def _engine(name: str) -> dict[str, Any]:
    """How the worker of a legacy backend starts its engine."""
    runtime, threads = legacy.get(name).find(), len(os.sched_getaffinity(0))
    return {
        "command": runtime.command,
        "environment": runtime.environment(threads),
        "threads": threads,
    }
