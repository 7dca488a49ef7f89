"""What image files hold, as SHA-256, remembered between runs.

A run is named by the content of its data, so every byte counts. Reading 45 GB at the start of
each run would be too slow: a file whose size and time of change are the same is not read again.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from . import paths, readers


class Digest(NamedTuple):
    """What one file holds."""

    sha256: str
    levels: int  # grey levels, as of `readers.levels`


def of_files(files: Sequence[Path]) -> list[Digest]:
    """The digest of each file, in order.

    Raises:
        OSError: a file cannot be read; look for missing files first.
    """
    memory = _memory(files)
    known = _recall(memory)
    digests, learnt = [], {}
    for file in files:
        status = file.stat()
        key = f"{file}|{status.st_size}|{status.st_mtime_ns}"
        if key not in known:
            learnt[key] = known[key] = _digest(file)
        digests.append(Digest(*known[key]))
    _remember(memory, learnt)
    return digests


def combined(*parts: object) -> str:
    """One SHA-256 of parts whose `repr` says all of them."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _digest(file: Path) -> Digest:
    with file.open("rb") as opened:
        start = opened.read(132)
        opened.seek(0)
        return Digest(hashlib.file_digest(opened, "sha256").hexdigest(), readers.levels(start))


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
