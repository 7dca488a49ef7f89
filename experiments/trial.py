"""One run of a sweep, as a program of its own: a driver asks on stdin and listens on stdout.

The first line of stdin is the request, as JSON. Lines of JSON come back: the events of the runner,
and last `finished` or `error`. In `lockstep` the trial waits after every epoch for the line `go`,
or `prune`, which ends it. When stdin ends, so does the trial, after the batch it is in: no trial
survives its driver for long.
"""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import Pruned, RadZooError, RunHeld

Tell = Callable[[dict[str, Any]], None]
PATIENCE_S = 600  # an orphan of a killed driver ends after the batch it is in
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Request:
    """Which run, told so that any process with the same files can do it.

    Args:
        spec: path of the YAML file.
        overrides: `a.b=value` each.
        quick: whether its small version is meant.
        out: folder of all runs.
        number: of the run, in the order of `plan.plans`.
        lockstep: whether to wait for an order after every epoch.
        until: the epoch after which it pauses, ended as "pruned"; without it, the run goes on.
    """

    spec: str
    overrides: tuple[str, ...]
    quick: bool
    out: str
    number: int = 0
    lockstep: bool = False
    until: int | None = None

    def as_line(self) -> str:
        """One line of JSON; `Request(**json.loads(line))` is the way back."""
        return json.dumps(asdict(self)) + "\n"


def main() -> None:
    """Do what stdin asks for."""
    for number in signal.SIGTERM, signal.SIGINT:  # a driver in the background has us ignore it
        signal.signal(number, signal.default_int_handler)
    stdin = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115  a thread reads on
    tell = _protocol()
    request = Request(**json.loads(stdin.readline()))
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(stdin, orders), daemon=True).start()
    try:
        tell({"event": "finished", **_do(request, orders, tell)})
    except RadZooError as error:
        told = {"kind": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
        tell({"event": "error", **told})


def _listen(stdin: IO[bytes], orders: "queue.SimpleQueue[str]") -> None:
    while line := stdin.readline():
        orders.put(line.decode().strip())
    os.kill(os.getpid(), signal.SIGINT)


def _protocol() -> Tell:
    """Keep stdout for events: what a plug-in prints goes to stderr."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return lambda event: print(json.dumps(event), file=out, flush=True)


def _do(request: Request, orders: "queue.SimpleQueue[str]", tell: Tell) -> dict[str, Any]:
    from . import plan, runner

    found = plan.plans(Path(request.spec), request.overrides, request.quick)[request.number]
    listener = _in_lockstep(orders, tell) if request.lockstep else _until(request.until, tell)
    outcome = _when_free(lambda: runner.run(found, Path(request.out), listener))
    return {"folder": str(outcome.path), "was_done": outcome.was_done}


def _in_lockstep(orders: "queue.SimpleQueue[str]", tell: Tell) -> Tell:
    def wait(event: dict[str, Any]) -> None:
        tell(event)
        if event["event"] == "epoch" and orders.get() == "prune":
            raise Pruned(f"Ended after epoch {event['epoch']}: other trials promise more.")

    return wait


def _until(last: int | None, tell: Tell) -> Tell:
    def pause(event: dict[str, Any]) -> None:
        tell(event)
        done = len(event.get("history", ())) or event.get("epoch", 0)
        if last and event["event"] in ("resumed", "epoch") and done >= last:
            raise Pruned(f"Paused after epoch {done}.")

    return pause


def _when_free(run: Callable[[], Any]) -> Any:
    """Wait for the run directory; the trial of a driver that was killed may still hold it."""
    began = time.monotonic()
    while True:
        try:
            return run()
        except RunHeld:
            if time.monotonic() - began > PATIENCE_S:
                raise
            time.sleep(_LOOK_EVERY_S)


if __name__ == "__main__":
    main()
