"""Faults over a run on one backend, and over a sweep: the same command until it is done."""

import json
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Place
from disturbances import OTHER, descendants, ends, whole
from faults_tally import Epochs, Tally, differences, half_written

RUN = """\
title: Struck
dataset: {{name: phantom_nodules, options: {{images: 40}}}}
augmentation: {{shift: 0.1, flip_horizontal: true}}
model: {{architecture: tiny_cnn}}
training: {{epochs: {epochs}, batch_size: 8, optimizer: {{name: adam, learning_rate: 0.001}}}}
evaluation: {{resamples: 100}}
backends: [{backend}]
"""
EPOCHS = {"fake": 300}  # its epochs take a hundredth of a second
FEWER = 30
SWEEP = """\
title: Swept
dataset: {name: phantom_nodules, options: {images: 40}}
model: {architecture: tiny_cnn}
training: {epochs: 60, batch_size: 8, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {resamples: 100}
executor: {workers: 2}
backends: [fake]
grid: {seed: [0, 1, 2, 3, 4, 5]}
"""
FULL = 300  # bytes a file may have where the disk is to look full
PATIENCE_S = 600

Processes = list[int]  # of a command, and all below it: worker, engine


@dataclass(frozen=True)
class Fault:
    """What may be done to a run under way.

    Attributes:
        strike: called with the processes; None where the state is spoilt after a kill.
        code: that the command must end with; None: it goes on.
    """

    strike: Callable[[Processes], None]
    code: int | None
    spoils: bool = False


def _kills(which: int, number: int) -> Callable[[Processes], None]:
    return lambda processes: os.kill(processes[which], number)


def _stand_still(processes: Processes) -> None:
    os.kill(processes[1], signal.SIGSTOP)
    time.sleep(1)
    os.kill(processes[1], signal.SIGCONT)


def _fill_disk(processes: Processes) -> None:
    resource.prlimit(processes[1], resource.RLIMIT_FSIZE, (FULL, FULL))


OF_THE_COMMAND = {
    "SIGKILL of the command": Fault(_kills(0, signal.SIGKILL), -signal.SIGKILL),
    "SIGTERM": Fault(_kills(0, signal.SIGTERM), 130),
    "SIGINT": Fault(_kills(0, signal.SIGINT), 130),
}
OF_A_RUN = {
    "SIGKILL of the worker": Fault(_kills(1, signal.SIGKILL), 1),
    "disk full": Fault(_fill_disk, 2),
    "newest state spoilt": Fault(_kills(0, signal.SIGKILL), -signal.SIGKILL, spoils=True),
    "SIGSTOP, SIGCONT of the worker": Fault(_stand_still, None),
}
OF_AN_ENGINE = {"SIGKILL of the engine": Fault(_kills(2, signal.SIGKILL), 1)}
OF_A_SWEEP = {
    **OF_THE_COMMAND,
    "SIGKILL of a trial": Fault(_kills(1, signal.SIGKILL), None),
    "SIGKILL of a trial's worker": Fault(_kills(2, signal.SIGKILL), None),
}


@dataclass(frozen=True)
class Moment:
    """When a fault strikes: after an epoch was told, or a stage, or so many lines."""

    kind: str
    fault: Fault
    epoch: int = 0
    stage: str = ""
    lines: int = 0
    delay_s: float = 0.0

    def has_come(self, event: dict[str, Any], lines: int) -> bool:
        """Whether it is now."""
        if self.lines:
            return lines >= self.lines
        if self.stage:
            return self.stage in (event["event"], event.get("name"))
        return event["event"] == "epoch" and event["epoch"] >= self.epoch


class Struck:
    """One command that is given again after every fault until it is done."""

    def __init__(self, place: Place, command: tuple[str, ...], tally: Tally, draw: random.Random):
        self.place, self.command, self.tally, self.draw = place, command, tally, draw
        self.epochs = Epochs()

    def finish(self, moments: list[Moment]) -> None:
        """Strike at every moment; the last command is left alone."""
        while True:
            code = self._attempt(moments)
            if code == 0:
                break
        self.tally.again = self.epochs.again

    def _attempt(self, moments: list[Moment]) -> int:
        """One command; 0 once it has come to its end by itself."""
        struck: Moment | None = None
        victims: Processes = []
        arguments = (*self.command, "--out", "cut", "--json")
        with self.place.start(*arguments, **OTHER) as process:
            for lines, line in enumerate(process.stdout):
                event = json.loads(line) if whole(line) else {"event": ""}
                self.epochs.hear(event)
                if struck is None and moments and moments[0].has_come(event, lines):
                    time.sleep(moments[0].delay_s)
                    victims = [process.pid, *descendants(process.pid)]
                    struck = self._strike(moments, victims)
            said = process.stderr.read()
            code = process.wait(PATIENCE_S)
        if struck is None:
            self._expect(code == 0, f"exit code {code}, and nothing was done to it: {said[-300:]}")
            return 0
        self._after(struck, victims, code)
        return code

    def _strike(self, moments: list[Moment], victims: Processes) -> Moment | None:
        """The fault that ends the command; None if it goes on, or nobody was there to strike."""
        moment = moments.pop(0)
        try:
            moment.fault.strike(victims)
        except (IndexError, ProcessLookupError):  # between two trials, or just done
            moments.insert(0, moment)
            return None
        if moment.fault.code is None:
            self.tally.count(moment.kind, [])
            return None
        return moment

    def _after(self, struck: Moment, victims: Processes, code: int) -> None:
        """See what the fault has left behind."""
        wrong = []
        if code not in (struck.fault.code, 0):  # 0: it was done just before
            wrong.append(f"exit code {code} in place of {struck.fault.code}")
        if not all(ends(one, 40) for one in victims):
            wrong.append("a process has outlived it")
        folders = [path for path in self.place.path.glob("cut/*/*") if path.is_dir()]
        wrong += [problem for folder in folders for problem in half_written(folder)]
        self.tally.count(struck.kind, wrong)
        if struck.fault.spoils:
            self._spoil(folders[0])

    def _spoil(self, folder: Path) -> None:
        """Damage a file of the newest state, where an older one is left."""
        states = sorted(folder.glob("state-*"))
        if len(states) < 2:
            return
        self.tally.spoilt += 1
        path = self.draw.choice(sorted(states[-1].iterdir()))
        content = bytearray(path.read_bytes())
        place = self.draw.randrange(len(content))
        flipped = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
        cuts = [b"", bytes(content[: len(content) // 2]), bytes(content[:-1]), flipped]
        path.write_bytes(self.draw.choice(cuts))

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.tally.problems.append(f"{self.tally.target}: {problem}")


def strike_run(place: Place, backend: str, faults: int, draw: random.Random) -> Tally:
    """Strike a run on a backend so often, and compare it with an undisturbed one."""
    tally, epochs = Tally(f"run on {backend}"), EPOCHS.get(backend, FEWER)
    place.write(**{backend: RUN.format(backend=backend, epochs=epochs)})
    undisturbed(place, "run", f"{backend}.yaml", "--out", "whole")
    struck = Struck(place, ("run", f"{backend}.yaml"), tally, draw)
    struck.finish(_moments_of_run(backend, faults, epochs, draw))
    _compare(place, tally, backend, epochs)
    return tally


def _moments_of_run(backend: str, faults: int, epochs: int, draw: random.Random) -> list[Moment]:
    """One while preprocessing, one while predicting or measuring, the others in training."""
    at_most = (epochs * 4) // 5
    times = sorted(draw.sample(range(1, at_most), max(0, faults - 2)))
    kinds = {**OF_THE_COMMAND, **OF_A_RUN, **(OF_AN_ENGINE if backend == "cntk" else {})}
    drawn = _each_about_as_often(kinds, len(times), draw)
    first, *_, last = _each_about_as_often(OF_THE_COMMAND, 3, draw)
    stage = draw.choice(("predicting", "measuring"))
    moments = [
        Moment(kind, kinds[kind], epoch=epoch, delay_s=draw.uniform(0, 0.1))
        for kind, epoch in zip(drawn, times, strict=True)
    ]
    before = Moment(first, OF_THE_COMMAND[first], stage="store", delay_s=0)
    return [before, *moments, Moment(last, OF_THE_COMMAND[last], stage=stage)][:faults]


def strike_sweep(place: Place, faults: int, draw: random.Random) -> Tally:
    """Strike a sweep so often, and compare each of its runs with that of an undisturbed one."""
    tally = Tally("sweep of 6 runs, 2 at a time")
    place.write(swept=SWEEP)
    undisturbed(place, "sweep", "swept.yaml", "--out", "whole")
    kinds = _each_about_as_often(OF_A_SWEEP, faults, draw)
    moments = [
        Moment(kind, OF_A_SWEEP[kind], lines=draw.randrange(5, 120), delay_s=draw.uniform(0, 0.1))
        for kind in kinds
    ]
    Struck(place, ("sweep", "swept.yaml"), tally, draw).finish(moments)
    _compare(place, tally, "swept", 60)
    return tally


def _each_about_as_often(kinds: dict[str, Fault], count: int, draw: random.Random) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        names += draw.sample(list(kinds), len(kinds))
    return names[:count]


def undisturbed(place: Place, *command: str) -> None:
    """Do a command to its end."""
    with place.start(*command, "--json") as process:
        told, said = process.communicate(timeout=PATIENCE_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} fails undisturbed: {told[-800:]}{said}")


def _compare(place: Place, tally: Tally, name: str, epochs: int) -> None:
    """Every run of a name that was disturbed with the one that was not."""
    wholes = sorted(path.parent for path in place.path.glob(f"whole/{name}/*/metrics.json"))
    for folder in wholes:
        cut = place.path / "cut" / name / folder.name
        if (cut / "metrics.json").exists():
            found = differences(cut, folder, epochs)
        else:
            found = ["is not there"]
        tally.problems += [f"{tally.target}: {folder.name}: {problem}" for problem in found]
    tally.compared = f"weights, predictions, metrics, {epochs} epochs of {len(wholes)}"
