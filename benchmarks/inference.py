"""What one film waits for a network: from a warm worker, and from one that reads its weights.

    python benchmarks/inference.py [MODEL ...] [--backend tensorflow ...] [--films 30]

A film asks for probabilities and for the gradients that a heatmap is made of. `warm` is how the
reading room asks; for `cold weights` the file of weights is touched before every film, so that the
worker reads it again, as it did for every request until 2026-11-27; `eight` is eight films asked
about together, a film. The three take turns.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOGETHER = 8


def main() -> None:
    """Print one row a model and backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["baseline_cnn", "densenet121_transfer"])
    parser.add_argument("--backend", nargs="+", default=["tensorflow", "torch", "jax"])
    parser.add_argument("--films", type=int, default=30)
    asked = parser.parse_args()
    print(f"{asked.films} films each, in turns, {os.cpu_count()} cores; median (p95) in ms a film")
    print("| model | backend | cold weights | warm | ratio | eight together, a film | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name in asked.models:
        for backend in asked.backend:
            with tempfile.TemporaryDirectory() as folder:
                _print(name, backend, _measured(name, backend, asked.films, Path(folder)))


def _measured(name: str, backend: str, films: int, folder: Path) -> list[list[float]]:
    """Seconds a film of the three ways."""
    sys.path.insert(0, str(ROOT))
    import numpy as np

    from radzoo import backends, zoo

    entry, weights = zoo.get(name), folder / "weights.safetensors"
    model = {"architecture": name, "options": {}, "classes": 2}
    draw = np.random.default_rng(0)
    for count in 1, TOGETHER:
        np.save(folder / f"{count}.npy", draw.random((count, *entry.input_shape), dtype="float32"))
    with backends.connect(backend, "cpu") as worker:
        worker.ask("build", model=model, seed=0, graph=str(folder / "g.json"), weights=str(weights))

        def ask(count: int) -> None:
            given = {"model": model, "weights": str(weights)}
            given["data"] = {"images": str(folder / f"{count}.npy")}
            worker.ask("predict", out=str(folder / "p.npy"), **given)
            out = str(folder / "g.npz")
            worker.ask("gradients", layer=entry.heatmap_layer, out=out, **given)

        return _in_turns(ask, weights, films)


def _in_turns(ask: Callable[[int], None], weights: Path, films: int) -> list[list[float]]:
    found: list[list[float]] = [[], [], []]
    for turn in range(-2, films):
        for way, count in enumerate((1, 1, TOGETHER)):
            if way == 0:
                weights.touch()
            began = time.perf_counter()
            ask(count)
            if turn >= 0:
                found[way].append((time.perf_counter() - began) / count)
    return found


def _print(name: str, backend: str, found: list[list[float]]) -> None:
    middle = [statistics.median(way) for way in found]
    late = [statistics.quantiles(way, n=20)[-1] for way in found]
    cold, warm, eight = (
        f"{1e3 * m:.0f} ({1e3 * p:.0f})" for m, p in zip(middle, late, strict=True)
    )
    once, together = middle[0] / middle[1], middle[1] / middle[2]
    print(f"| {name} | {backend} | {cold} | {warm} | {once:.1f} | {eight} | {together:.1f} |")


if __name__ == "__main__":
    main()
