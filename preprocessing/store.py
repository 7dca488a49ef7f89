"""Preprocessed images as one array on disk: made once, mapped by every worker.

The array is named by the content of the images and by the steps, so it is never stale. Its
side file, written last, says that it is whole. Images that another array made by the same steps
holds are copied from there. Memory does not grow with the dataset.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import RunError
from . import draft, filling
from .decoding import Fault, Layout
from .donors import note_rows
from .draft import Draft
from .filling import Progress, Work
from .paths import CACHE, cache_folder
from .pipeline import Pipeline
from .registry import Dataset

__all__ = ["Store", "build", "build_readable", "cache_folder"]


@dataclass(frozen=True)
class Store:
    """An array of images on disk.

    Attributes:
        path: of the .npy file.
        shape: (images, rows, columns, channels).
        dtype: "uint8", "uint16" or "float32".
        scale: a stored value times `scale` lies in [0, 1].
        sha256: of the file.
    """

    path: Path
    shape: tuple[int, int, int, int]
    dtype: str
    scale: float
    sha256: str

    def images(self) -> np.ndarray:
        """The stored values, mapped, not read; multiply by `scale`."""
        return np.load(self.path, mmap_mode="r")


def build(
    dataset: Dataset,
    pipeline: Pipeline,
    cache: Path,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Store:
    """Make the array of a dataset, or find the one that was made before.

    8 bits are kept if the dataset has them and the steps keep its grey levels, 16 bits if
    the dataset's pixels come from whole numbers (an error of at most 1/131070), floats else.
    What was interrupted goes on where it stopped, by any signal.

    Args:
        dataset: whose images are read, by several threads or processes at once.
        pipeline: what is done to each.
        cache: the folder, made if missing; see `cache_folder`.
        progress: called with (images done, images in all) as the work goes on.
        processes: that decode; 1 means threads of this one. If not given, one a core for
            2,000 images and more that another process can read, else 1.

    Raises:
        DataError: an image cannot be read, or images differ in size after the steps.
        RunError: the folder cannot be written, or the disk is full.
    """
    work = Work(dataset, pipeline, Path(cache), progress or _silent, processes, strict=True)
    with _alone(work.path):
        found = _find(work.path) or _made(work)[0]
    assert found is not None, "strict work is refused sooner"
    return found


def build_readable(
    dataset: Dataset,
    pipeline: Pipeline,
    cache: Path,
    progress: Progress | None = None,
    processes: int | None = None,
) -> tuple[Store | None, Mapping[int, str]]:
    """Make the array as `build` does, and go on after images that cannot be read.

    Returns:
        The array, and why by row number for each image that is not in it. If any is not, the
        array is that of the dataset without these images, which `build` will find; None if
        none is left, or the dataset does not tell its images' digests.

    Raises:
        RunError: the folder cannot be written, or the disk is full.
    """
    work = Work(dataset, pipeline, Path(cache), progress or _silent, processes, strict=False)
    with _alone(work.path):
        found = _find(work.path)
        return (found, {}) if found else _made(work)


def _silent(done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the array's lock; the kernel takes it back from a process that dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except RunError:
        raise
    except OSError as error:
        raise RunError(
            f"The array of images cannot be kept in {path.parent}: {error.strerror or error}. "
            f"Free some space there, or set {CACHE} to a folder that can be written."
        ) from error


def _find(path: Path) -> Store | None:
    try:
        said = json.loads(path.with_suffix(".json").read_text())
        if path.stat().st_size != said.pop("bytes"):
            return None
        return Store(path=path, **said | {"shape": tuple(said["shape"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # not made yet, or damaged: make it


def _made(work: Work) -> tuple[Store | None, dict[int, str]]:
    """The array, and why by row for each image that is not in it."""
    faults: list[Fault] = []
    opened = filling.begun(work, faults)
    if opened is None:
        return None, {fault.row: fault.why for fault in faults}
    made, read = opened
    with made:
        filling.fill(made, read, work)
        if not made.faults:
            return _published(made, work.path, work.dataset.image_digests), {}
        return _without_faults(made, work), {fault.row: fault.why for fault in made.faults}


def _published(made: Draft, path: Path, images: Sequence[str]) -> Store:
    """Give the array its name, then write the side file that says it is whole."""
    dtype = np.dtype(made.layout.dtype).name
    store = Store(path, made.layout.shape, dtype, 1 / made.layout.white, made.sha256())
    said = {key: value for key, value in asdict(store).items() if key != "path"}
    side, written = path.with_suffix(".json"), path.with_suffix(".json-partial")
    with written.open("w") as file:
        json.dump(said | {"bytes": made.layout.size}, file)
        file.flush()
        os.fsync(file.fileno())
    made.path.replace(path)
    if images:
        note_rows(path, images)
    written.replace(side)
    return store


def _without_faults(made: Draft, work: Work) -> Store | None:
    """The array of the images that could be read, under the name of these alone."""
    images, bad = work.dataset.image_digests, {fault.row for fault in made.faults}
    sound = [row for row in range(made.done) if row not in bad]
    if not images or not sound:
        return None
    kept = tuple(images[row] for row in sound)
    path = work.named(kept)
    layout = Layout((len(sound), *made.layout.shape[1:]), made.layout.dtype, made.layout.white)
    with _alone(path):
        found = _find(path)
        if found is not None:
            return found
        with draft.begin(path.with_suffix(".partial"), layout) as copy:
            for place, row in enumerate(sound):
                copy.put(place, made.row(row))
            copy.record(len(sound), [])
            return _published(copy, path, kept)
