"""What an architecture promises, tried on every installed backend."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import zoo
from ..errors import BackendUnavailable, WorkerFailed
from . import registry
from .client import Worker, connect

IMAGES = 4
MAX_DIFFERENCE = 1e-4  # of a probability, float32, between two backends


@dataclass(frozen=True)
class Finding:
    """One promise, and whether it was kept.

    Attributes:
        claim: the promise in words.
        kept: whether it holds.
        detail: what was measured.
    """

    claim: str
    kept: bool
    detail: str


def check(name: str, tell: Callable[[Finding], None]) -> list[Finding]:
    """Build an architecture, compare the backends and look at its gradients.

    Args:
        name: of the registry, or `module:function`.
        tell: called with each finding as it comes.

    Returns:
        All findings; the promise is kept if each of them is.

    Raises:
        UnknownName: there is no such architecture.
        BackendUnavailable: no Keras backend is installed.
    """
    entry = zoo.get(name)
    installed = [n for n in registry.names() if n != "fake" and registry.get(n).installed]
    if not installed:
        raise BackendUnavailable("No Keras backend is installed: pip install 'radzoo[tensorflow]'")
    findings = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workers = {n: stack.enter_context(connect(n, "cpu")) for n in installed}
        for finding in try_out(entry, workers, Path(folder)):
            findings.append(finding)
            tell(finding)
    return findings


def try_out(entry: zoo.Architecture, workers: dict[str, Worker], folder: Path) -> Iterator[Finding]:
    """Yield the findings on an architecture.

    Args:
        entry: of the registry.
        workers: by backend; they may have served other requests.
        folder: to write to.
    """
    model = {"architecture": entry.name, "options": {}, "classes": 2}
    first = next(iter(workers))
    try:
        built = _build(workers[first], model, folder)
    except WorkerFailed as error:
        yield Finding(f"builds under {first}", False, _short(error))
        return
    yield Finding(f"builds under {first}", True, f"{built['parameters']:,} parameters")
    yield from _declared(entry, built, folder)
    shape = json.loads((folder / "graph.json").read_text())["layers"][0]["options"]["shape"]
    images = np.random.default_rng(0).random((IMAGES, *shape), dtype="float32")
    np.save(folder / "images.npy", images)
    yield from _agreement(workers, model, folder)
    yield from _heatmap(entry, workers, model, folder)
    yield from _smallest(entry, workers[first], folder)


def _declared(entry: zoo.Architecture, built: dict[str, Any], folder: Path) -> Iterator[Finding]:
    if entry.parameters is not None:
        yield Finding(
            "has as many parameters as it declares",
            built["parameters"] == entry.parameters,
            f"declared {entry.parameters:,}, counted {built['parameters']:,}",
        )
    names = [layer["name"] for layer in json.loads((folder / "graph.json").read_text())["layers"]]
    asked = ["images", "scores", "probabilities", entry.heatmap_layer, *entry.blocks.values()]
    missing = [name for name in asked if name and name not in names]
    yield Finding(
        "has the layers that heatmaps and training phases ask for",
        not missing,
        f"missing: {', '.join(missing)}" if missing else f"{len(names)} layers",
    )


def _agreement(
    workers: dict[str, Worker], model: dict[str, Any], folder: Path
) -> Iterator[Finding]:
    """Each worker builds the model itself and loads the one weight file."""
    predictions = {}
    for name, worker in workers.items():
        try:
            predictions[name] = _predict(worker, model, folder)
        except WorkerFailed as error:
            yield Finding(f"predicts under {name}", False, _short(error))
            continue
        sums = predictions[name].sum(1)
        yield Finding(
            f"predicts probabilities under {name}",
            bool(np.allclose(sums, 1, atol=1e-5)),
            f"rows sum to {sums.min():.6f} ... {sums.max():.6f}",
        )
    first, *others = list(predictions) or [""]
    for name in others:
        worst = float(np.abs(predictions[name] - predictions[first]).max())
        yield Finding(
            f"{name} agrees with {first} on one weight file",
            worst <= MAX_DIFFERENCE,
            f"largest difference {worst:.1e}, allowed {MAX_DIFFERENCE:.0e}",
        )


def _heatmap(
    entry: zoo.Architecture, workers: dict[str, Worker], model: dict[str, Any], folder: Path
) -> Iterator[Finding]:
    if entry.heatmap_layer is None:
        yield Finding("declares a heatmap layer", False, "none is declared")
        return
    for name, worker in workers.items():
        out = folder / "gradients.npz"
        claim = f"has a gradient at {entry.heatmap_layer!r} under {name}"
        try:
            _ask(worker, "gradients", model, folder, layer=entry.heatmap_layer, out=str(out))
        except WorkerFailed as error:
            yield Finding(claim, False, _short(error))
            continue
        with np.load(out) as arrays:
            gradients = arrays["gradients"]
        largest, axes = float(np.abs(gradients).max()), gradients.ndim
        kept = axes == 5 and np.isfinite(largest) and largest > 0
        yield Finding(
            claim, bool(kept), f"largest {largest:.1e} on a grid of {gradients.shape[2:4]}"
        )


def _smallest(entry: zoo.Architecture, worker: Worker, folder: Path) -> Iterator[Finding]:
    if entry.minimum_size is None or entry.input_shape is None:
        return
    shape = [entry.minimum_size, entry.minimum_size, entry.input_shape[2]]
    model = {"architecture": entry.name, "options": {"input_shape": shape}, "classes": 2}
    claim = f"builds at its minimum size, {shape[0]} pixels"
    try:
        _build(worker, model, folder)
    except WorkerFailed as error:
        yield Finding(claim, False, _short(error))
    else:
        yield Finding(claim, True, f"under {worker.backend.name}")


def _build(worker: Worker, model: dict[str, Any], folder: Path) -> dict[str, Any]:
    graph, weights = str(folder / "graph.json"), str(folder / "weights.safetensors")
    return worker.ask("build", model=model, seed=0, graph=graph, weights=weights)


def _predict(worker: Worker, model: dict[str, Any], folder: Path) -> np.ndarray:
    out = folder / "probabilities.npy"
    _ask(worker, "predict", model, folder, out=str(out))
    return np.load(out)


def _ask(worker: Worker, verb: str, model: dict[str, Any], folder: Path, **rest: Any) -> None:
    worker.ask(
        verb,
        model=model,
        weights=str(folder / "weights.safetensors"),
        data={"images": str(folder / "images.npy"), "scale": 1.0},
        **rest,
    )


def _short(error: WorkerFailed) -> str:
    """The beginning of a message: Keras shows whole arrays in some."""
    return " ".join(str(error).split())[:300]
