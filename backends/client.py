"""Our side of a worker: start it, ask it, turn its failures into our errors."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import BackendUnavailable, ProcessKilled, RadZooError, RunError, WorkerFailed
from . import devices, legacy, registry

ROOT = Path(__file__).resolve().parents[1]
MAX_MESSAGE = 1000  # Keras shows whole arrays in some; the log has it all
START_S = 180  # the first start of a framework on a cold disk takes a minute
STOP_S = 30  # a worker ends after the batch it is in
STORAGE = ("OSError", "SafetensorError")  # what is raised on a full disk, by name

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
        for line in self._replies:
            if not line.endswith("\n"):  # it died in the middle of a line
                break
            reply = json.loads(line)
            if "ok" in reply:
                return reply["ok"]
            if "error" in reply:
                raise self._error(verb, **reply["error"])
            if listener:
                listener(reply)
        raise self._obituary(verb)

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
            self.process.kill()
            return self.process.wait()
        except KeyboardInterrupt:  # a second Ctrl-C: the user will not wait for the batch
            self.process.kill()
            raise

    def _error(self, verb: str, kind: str, message: str) -> RadZooError:
        ours = getattr(errors, kind, None)
        if isinstance(ours, type) and issubclass(ours, RadZooError):
            error = ours.__new__(ours)
            error.args = (message,)  # the message is complete: no constructor may reword it
            return error
        if kind in STORAGE:
            return RunError(
                f"Backend {self.backend.name!r} cannot write or read a file in {verb!r}: "
                f"{message}. Free some space, or mend the disk, and give the same command again."
            )
        return WorkerFailed(
            f"Backend {self.backend.name!r} failed in {verb!r}: {kind}: "
            f"{message[:MAX_MESSAGE]}{self._where()}"
        )

    def _obituary(self, verb: str) -> WorkerFailed:
        code = self._exit_code()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        hint = " Signal 9 is often the system out of memory: try a smaller batch_size." * (
            code == -9
        )
        kind = ProcessKilled if code < 0 else WorkerFailed
        return kind(
            f"The worker of backend {self.backend.name!r} {how} in {verb!r}.{hint}{self._where()}"
        )

    def _where(self, lines: int = 5) -> str:
        if self._log == Path(os.devnull):
            return ""
        tail = "\n  ".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        return f"\nThe end of {self._log}:\n  {tail}"


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
            env={**backend.tuning, **os.environ, **backend.env, **devices.environment(device)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    return Worker(backend, process, log)


def _describe(worker: Worker, device: str) -> dict[str, Any]:
    alarm = threading.Timer(START_S, worker.process.kill)
    alarm.start()
    backend = worker.backend
    engine = _engine(backend.name) if backend.legacy else {}
    try:
        return worker.ask("describe", device=device, jit_compile=backend.jit_compile, **engine)
    except WorkerFailed as error:
        raise BackendUnavailable(
            f"Backend {backend.name!r} does not start. To install it: {backend.install}\n{error}"
        ) from error
    finally:
        alarm.cancel()


def _engine(name: str) -> dict[str, Any]:
    """How the worker of a legacy backend starts its engine."""
    runtime, threads = legacy.get(name).find(), len(os.sched_getaffinity(0))
    return {
        "command": runtime.command,
        "environment": runtime.environment(threads),
        "threads": threads,
    }
