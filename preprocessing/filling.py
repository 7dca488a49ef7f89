"""A draft gets its images: decoded by threads or processes, or copied from other arrays."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from ..errors import DataError
from . import decoding, digests, draft
from .decoding import Decode, Fault, Job, Layout, Read
from .donors import Donors
from .draft import BLOCK, Draft
from .pipeline import Pipeline
from .registry import Dataset

Progress = Callable[[int, int], None]

MANY = 2000  # images from which processes of their own are worth their start
THREADS = 8  # that read at once in this process, at most


@dataclass(frozen=True)
class Work:
    """What array is to be made, and how.

    Attributes:
        dataset: whose images are read.
        pipeline: what is done to each.
        cache: the folder of arrays.
        progress: called with (images done, images in all).
        processes: that decode, as `store.build` says.
        strict: whether an image that cannot be read ends it.
    """

    dataset: Dataset
    pipeline: Pipeline
    cache: Path
    progress: Progress
    processes: int | None
    strict: bool

    @property
    def path(self) -> Path:
        """Of the array."""
        return self.named(self.dataset.image_digests)

    def named(self, images: tuple[str, ...]) -> Path:
        """The path of the array of images with these digests; of the dataset if it has none."""
        content = digests.combined(images, self.dataset.levels) if images else self.dataset.content
        return self.cache / f"{content[:20]}-{self.pipeline.key[:20]}.npy"


def begun(work: Work, faults: list[Fault]) -> tuple[Draft, Read] | None:
    """Take up the draft that was left, or begin one.

    Args:
        work: what is to be made.
        faults: gets the images that could not be read before one could.

    Returns:
        The draft, and what reads its images; None if no image can be read.

    Raises:
        DataError: an image cannot be read, and the work is strict.
        OSError: the draft cannot be written.
    """
    path, total = work.path.with_suffix(".partial"), len(work.dataset.table)
    dtype, white = _dtype(work.dataset, work.pipeline)
    left = draft.resume(path, total, dtype.str, white, work.strict)
    if left is not None:
        return left, work.dataset.read
    for row in range(total):
        try:
            image = work.dataset.read(row)
            shape = decoding.with_channels(work.pipeline(image)).shape
        except (DataError, OSError) as error:
            faults.append(Fault(row, str(error)))
            if work.strict:
                _refuse(work, faults[0], ())
            continue
        rows, columns, channels = shape
        layout = Layout((total, rows, columns, channels), dtype.str, white)
        # the image that told the size is not read again
        return draft.begin(path, layout), partial(_unless, row, image, work.dataset.read)
    return None


def _unless(known: int, image: np.ndarray, read: Read, row: int) -> np.ndarray:
    return image if row == known else read(row)


def _dtype(dataset: Dataset, pipeline: Pipeline) -> tuple[np.dtype, int]:
    """What the pixels are stored as, and which stored value is white."""
    if dataset.levels is None:
        return np.dtype("<f4"), 1
    if dataset.levels <= 256 and pipeline.keeps_levels:
        return np.dtype("u1"), 255
    return np.dtype("<u2"), 65535


def fill(made: Draft, read: Read, work: Work) -> None:
    """Put the images into a draft that are not in it yet, a few blocks ahead of its journal.

    Raises:
        DataError: an image cannot be read or differs in size, and the work is strict.
        OSError: the draft cannot be written.
        Failure: a process that decodes ended.
    """
    total, images = len(work.dataset.table), work.dataset.image_digests
    if made.done:
        work.progress(made.done, total)
    job = Job(read, work.pipeline, made.path, made.layout)
    with Donors(work.path, made.layout, images[made.done :]) as donors:
        new = sum(not images or images[row] not in donors for row in range(made.done, total))
        processes = work.processes or _processes(job, new)
        threads = processes if processes > 1 else min(_cores(), THREADS)
        with decoding.workers(job, processes) as decode, _threads(threads) as pool:
            block = partial(_block, made, decode, images, donors)
            waiting: deque[tuple[range, Future[list[Fault]]]] = deque()
            for start in range(made.done, total, BLOCK):
                rows = range(start, min(start + BLOCK, total))
                waiting.append((rows, pool.submit(block, rows)))
                if len(waiting) > threads + 1:
                    _record(made, work, *waiting.popleft())
            while waiting:
                _record(made, work, *waiting.popleft())


def _block(
    made: Draft, decode: Decode, images: Sequence[str], donors: Donors, rows: range
) -> list[Fault]:
    known = [row for row in rows if images and images[row] in donors]
    for row in known:
        made.put(row, donors.get(images[row]))
    new = sorted(set(rows) - set(known))
    return decode(new) if new else []


def _record(made: Draft, work: Work, rows: range, faults: "Future[list[Fault]]") -> None:
    found = faults.result()
    if found and work.strict:
        _refuse(work, found[0], made.layout.shape)
    made.record(rows.stop, found)
    for row in rows:
        work.progress(row + 1, made.layout.shape[0])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes(job: Job, images: int) -> int:
    return _cores() if images >= MANY and decoding.can_travel(job) else 1


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:  # after an error, what has not begun is not begun
        pool.shutdown(cancel_futures=True)


def _refuse(work: Work, fault: Fault, shape: tuple[int, ...]) -> NoReturn:
    ids = work.dataset.table["id"]
    if not fault.shape:
        raise DataError(f"Image {ids.iloc[fault.row]!r} of {work.dataset.name!r}: {fault.why}")
    raise DataError(
        f"Images differ in size after the steps: {ids.iloc[0]!r} has {shape[1]} x {shape[2]} "
        f"pixels, {ids.iloc[fault.row]!r} has {fault.shape[0]} x {fault.shape[1]}. Add the step "
        "{name: resize, rows: ..., columns: ...}."
    )
