"""How fast each backend trains and predicts: model x backend x device x mode.

Every cell of that table is measured in a worker process of its own, one after the other, from
the same initial weights and on the same random images, which lie in memory before the clock
starts. What cannot be measured stays in the table with its reason. How it is shown is in
benchmark_report.py and benchmark_plot.py.
"""

import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import backends, zoo
from ..backends import Worker
from ..errors import (
    BackendUnavailable,
    DeviceUnavailable,
    Interrupted,
    RadZooError,
    RunError,
    UnsupportedModel,
)
from . import machine, provenance, requests
from .benchmark_rows import FAILED, MEASURED, UNAVAILABLE, Cell, Protocol, Row, speeds
from .run import RunDirectory

MODES = ("train", "predict")
OPTIMIZER = {"name": "adamax", "learning_rate": 0.001}  # the thesis's best
BATCHES = 4  # different ones, taken in turn
CLASSES = 2
SEED = 0  # of images and initial weights
CSV = "benchmark.csv"
_ABSENT = (BackendUnavailable, DeviceUnavailable, UnsupportedModel)

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class _Start:
    """What a backend predicts for one batch at the initial weights."""

    place: str
    weights_sha256: str
    probabilities: np.ndarray


@dataclass(frozen=True)
class _Bench:
    """What the cells share; `starts` is filled with the first of each model."""

    protocol: Protocol
    scratch: Path
    log: Path
    tell: Listener
    starts: dict[str, _Start] = field(default_factory=dict)


def cells(
    models: Sequence[str],
    names: Sequence[str],
    devices: Sequence[str],
    modes: Sequence[str] = MODES,
) -> list[Cell]:
    """Every cell, in the order in which they are measured.

    Raises:
        UnknownName: there is no such model or backend.
    """
    for model in models:
        zoo.get(model)
    for name in names:
        backends.get(name)
    axes = itertools.product(models, modes, devices, names)
    return [Cell(model, name, device, mode) for model, mode, device, name in axes]


def run(todo: Sequence[Cell], protocol: Protocol, out: Path, tell: Listener) -> list[Row]:
    """Measure the cells one after the other, and write each row as it comes.

    Args:
        todo: as `cells` gives them.
        protocol: how to measure.
        out: folder for `benchmark.csv` and the log of the workers.
        tell: takes events: "cell" with its number, "repetition", "row".

    Raises:
        RunError: the folder holds a benchmark already, or cannot be written.
        Interrupted: by the user; the rows before are in the folder.
    """
    folder = RunDirectory(out)
    if (folder / CSV).exists():
        raise RunError(f"{out} holds a benchmark already. Choose another folder with --out.")
    rows: list[Row] = []
    with folder.hold(), tempfile.TemporaryDirectory() as scratch:
        bench = _Bench(protocol, Path(scratch), folder / "log.txt", tell)
        for number, cell in enumerate(todo, 1):
            tell({"event": "cell", "number": number, "of": len(todo), **asdict(cell)})
            rows.append(_row(bench, cell))
            folder.write_csv(CSV, [asdict(row) for row in rows])
            tell({"event": "row", **asdict(rows[-1])})
    return rows


def state_of(error: RadZooError) -> tuple[str, str]:
    """What a row says in place of figures: its state and the reason, in one line."""
    state = UNAVAILABLE if isinstance(error, _ABSENT) else FAILED
    return state, " ".join(str(error).split())[:300]


def _row(bench: _Bench, cell: Cell) -> Row:
    """Measure a cell, or say why it cannot be."""
    row = Row(cell.model, cell.backend, cell.device, cell.mode, MEASURED)
    row = replace(row, batch_size=bench.protocol.batch_size, started=provenance.now())
    before = machine.busy_cores()
    if bench.protocol.precision not in backends.get(cell.backend).precisions:
        reason = f"{cell.backend} computes in float32 alone."
        return replace(row, state=UNAVAILABLE, reason=reason)
    try:
        with backends.connect(cell.backend, cell.device, bench.log) as worker:
            row = replace(row, **_described(worker), **_measured(bench, cell, worker))
            row = replace(row, precision=bench.protocol.precision)
    except Interrupted:
        raise
    except RadZooError as error:
        state, reason = state_of(error)
        return replace(row, state=state, reason=reason)
    return replace(row, other_load_cores=max(before, machine.busy_cores()))


def _described(worker: Worker) -> dict[str, Any]:
    found, name = worker.described, worker.backend.name
    versions = dict(found["versions"])
    versions |= {key: value for key, value in provenance.versions().items() if key == name}
    return {
        **{key: found[key] for key in ("device", "device_name", "threads", "precision")},
        "versions": ", ".join(f"{key} {value}" for key, value in versions.items()),
    }


def _measured(bench: _Bench, cell: Cell, worker: Worker) -> dict[str, Any]:
    model = {"architecture": cell.model, "options": {}, "classes": CLASSES}
    weights, shape = bench.scratch / "initial.safetensors", zoo.get(cell.model).input_shape
    graph = str(bench.scratch / "graph.json")
    built = worker.ask("build", model=model, seed=SEED, graph=graph, weights=str(weights))
    request = {"model": model, "weights": str(weights), "data": _images(bench, shape)}
    plan = {**asdict(bench.protocol), "mode": cell.mode, "optimizer": OPTIMIZER}
    timed = worker.ask("benchmark", bench.tell, plan=plan, **request)
    return {
        **speeds(timed.pop("seconds"), bench.protocol.batch_size),
        **timed,
        **_agreement(bench, cell, worker, request),
        "first_step_s": round(timed["first_step_s"], 3),
        "parameters": built["parameters"],
        "input_shape": " x ".join(map(str, shape)),
    }


def _images(bench: _Bench, shape: tuple[int, ...]) -> dict[str, str]:
    """Write random images and labels of a model, the same bytes for every backend."""
    count = BATCHES * bench.protocol.batch_size
    paths = {key: str(bench.scratch / f"{key}.npy") for key in ("images", "labels")}
    draw = np.random.default_rng(SEED)
    np.save(paths["images"], draw.random((count, *shape), dtype="float32"))
    np.save(paths["labels"], np.arange(count) % CLASSES)
    return paths


def _agreement(
    bench: _Bench, cell: Cell, worker: Worker, request: dict[str, Any]
) -> dict[str, Any]:
    """How far this backend's predictions lie from the first one's, at the fair start."""
    out, batch = bench.scratch / "probabilities.npy", bench.protocol.batch_size
    worker.ask("predict", rows=list(range(batch)), batch_size=batch, out=str(out), **request)
    digest = requests.digest(Path(request["weights"]))
    here = _Start(f"{cell.backend} on {worker.described['device']}", digest, np.load(out))
    first = bench.starts.setdefault(cell.model, here)
    if first.weights_sha256 != here.weights_sha256:  # of another model, as `fake` makes them
        return {}
    worst = float(np.abs(here.probabilities - first.probabilities).max())
    return {"largest_difference": worst, "compared_with": first.place}
