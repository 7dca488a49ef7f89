"""The processes of a reading room: an analyst and a web server, begun and watched by one more.

Both end when the process that began them does: the analyst when its stdin ends, the web server by
a signal or, should that never come, when it finds its parent gone.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from ..errors import Failure, UserError
from .settings import VARIABLE, Settings

STOP_S = 20
_LOOK_S = 0.3
_ANALYST = "from radzoo.webapp.analyst import main; main()"
_WEB = "from radzoo.webapp.web import main; main()"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Address:
    """Where a room is reached.

    Attributes:
        host: name or address to listen on.
        port: to listen on.
        workers: processes that answer.
        threads: of each.
    """

    host: str
    port: int
    workers: int = 2
    threads: int = 32  # more than `Settings.all_at_once`, or films could keep pages waiting

    @property
    def url(self) -> str:
        """As a browser on this machine takes it: `0.0.0.0` and `::` are every address of it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}"


def watch(settings: Settings, address: Address, tell: Tell, ready: Callable[[], None]) -> None:
    """Keep a room open until it is interrupted; an analyst that dies is begun again.

    Args:
        settings: of the room.
        address: where it is reached.
        tell: what goes on, a sentence at a time.
        ready: called once when both are there.

    Raises:
        UserError: a run cannot be served, in the analyst's words; or the address cannot be had.
        Failure: the web server ended.
    """
    _check(address)
    environment = {
        **os.environ,
        VARIABLE: settings.as_json(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    analyst = start_analyst(environment)
    try:
        with _web(address, environment) as web:
            ready()
            while web.poll() is None:
                if analyst.poll() is not None:
                    tell(f"The analyst ended ({_how(analyst.returncode)}); it is begun again.")
                    analyst = start_analyst(environment)
                time.sleep(_LOOK_S)
            raise Failure(f"The web server ended ({_how(web.returncode)}); see what it said above.")
    finally:
        end(analyst)


def _check(address: Address) -> None:
    """See that nobody listens there yet, before models take their time to start."""
    kind = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server does
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise UserError(
                f"Port {address.port} of {address.host} cannot be had: {error.strerror}. Close "
                "what listens there, or choose another: --port N, --host ADDRESS."
            ) from error


def start_analyst(environment: dict[str, str]) -> subprocess.Popen:
    """Start the analyst and wait until it is ready.

    Raises:
        UserError: it says why it cannot serve a run.
        Failure: it died.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _ANALYST],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us, and ends it by its stdin
    )
    assert process.stdout is not None, "a pipe, as asked for"
    said = process.stdout.readline()
    if said.strip() == "ready":
        return process
    code = process.wait()
    _close(process)
    if said.startswith("error: "):
        raise UserError(said.removeprefix("error: ").strip().replace("\\n", "\n"))
    raise Failure(f"The analyst did not start ({_how(code)}); see what it said above.")


def end(process: subprocess.Popen) -> None:
    """Let a process finish what it is at, then end it; by force after `STOP_S` seconds."""
    _close(process)
    _wait(process)


def _wait(process: subprocess.Popen) -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close(process: subprocess.Popen) -> None:
    pipes: list[IO | None] = [process.stdin, process.stdout]
    for pipe in pipes:
        if pipe is not None:
            pipe.close()


@contextmanager
def _web(address: Address, environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _WEB),
            *map(str, (address.host, address.port, address.workers, address.threads)),
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None, "a pipe, as asked for"
    try:
        if process.stdout.readline().strip() != "ready":
            code = process.wait()
            raise Failure(f"The web server did not start ({_how(code)}); see what it said above.")
        yield process
    finally:
        process.terminate()
        _wait(process)  # while its stdin is open, the end of which it takes for ours
        _close(process)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
