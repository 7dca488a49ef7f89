"""Images that lie as arrays in one .npz or .hdf5 file."""

import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .. import hdf5
from ..errors import DataError
from . import labels

if TYPE_CHECKING:
    import pandas as pd

LARGEST_SUSPECT = 256 * 2**20  # bytes that an array may claim before its claim is weighed
SPREAD = 100  # a larger one may be so many times what is stored of it: images never are
BLOCK = 256  # images of an HDF5 file that are read together, for its chunks hold many


class Part(NamedTuple):
    """One array of a file."""

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype


def parts(file: Path) -> dict[str, Part]:
    """Which arrays a file holds; none of them is read.

    Raises:
        DataError: the file is neither .npz nor HDF5.
    """
    with _explained(file, "is neither a sound .npz nor a sound HDF5 file"):
        if zipfile.is_zipfile(file):
            return {part.key: part for part in _npz_parts(file)}
        import h5py

        if h5py.is_hdf5(file):  # else the next line tells what it is not
            hdf5.check(file, texts=True)
        with h5py.File(file, "r") as opened:
            arrays = {key: opened[key] for key in opened if isinstance(opened[key], h5py.Dataset)}
            return {key: Part(key, array.shape, array.dtype) for key, array in arrays.items()}


def column(file: Path, key: str) -> np.ndarray:
    """All of one array, such as the labels.

    Raises:
        DataError: the file has no such array, or it is damaged.
    """
    held = parts(file)
    if key not in held:
        raise DataError(f"{file} has no array {key!r}. It has: {', '.join(sorted(held))}.")
    return _span(file, key, 0, held[key].shape[0] if held[key].shape else 1)


def image_parts(file: Path, keys: Sequence[str]) -> list[Part]:
    """The arrays of images, after a look at their shapes.

    Raises:
        DataError: one is missing, or is not (images, rows, columns) or (..., 1).
    """
    held = parts(file)
    problems = [
        f"has no array {key!r} (it has: {', '.join(sorted(held))})"
        for key in keys
        if key not in held
    ]
    found = [held[key] for key in keys if key in held]
    problems += [
        f"{part.key!r} has the shape {part.shape}, expected (images, rows, columns)"
        for part in found
        if not (len(part.shape) == 3 or (len(part.shape) == 4 and part.shape[-1] == 1))
    ]
    if problems:
        raise DataError(f"{file} cannot be used: " + "; ".join(problems) + ".")
    return found


def reader(file: Path, images: Sequence[Part]) -> Callable[[int], np.ndarray]:
    """Row number, counted through all arrays -> its pixels as they are stored, (rows, columns)."""
    lengths = [part.shape[0] for part in images]
    ends = np.cumsum(lengths)
    step = _step(file, images)

    @lru_cache(maxsize=max(2, len(lengths)))
    def block(part: int, number: int) -> np.ndarray:
        return _span(file, images[part].key, number * step, (number + 1) * step)

    def read(row: int) -> np.ndarray:
        part = int(np.searchsorted(ends, row, side="right"))
        inside = row - int(ends[part]) + lengths[part]
        pixels = block(part, inside // step)[inside % step]
        return pixels[..., 0] if pixels.ndim == 3 else pixels

    return read


def extremes(file: Path, images: Sequence[Part]) -> tuple[float, float]:
    """The least and the greatest pixel; NaN if there is a NaN."""
    step = _step(file, images)
    least, greatest = [], []
    for part in images:
        for start in range(0, part.shape[0], step):
            span = _span(file, part.key, start, start + step)
            least.append(span.min())
            greatest.append(span.max())
    return float(np.min(least)), float(np.max(greatest))


def described(
    ids: list[str], found: labels.Assigned, patients: np.ndarray | None, split: list[str] | None
) -> "pd.DataFrame":
    """The table of a dataset whose labels all have a class.

    Raises:
        ValueError: a label has none.
    """
    import pandas as pd

    if found.unknown:
        raise ValueError(f"labels without a class: {dict(found.unknown)}")
    named = None if patients is None else [labels.text_of(patient) or None for patient in patients]
    result = pd.DataFrame({"id": ids, "label": found.labels})
    result["patient"] = pd.Series(named, index=result.index, dtype="str")
    if split is not None:
        result["split"] = split
    return result


def _step(file: Path, images: Sequence[Part]) -> int:
    """How many images to read at once: a member of an .npz can be had as a whole only."""
    return max(part.shape[0] for part in images) if zipfile.is_zipfile(file) else BLOCK


def _npz_parts(file: Path) -> list[Part]:
    with zipfile.ZipFile(file) as archive:
        return [_npz_part(file, archive, member) for member in archive.infolist()]


def _npz_part(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Part:
    """One array by its header; what it claims must be there, and be no bomb."""
    name = member.filename
    with archive.open(member) as opened:
        version = np.lib.format.read_magic(opened)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise DataError(f"{file}: {name!r} has the header {version}; 1.0 and 2.0 are read.")
        shape, _, dtype = read_header(opened)
        header = opened.tell()
    if dtype.hasobject:
        raise DataError(f"{file}: {name!r} holds objects of Python, which are never read.")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != member.file_size - header:
        there = member.file_size - header
        raise DataError(f"{file}: {name!r} claims {claimed:,} bytes, and has {there:,}.")
    if claimed > max(LARGEST_SUSPECT, SPREAD * member.compress_size):
        raise DataError(
            f"{file}: {name!r} would become {claimed:,} bytes from {member.compress_size:,}, as no "
            "images do. Write it anew, not compressed."
        )
    return Part(name.removesuffix(".npy"), shape, dtype)


def _span(file: Path, key: str, start: int, stop: int) -> np.ndarray:
    with _explained(file, f"has an array {key!r} that cannot be read"):
        if zipfile.is_zipfile(file):
            with np.load(file, allow_pickle=False) as opened:
                return opened[key][start:stop]
        import h5py

        with h5py.File(file, "r") as opened:
            array = opened[key]
            if array.dtype.hasobject:  # texts, see `hdf5.check`
                return np.asarray(hdf5.texts_of(array)[start:stop], dtype=str)
            return np.asarray(array[start:stop])


@contextmanager
def _explained(file: Path, what: str) -> Iterator[None]:
    """Whatever NumPy, zipfile and h5py raise of a damaged file, and that is any error, names it."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        raise DataError(f"{file} {what}: {error}") from error
