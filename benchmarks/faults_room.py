"""Faults over an open reading room while films come in: nothing that was accepted may be lost."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from conftest import Place
from disturbances import descendants, ends
from faults_runs import undisturbed
from faults_tally import Tally
from rooms import Room, close_room, film, open_again, open_room

from radzoo.webapp import audit_log, opening

SPEC = """\
title: Small
dataset: {{name: phantom_nodules, options: {{images: 80, difficulty: 0.1}}}}
preprocessing: [{{name: resize, rows: 64, columns: 64}}]
model: {{architecture: tiny_cnn}}
training: {{epochs: 3, batch_size: 16, optimizer: {{name: adam, learning_rate: 0.01}}}}
evaluation: {{resamples: 100}}
backends: [{backend}]
"""
PROGRAMS = {
    "SIGKILL of the analyst": "webapp.analyst",
    "SIGKILL of the model": "backends/worker",
    "SIGKILL of a decoder": "webapp.decoder",
    "SIGKILL of a web process": "webapp.web",
}
OF_THE_ROOM = {
    "SIGKILL of `serve`": signal.SIGKILL,
    "SIGTERM of `serve`": signal.SIGTERM,
}
WAIT_S = 180
READER, CALM = "reader-a", "reader-calm"


class Sender:
    """Sends film after film, each until the room has taken it, and keeps what it answered."""

    def __init__(self, room: Room, token: str) -> None:
        self.room, self.token = room, token
        self.taken: dict[str, dict[str, Any]] = {}
        self.stop = threading.Event()

    def __call__(self) -> None:
        """Send until `stop` is set."""
        number = 0
        while not self.stop.is_set():
            name = f"{number}.png"
            with suppress(requests.RequestException):
                answer = requests.post(
                    f"{self.room.url}/api/v1/studies",
                    headers={"Authorization": f"Bearer {self.token}"},
                    files={"file": (name, content(name))},
                    timeout=WAIT_S,
                )
                if answer.status_code in (200, 201):
                    self.taken[name] = answer.json()
                    number += 1
            time.sleep(0.3)


def content(name: str) -> bytes:
    """The film of a name."""
    number = int(name.removesuffix(".png"))
    return film(1000 + number, 80 + number % 7, 70, bright=number % 3 == 0)


def strike_room(place: Place, backend: str, faults: int, draw: random.Random) -> Tally:
    """Strike a room on a small run so often, while two clients send films."""
    tally = Tally(f"reading room on {backend}")
    place.write(room=SPEC.format(backend=backend))
    undisturbed(place, "run", "room.yaml", "--out", "rooms")
    (run,) = (place.path / "rooms" / "room").iterdir()
    room = open_room(place, run, place.path / "home")
    try:
        with _senders(room) as senders:
            for kind in _kinds(faults, draw):
                time.sleep(draw.uniform(0.3, 2))
                tally.count(kind, _strike(place, room, kind, draw))
        tally.problems += [f"{tally.target}: {one}" for one in _lost(room, senders)]
        tally.problems += [f"{tally.target}: {one}" for one in _left(place, room)]
        taken = sum(len(one.taken) for one in senders)
        tally.compared = f"{taken} films, their answers, the audit log"
    finally:
        close_room(room)
    return tally


def _kinds(faults: int, draw: random.Random) -> list[str]:
    names: list[str] = []
    while len(names) < faults:
        names += draw.sample([*PROGRAMS, *OF_THE_ROOM], len(PROGRAMS) + len(OF_THE_ROOM))
    return names[:faults]


@contextmanager
def _senders(room: Room) -> Iterator[list[Sender]]:
    senders = [Sender(room, room.token(name)) for name in (READER, "reader-b")]
    threads = [threading.Thread(target=sender) for sender in senders]
    for one in threads:
        one.start()
    try:
        yield senders
        time.sleep(1)
    finally:
        for sender in senders:
            sender.stop.set()
        for one in threads:
            one.join()


def _strike(place: Place, room: Room, kind: str, draw: random.Random) -> list[str]:
    """Kill a process; open the room again once it has ended; wait until a film is read."""
    serve, left = room.process, descendants(room.process.pid)
    with suppress(ProcessLookupError):  # it has just been begun again
        if kind in OF_THE_ROOM:
            os.kill(serve.pid, OF_THE_ROOM[kind])
            serve.wait(WAIT_S)
        elif found := [one for one in left if PROGRAMS[kind] in _command(one)]:
            os.kill(draw.choice(found), signal.SIGKILL)
    until, seed = time.monotonic() + WAIT_S, draw.randrange(10**9)
    while not _reads(room, seed):
        if time.monotonic() > until:
            return [f"no film was read within {WAIT_S} s"]
        if room.process.poll() is not None:
            room.process.communicate()
            if not all(ends(one, 60) for one in left):
                return ["a process has outlived the room"]
            open_again(place, room)
        time.sleep(0.5)
    return []


def _command(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text()
    return ""


def _reads(room: Room, seed: int) -> bool:
    """Whether the room reads a film."""
    with suppress(requests.RequestException, AssertionError):
        return bool(room.enter(CALM).load("again.png", film(seed, 60, 60))["state"] == "done")
    return False


def _lost(room: Room, senders: list[Sender]) -> list[str]:
    """Every film that was taken must be there once, read, with the answer of a calm reader."""
    problems, calm = [], room.enter(CALM)
    for sender, name in zip(senders, (READER, "reader-b"), strict=True):
        listed = _settled(room.enter(name))
        for film_name, row in sender.taken.items():
            found = [one for one in listed if one["name"] == film_name]
            if [one["id"] for one in found] != [row["id"]]:
                problems.append(f"{film_name} of {name} is there {len(found)} times")
            elif found[0]["state"] != "done":
                told = f"{found[0]['state']} ({found[0].get('refusal')})"
                problems.append(f"{film_name} of {name} is {told}")
            else:
                again = calm.load(film_name, content(film_name))["probability"]
                if abs(again - found[0]["probability"]) > 1e-6:
                    problems.append(f"{film_name} of {name} has another answer")
    if opening.in_database(room.home, None, audit_log.check):
        problems.append("the audit log is not whole")
    return problems


def _left(place: Place, room: Room) -> list[str]:
    """Files of uploads that were cut off; they may stay until the room is opened the next time."""
    room.process.terminate()
    room.process.communicate()
    open_again(place, room)
    return [f"incoming/{path.name} was left" for path in (room.home / "incoming").iterdir()]


def _settled(reader: Any) -> list[dict[str, Any]]:
    """The studies of a reader once none is waiting."""
    until = time.monotonic() + WAIT_S
    while True:
        rows = reader.get("/api/v1/studies")["studies"]
        if time.monotonic() > until or all(row["state"] != "waiting" for row in rows):
            return list(rows)
        time.sleep(0.3)
