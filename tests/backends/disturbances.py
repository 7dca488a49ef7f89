"""Runs on the command line that are struck on the way: by a signal, at an event."""

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

OTHER = {"RADZOO_CACHE": "other_cache"}  # or an undisturbed run beside it would share its images


@dataclass(frozen=True)
class Disturbance:
    """What is done to a run under way.

    Attributes:
        epoch: after the end of this one; 0 for `stage`.
        stage: at the beginning of this one, or at the first event of this name.
        strike: called with the process ids of the command, its worker and, if there is one,
            the worker's engine.
    """

    epoch: int = 0
    stage: str = ""
    strike: object = None

    def is_due(self, event):
        if self.stage:
            return self.stage in (event["event"], event.get("name"))
        return event["event"] == "epoch" and event["epoch"] >= self.epoch


@dataclass(frozen=True)
class Strike:
    """What came of a disturbance."""

    code: int
    told: list  # events
    all_are_gone: bool  # the worker and its engine
    manifest: dict
    looks_finished: bool


def sends(number, to="command"):
    """A strike: this signal, to "command", "group", "worker" or "engine"."""

    def strike(command, worker, engine=None):
        if to == "group":
            os.killpg(command, number)
        else:
            os.kill({"command": command, "worker": worker, "engine": engine}[to], number)

    return strike


def disturb(place, spec, disturbance):
    """Begin or continue the run of a spec in a `Place`, and strike it."""
    told, struck = [], []
    with place.start("run", f"{spec}.yaml", "--out", "cut", "--json", **OTHER) as process:
        for line in process.stdout:
            told.append(json.loads(line))
            if disturbance.is_due(told[-1]):
                struck = [process.pid, *descendants(process.pid)]
                disturbance.strike(*struck)
                break
        told += [json.loads(line) for line in process.stdout.read().splitlines() if whole(line)]
        process.stderr.read()
        code = process.wait(60)
    gone = len(struck) > 1 and all(ends(one) for one in struck[1:])
    manifest = place.manifest("cut")
    return Strike(code, told, gone, manifest, bool(list(place.path.glob("cut/*/*/metrics.json"))))


def whole(line):
    with contextlib.suppress(ValueError):  # the last one of a process that was killed
        return bool(json.loads(line))
    return False


def descendants(process):
    """Process ids of the children of a process that still run, and of theirs in turn."""
    found = children(process)
    return found + [one for child in found for one in descendants(child)]


def children(parent):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            state, above = stat.read_text().rsplit(")", 1)[1].split()[:2]
            found += [int(stat.parent.name)] * (int(above) == parent and state != "Z")
    return found


def ends(process, within_s=10):
    for _ in range(within_s * 20):
        try:
            if Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False
