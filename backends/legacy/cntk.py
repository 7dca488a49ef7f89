"""CNTK's runtime: found, installed and removed, in the user's cache folder.

    <cache>/legacy/cntk.lock              who holds it may change what follows
    <cache>/legacy/cntk/runtime.json      where the runtime is; written last
    <cache>/legacy/cntk/build-XXXX/site   the packages

An install works in a folder of its own, so what was there before serves until it is done.
"""

import fcntl
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ...errors import BackendUnavailable
from . import interpreters, packages, runtime, stand_ins
from .interpreters import Interpreter
from .runtime import Runtime

Tell = Callable[[str], None]

LINUX = ("linux", "x86_64")
END = 1500  # characters of what CNTK says when it does not start; the reason comes last
GPU_NEEDS = " CNTK for the GPU does not load without an NVIDIA driver; without --gpu it needs none."


def find() -> Runtime | None:
    """The runtime that is installed, if there is one and its interpreter still is."""
    return runtime.read(_folder())


def install(
    python: str | Path | None = None, gpu: bool = False, tell: Tell = lambda line: None
) -> Runtime:
    """Make the runtime, or find that it is made. Two at once: the second waits for the first.

    Args:
        python: interpreter to use; None looks for one.
        gpu: CNTK for CUDA 10 in place of CNTK for the CPU.
        tell: called with a line on each step.

    Raises:
        BackendUnavailable: the machine, an interpreter, a package or the disk does not allow it,
            or CNTK computes wrong numbers here. What was installed before is untouched.
    """
    _check_machine()
    folder = _folder()
    with _writable(folder), _alone(folder, tell) as lock:
        found = find()
        if found and _is_as_asked(found, python, gpu):
            tell(f"CNTK is installed already: {found.site} for {found.python}.")
            return found
        interpreter = interpreters.check(python) if python else interpreters.find()
        tell(f"Python {interpreter.version}: {interpreter.path}")
        _sweep(folder, found)
        made = _made(folder, interpreter, gpu, lock, tell)
        runtime.write(folder, made)
        _sweep(folder, made)
        tell(f"CNTK {made.versions['cntk']} is ready: {made.site} ({_size_mb(made.site)} MB)")
    return made


def remove() -> bool:
    """Remove the runtime; tells whether there was one.

    Raises:
        BackendUnavailable: its folder cannot be removed.
    """
    folder = _folder()
    if not folder.is_dir():
        return False
    with _writable(folder), _alone(folder):
        (folder / runtime.RECORD).unlink(missing_ok=True)  # first: no half of it is found
        shutil.rmtree(folder)
    return True


def _folder() -> Path:
    from ...preprocessing.paths import cache_folder  # brings pandas with it

    return cache_folder() / "legacy" / "cntk"


def _check_machine() -> None:
    machine = (sys.platform, platform.machine())
    if machine != LINUX:
        raise BackendUnavailable(
            f"CNTK 2.7 runs on Linux on x86-64, and this is {machine[0]} on {machine[1]}. Use "
            "such a machine, or a container of linux/amd64; the other backends run here too: "
            "radzoo backends list"
        )


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise BackendUnavailable(
            f"The runtime of CNTK cannot be changed in {folder}: {error.strerror or error}. Free "
            "some space there, or set RADZOO_CACHE to a folder that can be written."
        ) from error


@contextmanager
def _alone(folder: Path, tell: Tell = lambda line: None) -> Iterator[IO[str]]:
    """Hold the lock; the kernel takes it back from processes that die."""
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Another install of CNTK is at work; waiting for it to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def _is_as_asked(found: Runtime, python: str | Path | None, gpu: bool) -> bool:
    wanted = interpreters.check(python) if python else None
    try:
        there = interpreters.check(found.python)
    except BackendUnavailable:  # it was replaced by one that will not do
        return False
    same = wanted in (None, there) and there.version == found.python_version
    return same and found.requirements == packages.requirements(there.minor, gpu)


def _sweep(folder: Path, keep: Runtime | None) -> None:
    """Remove what interrupted or former installs have left."""
    for draft in folder.glob("build-*"):
        if keep is None or draft != keep.site.parent:
            shutil.rmtree(draft)


def _made(folder: Path, interpreter: Interpreter, gpu: bool, lock: IO[str], tell: Tell) -> Runtime:
    draft = Path(tempfile.mkdtemp(prefix="build-", dir=folder))
    try:
        pins = packages.requirements(interpreter.minor, gpu)
        tell(f"Bringing {', '.join(pins)}: about {560 if gpu else 110} MB unless pip has them ...")
        packages.bring(interpreter.minor, pins, draft / "site", lock)
        stand_ins.put(draft / "site", interpreter)
        tell("Trying it: a convolution and its gradient against NumPy ...")
        untried = Runtime(interpreter.path, interpreter.version, draft / "site", pins, {})
        versions = _opened(untried, gpu)["versions"]
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Runtime(interpreter.path, interpreter.version, draft / "site", pins, versions)


def _opened(untried: Runtime, gpu: bool) -> dict[str, Any]:
    """Start the engine as a worker would: it tries its device before it says what it is."""
    from .engine import wire  # brings NumPy with it

    threads = len(os.sched_getaffinity(0))
    request = io.BytesIO()
    wire.write(request, {"do": "open", "device": "auto", "threads": threads})
    done = subprocess.run(
        untried.command,
        env=untried.environment(threads),
        input=request.getvalue(),
        capture_output=True,
        check=False,
    )
    received = wire.read(io.BytesIO(done.stdout))
    reply = received[0] if received else {"error": {"message": f"exit code {done.returncode}"}}
    if "error" not in reply:
        return reply
    raise BackendUnavailable(
        f"CNTK was brought, but does not work here: {reply['error']['message']}. Nothing was "
        f"installed.{GPU_NEEDS * gpu} What it printed:\n"
        f"{done.stderr.decode(errors='replace')[-END:].strip()}"
    )


def _size_mb(site: Path) -> int:
    return sum(path.lstat().st_size for path in site.rglob("*")) // 1_000_000
