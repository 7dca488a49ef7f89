"""Training through `run` against the same Keras `fit` written by hand, on each backend.

    python benchmarks/training.py [--epochs 10] [--pairs 3] [--backend tensorflow ...]

Both train adamax_dropout's model on the same images, with validation, one after the other
(A B A B ...). The clock runs from the first batch to the last, start-up apart: for `run`
from the event 'training' to the event 'predicting', so that checkpoints, events and all else
that a run does on the way are in it; for `fit` around the call. What is printed is the ratio
pair by pair.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

BY_HAND = """
import json, sys, time
if {backend!r} != "tensorflow":
    sys.modules["tensorflow"] = None  # as `run` does: start-up only
import numpy as np, keras
from keras import layers
images = np.load({images!r}).astype("float32") / {white}
labels = np.eye(2, dtype="float32")[np.load({labels!r})]
sides = np.load({sides!r})
train, validation = sides == "train", sides == "validation"
model = keras.Sequential([
    layers.Input((64, 64, 1)),
    layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
    layers.MaxPooling2D(2), layers.Dropout(0.5), layers.Flatten(),
    layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.L2(0.1)),
    layers.Dropout(0.3), layers.Dense(2, activation="softmax"),
])
model.compile(keras.optimizers.Adamax(0.001), "categorical_crossentropy", metrics=["accuracy"],
              jit_compile={jit})
began = time.monotonic()
model.fit(images[train], labels[train], batch_size=64, epochs={epochs}, verbose=0,
          validation_data=(images[validation], labels[validation]))
print(json.dumps({{"seconds": time.monotonic() - began, "parameters": model.count_params()}}))
"""


def main() -> None:
    """Print one row a backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--backend", nargs="+", default=["tensorflow", "torch", "jax"])
    asked = parser.parse_args()
    print(f"{asked.epochs} epochs of 720 images, {asked.pairs} pairs, {os.cpu_count()} cores")
    print("| backend | run, s | fit by hand, s | ratio run / fit (each pair) | median |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        arrays = _arrays(Path(folder))
        for backend in asked.backend:
            pairs = [
                (
                    _through_run(backend, asked.epochs, Path(folder) / f"{backend}{number}"),
                    _by_hand(backend, asked.epochs, arrays),
                )
                for number in range(asked.pairs)
            ]
            _print_row(backend, pairs)


def _print_row(backend: str, pairs: list[tuple[float, float]]) -> None:
    runs, fits = zip(*pairs, strict=True)
    ratios = [run / fit for run, fit in pairs]
    each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    print(
        f"| {backend} | {statistics.median(runs):.1f} | {statistics.median(fits):.1f} "
        f"| {each} | {statistics.median(ratios):.3f} |",
        flush=True,
    )


def _arrays(folder: Path) -> dict[str, object]:
    """What `run` trains on, as plain arrays."""
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from radzoo.experiments import data, plan
    from radzoo.preprocessing import Pipeline, store

    spec = plan.plans(ROOT / "experiments" / "adamax_dropout.yaml")[0].spec
    cohort = data.load(spec.dataset)
    images = store.build(cohort.dataset, Pipeline(()), store.cache_folder())
    np.save(folder / "labels.npy", cohort.labels)
    np.save(folder / "sides.npy", cohort.sides)
    return {
        "images": str(images.path),
        "white": round(1 / images.scale),
        "labels": str(folder / "labels.npy"),
        "sides": str(folder / "sides.npy"),
    }


def _through_run(backend: str, epochs: int, out: Path) -> float:
    command = [
        sys.executable, str(ROOT / "cli.py"), "run",
        str(ROOT / "experiments" / "adamax_dropout.yaml"),
        "--backend", backend, "--device", "cpu", "--set", f"training.epochs={epochs}",
        "--out", str(out), "--json",
    ]  # fmt: skip
    moments = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or []:
            event = json.loads(line)
            if event["event"] == "stage":
                moments[event["name"]] = time.monotonic()
    return moments["predicting"] - moments["training"]


def _by_hand(backend: str, epochs: int, arrays: dict[str, object]) -> float:
    from radzoo.backends import registry

    entry = registry.get(backend)
    code = BY_HAND.format(backend=backend, epochs=epochs, jit=entry.jit_compile, **arrays)
    env = {**entry.tuning, **os.environ, **entry.env}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


if __name__ == "__main__":
    main()
