"""Time and peak memory of the array store, stage by stage, and of reading it against RAM.

    python benchmarks/store.py [--images 112120] [--size 64] [--epochs 5] [--folder /tmp]

The images are PNG files of noise with a square, 112,120 as in NIH ChestX-ray14; nothing of them
says anything about lungs. Several numbers after --images show how time and memory grow. Each
stage runs in a process of its own. The folder needs some 4 bytes a pixel: 2 GB for 112,120 images
of 64x64. Files that were just written are read from the system's cache, not from the disk.

`read` goes through all images in random batches, as a worker does; from RAM it is the same with
the array read into memory. The median of --epochs is told. `train` is one epoch of `tiny_cnn` on
TensorFlow in the same batches, after a first step that compiles.
"""

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BATCH = 64
CHILDREN: list[float] = []  # peak memory of the processes that decode, MB


def main() -> None:
    """Print one row a stage and number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[112_120])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if asked.stage:
        seconds = STAGES[asked.stage](asked.images[0], asked.size, asked.epochs, asked.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([seconds, peak, max(CHILDREN, default=0)]))
        return
    print(f"SYNTHETIC images, PNG of {asked.size}x{asked.size}; {os.cpu_count()} cores")
    print("| images | stage | seconds | ms an image | peak memory, MB | of each child, MB |")
    print("|---|---|---|---|---|---|")
    for images in asked.images:
        folder = Path(tempfile.mkdtemp(dir=asked.folder))
        try:
            for stage in STAGES:
                _print_rows(stage, images, asked, folder)
        finally:
            shutil.rmtree(folder)


def _print_rows(stage: str, images: int, asked: argparse.Namespace, folder: Path) -> None:
    command = [sys.executable, __file__, "--stage", stage, "--images", str(images)]
    command += ["--size", str(asked.size), "--epochs", str(asked.epochs), "--folder", str(folder)]
    cache = {"RADZOO_CACHE": str(folder / "cache")}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **cache}
    )
    seconds, peak, child = json.loads(done.stdout)
    each = 1000 * seconds / images
    print(f"| {images:,} | {stage} | {seconds:.1f} | {each:.3f} | {peak:.0f} | {child:.0f} |")
    sys.stdout.flush()


def _draw(images: int, size: int, epochs: int, folder: Path) -> float:
    import cv2
    import numpy as np

    began = time.monotonic()
    with (folder / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "patient"])
        for row in range(images):
            pixels = np.random.default_rng(row).integers(0, 200, (size, size), dtype="uint8")
            pixels[: size // 4, : size // 4] += np.uint8(50 * (row % 2))
            place = folder / f"{row // 1000:03d}"
            place.mkdir(exist_ok=True)
            cv2.imwrite(str(place / f"{row:06d}.png"), pixels)
            rows.writerow([f"{row // 1000:03d}/{row:06d}.png", row % 2, f"p{row // 4}"])
    return time.monotonic() - began


def _load(images: int, size: int, epochs: int, folder: Path) -> float:
    return _timed(lambda: _dataset(folder))


def _build(images: int, size: int, epochs: int, folder: Path) -> float:
    from radzoo.preprocessing import prepare, store

    dataset, built = _dataset(folder), []
    threading.Thread(target=_watch_children, daemon=True).start()

    def build() -> None:
        built.append(store.build(dataset, prepare.pipeline(size), store.cache_folder()))

    seconds = _timed(build)
    (folder / "path.txt").write_text(f"{built[0].path}\n{built[0].scale}")
    return seconds


def _read(images: int, size: int, epochs: int, folder: Path) -> float:
    return _epochs(images, epochs, folder, in_ram=False)


def _read_ram(images: int, size: int, epochs: int, folder: Path) -> float:
    return _epochs(images, epochs, folder, in_ram=True)


def _epochs(images: int, epochs: int, folder: Path, in_ram: bool) -> float:
    import numpy as np

    feed = _feed(folder, images, in_ram)
    times = []
    for epoch in range(epochs):
        began = time.monotonic()
        batches = feed.batches(np.arange(images), BATCH, 0, epoch)
        assert sum(len(batch) for batch, _, _ in batches) == images
        times.append(time.monotonic() - began)
    return statistics.median(times)


def _feed(folder: Path, images: int, in_ram: bool) -> Any:
    import numpy as np

    from radzoo.backends.worker.feed import Feed

    class InRam(Feed):
        """The same, with the array in memory."""

        def images(self, rows: Any) -> Any:
            return held[rows].astype("float32") * self._scale

    path, scale = (folder / "path.txt").read_text().split()
    np.save(folder / "labels.npy", np.arange(images) % 2)
    held = np.load(path) if in_ram else None
    return (InRam if in_ram else Feed)(path, float(scale), folder / "labels.npy")


def _train(images: int, size: int, epochs: int, folder: Path) -> float:
    return _trained(images, size, folder, in_ram=False)


def _train_ram(images: int, size: int, epochs: int, folder: Path) -> float:
    return _trained(images, size, folder, in_ram=True)


def _trained(images: int, size: int, folder: Path, in_ram: bool) -> float:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import numpy as np

    from radzoo import zoo

    model = zoo.build("tiny_cnn", keras, classes=2, input_shape=(size, size, 1))
    model.compile("adam", loss="categorical_crossentropy", jit_compile=False)
    feed = _feed(folder, images, in_ram)
    first, labels, _ = next(feed.batches(np.arange(images), BATCH, 0, 0))
    model.train_on_batch(first, labels)
    began = time.monotonic()
    for batch, labels, _ in feed.batches(np.arange(images), BATCH, 0, 1):
        model.train_on_batch(batch, labels)
    return time.monotonic() - began


STAGES: dict[str, Callable[[int, int, int, Path], float]] = {
    "draw the files": _draw,
    "load, every file is hashed": _load,
    "load again, digests are known": _load,
    "build the store": _build,
    "read an epoch from the store": _read,
    "read an epoch from RAM": _read_ram,
    "train an epoch from the store": _train,
    "train an epoch from RAM": _train_ram,
}


def _dataset(folder: Path) -> Any:
    from radzoo import preprocessing

    return preprocessing.load("table", path=str(folder / "list.csv"), classes=[0, 1])


def _timed(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _watch_children() -> None:
    """Note the memory of each process that this one has, in MB, ten times a second."""
    import psutil

    while True:
        for child in psutil.Process().children():
            with suppress(psutil.Error):  # it has just ended
                CHILDREN.append(child.memory_info().rss / 2**20)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
