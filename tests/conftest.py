"""Fixtures for all tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import radzoo.cli
from radzoo.backends import legacy
from radzoo.preprocessing.paths import cache_folder

FILE = Path(radzoo.cli.__file__)
REAL_LEGACY = cache_folder() / "legacy"  # runtimes of this machine, which take long to make
IN_CHECKOUT = (FILE.parent / "radzoo.py").exists()


class Place:
    """A folder in which the command line is used, a process a command.

    Attributes:
        path: the folder.
        root: what Python must search to find radzoo.
    """

    root = FILE.parent if IN_CHECKOUT else FILE.parent.parent
    command = (sys.executable, *((str(FILE),) if IN_CHECKOUT else ("-m", "radzoo.cli")))

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = {**os.environ, "RADZOO_CACHE": str(path / "cache"), "COLUMNS": "200"}
        self.env.pop("RADZOO_DATA", None)
        (path / "cache").mkdir(exist_ok=True)
        if REAL_LEGACY.is_dir() and not (path / "cache" / "legacy").exists():
            (path / "cache" / "legacy").symlink_to(REAL_LEGACY)

    def start(
        self, *arguments: Any, setup: Callable[[], None] | None = None, **env: str
    ) -> subprocess.Popen:
        """Start a command; a signal reaches it alone, and Ctrl-C too where pytest ignores it."""

        def prepare() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if setup:
                setup()

        return subprocess.Popen(
            [*self.command, *map(str, arguments)],
            cwd=self.path,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  it takes no lock
        )

    def run(self, *arguments: Any, **how: Any) -> subprocess.CompletedProcess:
        """Do a command to its end."""
        with self.start(*arguments, **how) as process:
            try:
                out, error = process.communicate(timeout=120)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, error)

    def write(self, **specs: str) -> None:
        """Write specs, each under its name."""
        for name, text in specs.items():
            (self.path / f"{name}.yaml").write_text(text)

    def manifest(self, out: str) -> dict[str, Any]:
        """Of the one run in a folder."""
        (path,) = (self.path / out).glob("*/*/manifest.json")
        return json.loads(path.read_text())


@pytest.fixture(scope="session")
def place_in() -> Callable[[Path], Place]:
    """Makes a `Place` of a folder."""
    return Place


@pytest.fixture(scope="session")
def cntk_runtime() -> legacy.Runtime:
    """CNTK's runtime on this machine; tests that need it are skipped where there is none."""
    found = legacy.get("cntk").find()
    if found is None:
        pytest.skip("CNTK is not installed: radzoo backends install cntk")
    return found


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; tests that need it are skipped where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RADZOO_DATA") or beside)
    if not (folder / "index.csv").is_file():
        pytest.skip(f"no real images: {folder} has no index.csv (set RADZOO_DATA)")
    return folder
