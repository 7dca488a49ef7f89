"""Preprocessed images as one array on disk: made once, mapped by every worker.

The array is named by the content of the dataset and by the steps, so it is never stale. Its
side file, written last, says that it is whole. Memory does not grow with the dataset.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, RunError
from .paths import CACHE, cache_folder
from .pipeline import Pipeline
from .registry import Dataset

__all__ = ["Store", "build", "cache_folder"]

Progress = Callable[[int, int], None]

BATCH = 32  # images that are read at once and held in memory


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
    dataset: Dataset, pipeline: Pipeline, cache: Path, progress: Progress | None = None
) -> Store:
    """Make the array of a dataset, or find the one that was made before.

    8 bits are kept if the dataset has them and the steps keep its grey levels, 16 bits if
    the dataset's pixels come from whole numbers (an error of at most 1/131070), floats else.

    Args:
        dataset: whose images are read, by several threads at once.
        pipeline: what is done to each.
        cache: the folder, made if missing; see `cache_folder`.
        progress: called with (images done, images in all) as the work goes on.

    Raises:
        DataError: an image cannot be read, or images differ in size after the steps.
        RunError: the folder cannot be written, or the disk is full.
    """
    path = Path(cache) / f"{dataset.content[:20]}-{pipeline.key[:20]}.npy"
    with _writable(path), _alone(path):
        found = _find(path)
        if found is None:
            found = _written(path, dataset, pipeline, progress or _silent)
        return found


def _silent(done: int, total: int) -> None:
    """Report nothing."""


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except RunError:
        raise
    except OSError as error:
        raise RunError(
            f"The array of images cannot be kept in {path.parent}: {error.strerror or error}. "
            f"Free some space there, or set {CACHE} to a folder that can be written."
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the array's lock; the kernel takes it back from a process that dies."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:  # what was begun and not finished would fill the disk
            path.with_suffix(".partial").unlink(missing_ok=True)


def _find(path: Path) -> Store | None:
    try:
        said = json.loads(path.with_suffix(".json").read_text())
        if path.stat().st_size != said.pop("bytes"):
            return None
        return Store(path=path, **said | {"shape": tuple(said["shape"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # not made yet, or damaged: make it


def _written(path: Path, dataset: Dataset, pipeline: Pipeline, progress: Progress) -> Store:
    dtype, largest = _dtype(dataset, pipeline)
    digest, partial, total = hashlib.sha256(), path.with_suffix(".partial"), len(dataset.table)
    first: tuple[int, ...] = ()
    with partial.open("wb") as file:
        for row, image in enumerate(_images(dataset, pipeline)):
            first = first or image.shape
            _check_shape(dataset, row, image.shape, first)
            stored = image if largest == 1 else np.rint(image * largest)
            header = _header((total, *first), dtype) if row == 0 else b""
            data = header + stored.astype(dtype).tobytes()
            digest.update(data)
            file.write(data)
            progress(row + 1, total)
        file.flush()
        os.fsync(file.fileno())
    rows, columns, channels = first
    shape = (total, rows, columns, channels)
    store = Store(path, shape, dtype.name, 1 / largest, digest.hexdigest())
    _publish(store, partial)
    return store


def _dtype(dataset: Dataset, pipeline: Pipeline) -> tuple[np.dtype, int]:
    """What the pixels are stored as, and which stored value is white."""
    if dataset.levels is None:
        return np.dtype("<f4"), 1
    if dataset.levels <= 256 and pipeline.keeps_levels:
        return np.dtype("u1"), 255
    return np.dtype("<u2"), 65535


def _images(dataset: Dataset, pipeline: Pipeline) -> Iterator[np.ndarray]:
    """Each image after the steps, (rows, columns, channels), a few ahead of the writer."""

    def one(row: int) -> np.ndarray:
        try:
            image = pipeline(dataset.read(row))
        except (DataError, OSError) as error:
            named = dataset.table["id"].iloc[row]
            raise DataError(f"Image {named!r} of {dataset.name!r}: {error}") from error
        return image[..., np.newaxis] if image.ndim == 2 else image

    total = len(dataset.table)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        for start in range(0, total, BATCH):
            yield from pool.map(one, range(start, min(start + BATCH, total)))


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    import io

    buffer = io.BytesIO()
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


def _check_shape(
    dataset: Dataset, row: int, shape: tuple[int, ...], first: tuple[int, ...]
) -> None:
    if shape != first:
        ids = dataset.table["id"]
        raise DataError(
            f"Images differ in size after the steps: {ids.iloc[0]!r} has {first[0]} x {first[1]} "
            f"pixels, {ids.iloc[row]!r} has {shape[0]} x {shape[1]}. Add the step "
            "{name: resize, rows: ..., columns: ...}."
        )


def _publish(store: Store, partial: Path) -> None:
    """Give the array its name, then write the side file that says it is whole."""
    size = partial.stat().st_size
    said = {key: value for key, value in asdict(store).items() if key != "path"} | {"bytes": size}
    side = store.path.with_suffix(".json")
    draft = store.path.with_suffix(".json-partial")
    with draft.open("w") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(store.path)
    draft.replace(side)
