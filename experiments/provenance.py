"""Where a run comes from: command, code, packages, machine."""

import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..version import __version__

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = (
    "keras",
    "tensorflow",
    "torch",
    "jax",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "opencv-python-headless",
    "pillow",
    "matplotlib",
)


def now() -> str:
    """The time in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Of radzoo, Python and the packages that decide a result, where they are installed."""
    found = {"radzoo": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Of the computer: what bears on speed and rounding, nothing that names its owner."""
    return {"system": platform.system(), "release": platform.release(), "processor": _processor()}


def command() -> list[str]:
    """The command line, for a person to repeat."""
    return ["python", Path(sys.argv[0]).name, *sys.argv[1:]]


@cache
def git() -> dict[str, Any]:
    """Commit of the code and whether it was changed since; empty outside a checkout."""
    if not (ROOT / ".git").exists():
        return {}
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return {} if commit is None else {"commit": commit, "dirty": bool(changes)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else platform.processor()
