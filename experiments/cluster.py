"""Trials on the workers of a Dask cluster that is already there, with the same files.

A task attends one trial, a process on the worker's machine. If a worker is killed, Dask gives its
task to another; the run directory's lease keeps the two apart, and its states let the second go on.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, Future, get_client, get_worker
from distributed import Event as Flag

from ..errors import BackendUnavailable
from .executors import Event, Events, attend, failed
from .trial import Request

_ANSWER_S = 10
_LOOK_EVERY_S = 1.0  # for a flag, which costs a message to the scheduler and back


class Cluster:
    """See `executors.Executor`.

    Args:
        address: of the scheduler.
        retries: how often a trial that was killed is begun again.

    Raises:
        BackendUnavailable: there is no scheduler, or it has no worker.
    """

    def __init__(self, address: str, retries: int) -> None:
        self._retries = retries
        self._events = Events()
        self._name = f"radzoo-{uuid.uuid4().hex}"
        self._futures: dict[int, Future] = {}
        try:
            self._client = Client(address, timeout=_ANSWER_S, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:  # the last two: of TLS
            raise BackendUnavailable(
                f"No Dask scheduler answers at {address}: {error}. To start one: docs/studies.md"
            ) from error
        self.slots = sum(self._client.nthreads().values())
        if not self.slots:
            self._client.close()
            raise BackendUnavailable(f"The scheduler at {address} has no worker: docs/studies.md")
        self._client.subscribe_topic(self._name, self._hear)

    def submit(self, number: int, request: Request) -> None:
        """See `executors.Executor`."""
        spec, out = Path(request.spec).resolve(), Path(request.out).resolve()
        there = replace(request, spec=str(spec), out=str(out))
        key = f"{self._name}-{number}"
        future = self._client.submit(
            _attend, self._name, number, there, self._retries, key=key, pure=False
        )
        self._futures[number] = future
        future.add_done_callback(partial(self._end, number))

    def prune(self, number: int) -> None:
        """See `executors.Executor`."""
        Flag(f"{self._name}-{number}", client=self._client).set()

    def next(self) -> tuple[int, Event]:
        """See `executors.Executor`."""
        return self._events.next()

    def close(self) -> None:
        """See `executors.Executor`."""
        if self._futures:
            Flag(self._name, client=self._client).set()
        self._client.close()

    def _hear(self, said: tuple[float, dict[str, Any]]) -> None:
        self._events.put(said[1]["number"], said[1]["event"])

    def _end(self, number: int, future: Future) -> None:
        """The end of a task; of one that was cancelled nothing can be asked, not even why."""
        if future.status == "finished":
            last = future.result(_ANSWER_S)
        elif future.status == "error":
            last = failed(f"The cluster lost the trial: {future.exception(_ANSWER_S)}")
        else:
            last = failed(f"The cluster lost the trial: its task is {future.status}.")
        del self._futures[number]  # or it would be done again, were the worker that did it killed
        self._events.put(number, last)


def _attend(name: str, number: int, request: Request, retries: int) -> Event:
    """Attend one trial, on a worker."""
    worker, client = get_worker(), get_client()
    halt = _now_and_then(Flag(name, client=client).is_set)
    prune = Flag(f"{name}-{number}", client=client).is_set

    def tell(event: Event) -> None:
        worker.log_event(name, {"number": number, "event": event})

    def order() -> str:
        if halt():
            return "halt"
        return "prune" if request.lockstep and prune() else "go"

    return attend(request, tell, order, retries)


def _now_and_then(look: Callable[[], bool]) -> Callable[[], bool]:
    """The latest answer, asked for once a second at most."""
    seen, when = False, 0.0

    def latest() -> bool:
        nonlocal seen, when
        if time.monotonic() - when > _LOOK_EVERY_S:
            seen, when = look(), time.monotonic()
        return seen

    return latest
