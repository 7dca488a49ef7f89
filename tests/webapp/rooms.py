"""A reading room as it is served: `serve`, its processes and all, and those who visit it."""

import csv
import io
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests
from disturbances import descendants
from PIL import Image

from radzoo.webapp import accounts, opening

PASSWORD = "a quiet room to read"
WAIT_S = 60


@dataclass
class Visitor:
    """Someone who is signed in, by a session of `requests`."""

    url: str
    session: requests.Session

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request as the page makes it."""
        headers = {
            "X-CSRFToken": self.session.cookies.get("_csrf_token", ""),
            **more.pop("headers", {}),
        }
        return self.session.request(method, self.url + path, headers=headers, timeout=120, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The JSON answer to a GET."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def give(self, study: str, verdict: str, note: str = "") -> requests.Response:
        """A reading."""
        given = {"verdict": verdict, "note": note}
        return self.ask("POST", f"/api/v1/studies/{study}/reading", json=given)

    def table(self) -> list[dict[str, str]]:
        """The worklist as CSV, read back."""
        content = self.ask("GET", "/api/v1/worklist.csv").content
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))

    def load(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; gives its row of the worklist."""
        answer = self.ask("POST", "/api/v1/studies", files={"file": (name, content)})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


@dataclass
class Room:
    """A room that is open."""

    home: Path
    run: Path
    port: int
    process: subprocess.Popen
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def enter(self, name: str, language: str = "en") -> Visitor:
        """Sign in, with an account made if there is none."""
        with_account(self.home, name)
        session = requests.Session()
        session.headers["Accept-Language"] = language
        page = session.get(f"{self.url}/login", timeout=30, headers={"Accept": "text/html"})
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf is not None, page.text
        form = {"name": name, "password": PASSWORD, "csrf": csrf.group(1), "next": "/"}
        answer = session.post(f"{self.url}/login", data=form, timeout=30, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        return Visitor(self.url, session)

    def token(self, name: str) -> str:
        """A key to the REST API."""
        with_account(self.home, name)
        made = opening.in_database(self.home, None, lambda s: opening.make_token(s, name, "test"))
        return str(made)


def with_account(home: Path, name: str) -> None:
    """Make an account if it is not there."""

    def make(session: Any) -> None:
        if accounts.verify(session, name, PASSWORD) is None:
            accounts.create(session, name, PASSWORD)

    opening.in_database(home, None, make)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_room(place: Any, run: Path, home: Path, *options: str) -> Room:
    """Start `serve` and wait until the room is open."""
    port = free_port()
    process = place.start("serve", "--run", run, "--home", home, "--port", port, *options)
    return _once_open(Room(home, run, port, process))


def open_again(place: Any, room: Room) -> None:
    """Start `serve` where a room was whose process has ended: visitors find it at its old port."""
    where = ("--run", room.run, "--home", room.home, "--port", room.port)
    room.process = place.start("serve", *where)
    _once_open(room)


def _once_open(room: Room) -> Room:
    for line in room.process.stdout:
        room.said.append(line)
        if "Ctrl-C" in line:
            return room
    raise AssertionError(room.process.communicate()[1])


def close_room(room: Room) -> None:
    """As Ctrl-C does."""
    room.process.send_signal(signal.SIGINT)
    try:
        room.process.communicate(timeout=60)
    finally:
        room.process.kill()


def process(room: Room, program: str) -> int:
    """The one process of a room that runs a program."""
    running = {
        one: Path(f"/proc/{one}/cmdline").read_text() for one in descendants(room.process.pid)
    }
    (found,) = [one for one, command in running.items() if program in command]
    return found


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Have a process stand still meanwhile."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    """Look until what is wanted is seen."""
    until = time.monotonic() + WAIT_S
    while look() != wanted:
        assert time.monotonic() < until, (look(), wanted)
        time.sleep(0.1)


def states(reader: Visitor) -> dict[str, str]:
    """Of a user's films, by their names."""
    return {row["name"]: row["state"] for row in reader.get("/api/v1/studies")["studies"]}


def film(seed: int, rows: int = 200, columns: int = 160, bright: bool = False) -> bytes:
    """A PNG that is drawn: noise, with a bright disc if asked for."""
    draw = np.random.default_rng(seed)
    grey = draw.integers(20, 90, (rows, columns), dtype=np.uint8)
    if bright:
        cv2.circle(grey, (columns // 2, rows // 2), rows // 6, 240, -1)
    made = io.BytesIO()
    Image.fromarray(grey).save(made, "PNG")
    return made.getvalue()
