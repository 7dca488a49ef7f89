"""What image files hold, as SHA-256, remembered between runs.

A run is named by the content of its data, so every byte counts. Reading 45 GB at the start of
each run would be too slow: a file whose size and time of change are the same is not read again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from . import paths, readers

Progress = Callable[[int, int], None]

CHUNK = 256  # files between two times that what was learnt is written down
THREADS = 8  # that read at once, at most

_WATCH: ContextVar[Progress | None] = ContextVar("watch", default=None)


class Digest(NamedTuple):
    """What one file holds."""

    sha256: str
    levels: int  # grey levels, as of `readers.levels`


def of_files(files: Sequence[Path]) -> list[Digest]:
    """The digest of each file, in order.

    A file that is there and cannot be read gets one of its own, which is not remembered: whoever
    reads its image will say why.

    Raises:
        OSError: a file is not there; look for missing files first.
    """
    memory = _memory(files)
    known = _recall(memory)
    keys = [_key(file) for file in files]
    new = {key: file for key, file in zip(keys, files, strict=True) if key not in known}
    known |= _learn(new, memory)
    return [known[key] for key in keys]


@contextmanager
def watched(progress: Progress) -> Iterator[None]:
    """Tell of files that are read by `of_files` in the block: how many of how many are done."""
    before = _WATCH.set(progress)
    try:
        yield
    finally:
        _WATCH.reset(before)


def _key(file: Path) -> str:
    status = file.stat()
    return f"{file}|{status.st_size}|{status.st_mtime_ns}"


def _learn(new: dict[str, Path], memory: Path) -> dict[str, Digest]:
    """Read files; an interruption costs a chunk of them."""
    watch, keys = _WATCH.get(), list(new)
    learnt: dict[str, Digest] = {}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, THREADS)) as pool:
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            found = dict(zip(chunk, pool.map(_digest, [new[key] for key in chunk]), strict=True))
            _remember(memory, {key: one for key, one in found.items() if one is not None})
            learnt |= {key: one or _unreadable(new[key]) for key, one in found.items()}
            if watch:
                watch(start + len(chunk), len(keys))
    return learnt


def _unreadable(file: Path) -> Digest:
    return Digest(combined("unreadable", str(file)), 256)


def combined(*parts: object) -> str:
    """One SHA-256 of parts whose `repr` says all of them."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _digest(file: Path) -> Digest | None:
    try:
        with file.open("rb") as opened:
            start = opened.read(132)
            opened.seek(0)
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            return Digest(sha256, readers.levels(start))
    except OSError:
        return None


def _memory(files: Sequence[Path]) -> Path:
    folder = os.path.commonpath([file.parent for file in files]) if files else ""
    return paths.cache_folder() / "digests" / (combined(folder)[:16] + ".jsonl")


def _recall(memory: Path) -> dict[str, Digest]:
    known = {}
    try:
        for line in memory.read_text().splitlines():
            with suppress(ValueError, TypeError):  # a line that a crash cut off
                key, *digest = json.loads(line)
                known[key] = Digest(*digest)
    except (OSError, UnicodeDecodeError):  # none yet: read the files
        return {}
    return known


def _remember(memory: Path, learnt: dict[str, Digest]) -> None:
    if not learnt:
        return
    lines = "".join(json.dumps([key, *digest]) + "\n" for key, digest in learnt.items())
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        with memory.open("a") as opened:  # one append: two processes do not mix their lines
            opened.write(lines)
    except OSError:  # an unwritable cache costs time here; `store` says so where it matters
        return
