"""What `faults.py` counts, and what it looks for in a folder of runs after a fault."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

TIMES = {"seconds", "images_per_s"}  # columns of history.csv that no two runs share
SAME = ("weights.safetensors", "predictions.csv", "split.csv", "metrics.json")
JSON = ("manifest.json", "graph.json", "metrics.json")


@dataclass
class Tally:
    """What came of the faults of one target.

    Attributes:
        target: what was struck.
        kinds: how often by what.
        again: epochs that were told as done and then done again.
        spoilt: saved states that a fault damaged on purpose, each of which may cost an epoch.
        compared: what was found equal to what an undisturbed run or reader has.
        problems: whatever was lost, half-written or went on wrongly; must be empty.
    """

    target: str
    kinds: Counter[str] = field(default_factory=Counter)
    again: int = 0
    spoilt: int = 0
    compared: str = ""
    problems: list[str] = field(default_factory=list)
    bad: int = 0

    @property
    def faults(self) -> int:
        """All of them."""
        return self.kinds.total()

    def count(self, kind: str, problems: list[str]) -> None:
        """Take in a fault and what was found wrong after it."""
        self.kinds[kind] += 1
        self.bad += bool(problems)
        self.problems += [f"{self.target}, {kind}: {problem}" for problem in problems]
        print(f"  {self.target}: {self.faults}. {kind}", *problems, flush=True)

    def row(self) -> str:
        """A row of the table in Markdown."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.kinds.items()))
        again = f"{self.again} of {self.spoilt}" if self.spoilt else str(self.again)
        wrong = "; ".join(self.problems) or "nothing"
        if self.again > self.spoilt:
            wrong += f"; {self.again - self.spoilt} epochs done twice"
        cells = [self.target, f"{self.faults}: {kinds}", str(self.faults - self.bad), again]
        return "| " + " | ".join([*cells, self.compared, wrong]) + " |"

    @property
    def lost(self) -> bool:
        """Whether anything was."""
        return bool(self.problems) or self.again > self.spoilt


class Epochs:
    """The epochs that runs told as done, by the number of the run; those told again count."""

    def __init__(self) -> None:
        self.last: dict[Any, int] = {}
        self.again = 0

    def hear(self, event: dict[str, Any]) -> None:
        """Take in an event."""
        if event.get("event") == "epoch":
            run = event.get("trial")
            self.again += event["epoch"] <= self.last.get(run, 0)
            self.last[run] = max(event["epoch"], self.last.get(run, 0))


def half_written(folder: Path) -> list[str]:
    """What in a run directory is not whole though it has its final name."""
    found = []
    for path in folder.iterdir():
        try:
            if path.name in JSON:
                json.loads(path.read_text())
            elif path.name == "history.csv":
                _whole_rows(path)
            elif path.suffix == ".safetensors":
                load_file(path)
            elif path.name.startswith("state-"):
                _whole_state(path)
        except (OSError, ValueError, SafetensorError) as error:
            found.append(f"{folder.name}/{path.name} is not whole: {error!r}")
    return found


def _whole_rows(path: Path) -> None:
    with path.open() as file:
        if any(None in row or None in row.values() for row in csv.DictReader(file)):
            raise ValueError("a row is cut off")


def _whole_state(path: Path) -> None:
    for name, said in json.loads((path / "hashes.json").read_text()).items():
        if sha256(path / name) != said:
            raise ValueError(f"{name} does not match its hash")


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def differences(cut: Path, whole: Path, epochs: int) -> list[str]:
    """In what a finished run that was disturbed is not as one that was not."""
    found = half_written(cut)
    found += [f"{name} differs" for name in SAME if sha256(cut / name) != sha256(whole / name)]
    found += [
        f"{path.relative_to(cut)} was left"
        for path in cut.rglob(".*")
        if path.name != ".lease" and ".work-" not in path.parent.name
    ]
    manifest = json.loads((cut / "manifest.json").read_text())
    if manifest["state"] != "finished" or "error" in manifest:
        found.append(f"the manifest says {manifest['state']}")
    if manifest["weights_sha256"] != sha256(cut / "weights.safetensors"):
        found.append("the manifest has another SHA-256 of the weights")
    ours, theirs = _history(cut), _history(whole)
    if [row["epoch"] for row in ours] != [str(n) for n in range(1, epochs + 1)]:
        found.append("history.csv has not every epoch once")
    if ours != theirs:
        found.append("history.csv has other figures")
    return found


def _history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key not in TIMES}
            for row in csv.DictReader(file)
        ]
