"""Steps of training and prediction with Keras's own functions and with ours in their place.

    python benchmarks/shortcuts.py [MODEL ...] [--backend torch jax] [--batch 32] [--steps 15]

Both networks are in one process and take their steps in turns, on the same random images, so what
else the machine does falls on both alike. See backends/worker/shortcuts.py.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CODE = """
import json, sys, time
import keras, numpy as np
from radzoo import zoo
from radzoo.backends.worker import shortcuts

name, batch, steps, jit = {name!r}, {batch}, {steps}, {jit}
nn = __import__(f"keras.src.backend.{{keras.backend.backend()}}.nn", fromlist=["nn"])
KEPT = "max_pool", "_transpose_spatial_inputs"

def functions():
    return {{key: getattr(nn, key) for key in KEPT if hasattr(nn, key)}}

draw = np.random.default_rng(0)
images = draw.random((batch, *zoo.get(name).input_shape), dtype="float32")
labels = np.eye(2, dtype="float32")[np.arange(batch) % 2]

def network():
    made = zoo.build(name, keras, classes=2)
    made.compile(keras.optimizers.Adamax(0.001), "categorical_crossentropy", jit_compile=jit)
    return made

def train(made):
    made.train_on_batch(images, labels, return_dict=True)

def predict(made):
    np.asarray(made.predict_on_batch(images))

sides = [(functions(), network())]
shortcuts.take()
sides.append((functions(), network()))
for do in train, predict:
    times = [[], []]
    for turn in range(-3, steps):
        for side, (own, made) in enumerate(sides):
            vars(nn).update(own)
            began = time.perf_counter()
            do(made)
            if turn >= 0:
                times[side].append(time.perf_counter() - began)
    print(json.dumps([do.__name__, *[float(np.median(side)) for side in times],
          [before / after for before, after in zip(*times)]]))
"""


def main() -> None:
    """Print one row a model, backend and kind of step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["baseline_cnn", "chest_xray_cnn"])
    parser.add_argument("--backend", nargs="+", default=["torch", "jax"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=15)
    asked = parser.parse_args()
    print(f"batch {asked.batch}, {asked.steps} steps of each, in turns, {os.cpu_count()} cores")
    print("| model | step | backend | Keras's, images/s | ours, images/s | ratio (p10 to p90) |")
    print("|---|---|---|---|---|---|")
    for name in asked.models:
        for backend in asked.backend:
            for line in _measured(name, backend, asked).splitlines():
                _print(name, backend, asked.batch, json.loads(line))


def _measured(name: str, backend: str, asked: argparse.Namespace) -> str:
    sys.path.insert(0, str(ROOT))
    from radzoo.backends import registry

    entry = registry.get(backend)
    code = CODE.format(name=name, batch=asked.batch, steps=asked.steps, jit=entry.jit_compile)
    env = {**entry.environment("cpu"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def _print(name: str, backend: str, batch: int, row: list) -> None:
    import numpy as np

    kind, before, after, ratios = row
    low, middle, high = np.quantile(ratios, [0.1, 0.5, 0.9])
    speeds = f"{batch / before:.0f} | {batch / after:.0f}"
    print(f"| {name} | {kind} | {backend} | {speeds} | {middle:.2f} ({low:.2f} to {high:.2f}) |")


if __name__ == "__main__":
    main()
