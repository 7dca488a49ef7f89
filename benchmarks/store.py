"""Time and peak memory of the array store, and of reading it through once.

    python benchmarks/store.py [--images 100000] [--size 128] [--folder /tmp]

The images are noise with a square, drawn one by one; nothing of them says anything about
lungs. Each stage runs in a process of its own, whose peak resident memory is printed. The
folder needs 1 byte a pixel: 1.6 GB for 100,000 images of 128x128.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print one row a stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if asked.stage:
        print(json.dumps(STAGES[asked.stage](asked.images, asked.size, asked.folder)))
        return
    print(f"{asked.images} images of {asked.size}x{asked.size}, made up")
    print("| stage | seconds | images/s | peak memory, MB |")
    print("|---|---|---|---|")
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        for stage in STAGES:
            _print_row(stage, asked.images, asked.size, folder)
    finally:
        shutil.rmtree(folder)


def _print_row(stage: str, images: int, size: int, folder: Path) -> None:
    command = [sys.executable, __file__, "--stage", stage, "--images", str(images)]
    command += ["--size", str(size), "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, peak = json.loads(done.stdout)
    print(f"| {stage} | {seconds:.1f} | {images / seconds:.0f} | {peak:.0f} |", flush=True)


def _build(images: int, size: int, folder: Path) -> tuple[float, float]:
    from radzoo.preprocessing import Pipeline, store

    dataset = _dataset(images, size)
    began = time.monotonic()
    built = store.build(dataset, Pipeline(()), folder)
    (folder / "path.txt").write_text(f"{built.path}\n{built.scale}")
    return time.monotonic() - began, _peak_mb()


def _read(images: int, size: int, folder: Path) -> tuple[float, float]:
    """One epoch of batches in random order, as a worker reads them."""
    import numpy as np

    from radzoo.backends.worker.feed import Feed

    path, scale = (folder / "path.txt").read_text().split()
    np.save(folder / "labels.npy", np.arange(images) % 2)
    feed = Feed(path, float(scale), folder / "labels.npy")
    began = time.monotonic()
    seen = sum(len(batch) for batch, _, _ in feed.batches(np.arange(images), 64, 0, 0))
    assert seen == images
    return time.monotonic() - began, _peak_mb()


STAGES = {"build the store": _build, "one epoch of batches": _read}


def _dataset(images: int, size: int):  # type: ignore[no-untyped-def]
    import numpy as np
    import pandas as pd

    from radzoo.preprocessing import Dataset

    names = [f"{row:06d}" for row in range(images)]
    table = pd.DataFrame({"id": names, "label": np.arange(images) % 2, "patient": names})

    def read(row: int) -> np.ndarray:
        draw = np.random.default_rng(row)
        pixels = draw.integers(0, 200, (size, size), dtype="uint8")
        pixels[: size // 4, : size // 4] += np.uint8(50 * (row % 2))
        return pixels.astype("float32") / 255

    return Dataset("made_up", ("a", "b"), table, read, content="0" * 64, levels=256, synthetic=True)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
