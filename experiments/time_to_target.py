"""Accuracy beside speed: how long a backend trains until its validation ROC AUC reaches a target.

The runs are those of time_to_auc.yaml, on synthetic nodules, through run directories like any
other: one that is done is taken as it is, with the times that were measured when it was made.
"""

import csv
import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .. import zoo
from ..errors import Interrupted, RadZooError
from . import plan as planning
from . import runner
from .benchmark import state_of
from .benchmark_rows import MEASURED
from .run import RunDirectory

SPEC = Path(__file__).with_name("time_to_auc.yaml")
CSV = "time_to_target.csv"

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    Attributes:
        roc_auc: of the validation images, in (0, 1).
        epochs: trained at most.
        seeds: 0, 1, ...: how many runs of each backend.
    """

    roc_auc: float
    epochs: int = 15
    seeds: int = 5


@dataclass(frozen=True)
class Trial:
    """One run; `seconds` and `epoch` are None where it did not reach the target.

    Attributes:
        seconds: of training and validation until the end of the first epoch that reached it;
            checkpoints and the start of the worker are not in it, compiling is.
        best_roc_auc: of all epochs.
        started: when the run was made, which may be before this benchmark.
    """

    model: str
    backend: str
    device: str
    seed: int
    state: str
    reason: str = ""
    seconds: float | None = None
    epoch: int | None = None
    best_roc_auc: float | None = None
    started: str | None = None
    folder: str = ""


def run(
    places: Sequence[tuple[str, str, str]], target: Target, runs: Path, out: Path, tell: Listener
) -> list[Trial]:
    """Train each model on each backend and device, once a seed.

    Args:
        places: (model, backend, device).
        target: when the clock stops.
        runs: folder of all runs.
        out: an existing folder for `time_to_target.csv`.
        tell: takes events: "trial", those of the runner, "reached".

    Raises:
        RunError: a folder cannot be written.
        Interrupted: by the user; the trials before are in `out`.
    """
    trials: list[Trial] = []
    of = len(places) * target.seeds
    for place in places:
        for seed in range(target.seeds):
            begun = Trial(*place, seed, MEASURED)
            number = {"number": len(trials) + 1, "of": of, "roc_auc": target.roc_auc}
            tell({"event": "trial", **number, **asdict(begun)})
            trials.append(_trial(begun, target, runs, tell))
            RunDirectory(out).write_csv(CSV, [asdict(trial) for trial in trials])
            tell({"event": "reached", **asdict(trials[-1])})
    return trials


def until(history: Sequence[dict[str, Any]], roc_auc: float) -> tuple[float, int] | None:
    """Seconds and epochs until a validation ROC AUC was first reached.

    Args:
        history: rows with `epoch`, `seconds` and `val_roc_auc`, in the order of the epochs.

    Returns:
        (seconds, epoch), or None where it was not reached.
    """
    seconds = 0.0
    for row in history:
        seconds += float(row["seconds"])
        if float(row["val_roc_auc"]) >= roc_auc:
            return round(seconds, 3), int(row["epoch"])
    return None


def median(trials: Sequence[Trial]) -> float:
    """Of the seconds; infinite where half of the trials or more did not reach the target."""
    return statistics.median_high(
        math.inf if trial.seconds is None else trial.seconds for trial in trials
    )


def _trial(trial: Trial, target: Target, runs: Path, tell: Listener) -> Trial:
    try:
        (one,) = planning.plans(SPEC, list(_overrides(trial, target)))
        done = RunDirectory(runner.run(one, runs, tell).path)
    except Interrupted:
        raise
    except RadZooError as error:
        state, reason = state_of(error)
        return replace(trial, state=state, reason=reason)
    with open(done / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    seconds, epoch = until(history, target.roc_auc) or (None, None)
    return replace(
        trial,
        seconds=seconds,
        epoch=epoch,
        best_roc_auc=round(max(float(row["val_roc_auc"]) for row in history), 4),
        started=done.read_json("manifest.json")["started"],
        folder=f"{done.path.parent.name}/{done.path.name}",
    )


def _overrides(trial: Trial, target: Target) -> Iterator[str]:
    yield f"model.architecture={trial.model}"
    yield f"preprocessing={json.dumps(_steps(zoo.get(trial.model).input_shape))}"
    yield f"training.epochs={target.epochs}"
    yield f"backends=[{trial.backend}]"
    yield f"device={trial.device}"
    yield f"seeds=[{trial.seed}]"


def _steps(shape: tuple[int, int, int]) -> list[dict[str, Any]]:
    """What makes the dataset's images, 64 x 64 x 1, fit a model."""
    rows, columns, channels = shape
    resize = {"name": "resize", "rows": rows, "columns": columns}
    steps = [resize] if (rows, columns) != (64, 64) else []
    return steps + ([{"name": "grey_to_rgb"}] if channels == 3 else [])
