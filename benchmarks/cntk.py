"""Training on CNTK through our engine, through Keras 2.3.1, and on TensorFlow, side by side.

    python benchmarks/cntk.py [--batch 64 128 256] [--rounds 3] [--epochs 2] [--images 512]

All train the thesis's first CNN (`baseline_cnn`) on the same random images of 64x64, without
validation, one after the other in each round, so that a busy machine is busy for all of them.
Each gets all cores. Keras 2.3.1 is asked once as it comes (channels last, with accuracy) and
once as it is quickest: channels first, no metrics, and in the environment of our engine. The
first epoch is not counted. Printed are images a second (the median of the rounds), the ratios
to the two round by round, and the most memory that a round took; ours is that of worker and
engine together.

Needs the backends cntk, in Python 3.6, and tensorflow; brings Keras 2.3.1 into a temporary folder.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERAS = [
    "keras==2.3.1", "keras-applications==1.0.8", "keras-preprocessing==1.1.2",
    "h5py==2.10.0", "pyyaml==5.4.1", "six==1.16.0",
]  # fmt: skip
STOCK = {"Keras 2.3.1": ("channels_last", True), "Keras 2.3.1, quickest": ("channels_first", False)}
OF_OURS = ("KMP_", "MKL_DEBUG_")  # of the environment, what Keras 2.3.1 gets when it is to be quick
OURS = {"radzoo": "cntk", "TensorFlow": "tensorflow"}

STOCK_CODE = """
import json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np
order, metrics, batch, epochs, images, labels = json.loads(sys.argv[1])
from keras import backend, layers, models, optimizers, regularizers
backend.set_image_data_format(order)
images, labels = np.load(images), np.eye(2, dtype="float32")[np.load(labels)]
if order == "channels_first":
    images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
model = models.Sequential([
    layers.Conv2D(32, 3, activation="relu", input_shape=images.shape[1:]),
    layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Dropout(0.25),
    layers.Flatten(),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.l2(0.1)),
    layers.Dense(2, activation="softmax"),
])
assert model.count_params() == 1852962
kept = ["accuracy"] if metrics else None
model.compile(optimizers.Adamax(0.001), "categorical_crossentropy", metrics=kept)
seconds = []
for epoch in range(epochs + 1):
    began = time.time()
    model.fit(images, labels, batch_size=batch, epochs=1, verbose=0)
    seconds.append(time.time() - began)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print("\\n" + json.dumps({"seconds": seconds[1:], "peak_mb": peak}))
"""


def main() -> None:
    """Print one row a batch size and way of training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--images", type=int, default=512)
    asked = parser.parse_args()
    print(f"{asked.rounds} rounds of {asked.epochs} epochs of {asked.images} images,", _machine())
    print("| batch | trained by | images/s | times Keras 2.3.1 | times its quickest | peak, MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stock = _bring_keras(folder)
        _write_images(folder, asked.images)
        for batch in asked.batch:
            rounds = [_round(stock, folder, batch, asked.epochs) for _ in range(asked.rounds)]
            _print_rows(batch, asked.images, rounds)


def _machine() -> str:
    sys.path.insert(0, str(ROOT))
    from radzoo.experiments import provenance

    return f"{provenance.machine()['processor']}, {platform.system()}, {provenance.now()[:10]}"


def _bring_keras(folder: Path):
    """CNTK's runtime with Keras 2.3.1 on its path: (command, environment)."""
    from radzoo.backends import legacy

    runtime = legacy.get("cntk").find()
    site = folder / "keras"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), "--no-deps",
            "--only-binary=:all:", "--implementation=cp", "--abi=cp36m", "--abi=none",
            "--python-version=36", "--platform=manylinux1_x86_64", "--no-compile", *KERAS,
        ],
        check=True,
    )  # fmt: skip
    environment = runtime.environment(len(os.sched_getaffinity(0)))
    path = os.pathsep.join([str(runtime.site), str(site)])
    home = {"HOME": str(folder), "KERAS_HOME": str(folder)}  # Keras writes a file into it
    return runtime.python, {**environment, **home, "PYTHONPATH": path, "KERAS_BACKEND": "cntk"}


def _write_images(folder: Path, count: int) -> None:
    import numpy as np

    draw = np.random.default_rng(0)
    np.save(folder / "images.npy", draw.random((count, 64, 64, 1), dtype="float32"))
    np.save(folder / "labels.npy", np.arange(count) % 2)


def _round(stock: tuple, folder: Path, batch: int, epochs: int) -> dict[str, dict]:
    found = {name: _stock(stock, how, folder, batch, epochs) for name, how in STOCK.items()}
    found |= {name: _worker(backend, folder, batch, epochs) for name, backend in OURS.items()}
    return found


def _stock(stock: tuple, how: tuple, folder: Path, batch: int, epochs: int) -> dict:
    python, environment = stock
    if how == STOCK["Keras 2.3.1"]:
        environment = {k: v for k, v in environment.items() if not k.startswith(OF_OURS)}
    arguments = [*how, batch, epochs, str(folder / "images.npy"), str(folder / "labels.npy")]
    done = subprocess.run(
        [python, "-s", "-c", STOCK_CODE, json.dumps(arguments)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _worker(backend: str, folder: Path, batch: int, epochs: int) -> dict:
    """The same in a worker, whose history tells the images a second of its training alone."""
    from radzoo import backends

    rows = list(range(len(_labels(folder))))
    model = {"architecture": "baseline_cnn", "options": {}, "classes": 2}
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        backends.connect(backend, "cpu") as worker,
    ):
        run = Path(name)
        initial = str(run / "initial.safetensors")
        worker.ask("build", model=model, seed=0, graph=str(run / "graph.json"), weights=initial)
        optimizer = {"name": "adamax", "learning_rate": 0.001}
        plan = {
            "folder": name, "seed": 0, "rows": {"train": rows, "validation": rows[:batch]},
            "phases": [{"epochs": epochs + 1, "frozen_until": None, "optimizer": optimizer}],
            "batch_size": batch, "class_weight": None, "augmentation": None,
            "loss": "categorical_crossentropy", "monitor": "val_loss", "restore_best": False,
            "early_stopping": None, "reduce_on_plateau": None, "jit_compile": None,
            "precision": "float32",
        }  # fmt: skip
        data = {key: str(folder / f"{key}.npy") for key in ("images", "labels")}
        out = str(run / "weights.safetensors")
        done = worker.ask("train", model=model, weights=initial, data=data, plan=plan, out=out)
    seconds = [len(rows) / row["images_per_s"] for row in done["history"][1:]]
    return {"seconds": seconds, "peak_mb": done["peak_memory_mb"]}


def _labels(folder: Path):
    import numpy as np

    return np.load(folder / "labels.npy")


def _print_rows(batch: int, images: int, rounds: list[dict[str, dict]]) -> None:
    speeds = {
        name: [images / statistics.median(one[name]["seconds"]) for one in rounds]
        for name in rounds[0]
    }
    for name, found in speeds.items():
        peak = max(one[name]["peak_mb"] for one in rounds)
        to_stock = " | ".join(_ratio(found, speeds[stock]) for stock in STOCK)
        print(
            f"| {batch} | {name} | {statistics.median(found):.0f} | {to_stock} | {peak:.0f} |",
            flush=True,
        )


def _ratio(found: list[float], stock: list[float]) -> str:
    ratios = [one / other for one, other in zip(found, stock, strict=True)]
    each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"{statistics.median(ratios):.2f} ({each})"


if __name__ == "__main__":
    main()
