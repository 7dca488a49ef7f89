"""Where a run comes from: command, code, packages, machine."""

import hashlib
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..backends import Worker
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
# What of a worker's environment bears on its figures; nothing else of it is kept.
VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "MKL_CBWR",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_NUM_THREADS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "XLA_FLAGS",
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


def surroundings(worker: Worker, asked: str, precision: str | None = None) -> dict[str, Any]:
    """Of a run under way, what may change its figures.

    Args:
        asked: the device that the worker was started for.
        precision: that of the training; None means the worker's own, in which it predicts.
    """
    described = worker.described
    environment = worker.backend.environment(asked)
    return {
        "device": {
            "asked": asked,
            "used": described["device"],
            "name": described["device_name"],
            "found": described["devices"],
        },
        "threads": described["threads"],
        "precision": precision or described["precision"],
        "versions": {**versions(), **described["versions"]},
        "packages_sha256": hashlib.sha256(packages().encode()).hexdigest(),
        "environment": {name: environment[name] for name in VARIABLES if name in environment},
        "machine": machine(),
        "git": git(),
    }


@cache
def packages() -> str:
    """Every other package that is installed, a line each: `name==version`, as pip takes them."""
    whole = [one for one in metadata.distributions() if one.name]  # pip may leave half of one
    found = {one.name.lower(): f"{one.name}=={one.version}" for one in whole}
    return "".join(f"{found[name]}\n" for name in sorted(found) if name != "radzoo")


def machine() -> dict[str, str]:
    """Of the computer: what bears on speed and rounding, nothing that names its owner."""
    return {"system": platform.system(), "release": platform.release(), "processor": _processor()}


def command() -> list[str]:
    """The command line, for a person to repeat."""
    return ["python", Path(sys.argv[0]).name, *sys.argv[1:]]


@cache
def git() -> dict[str, Any]:
    """Commit of the code and whether it was changed since; empty outside a checkout.

    Of changes there is a SHA-256 alone, for what they say may be secret: of those to files that
    git knows, and of the names of the new ones.
    """
    if not (ROOT / ".git").exists():
        return {}
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    if commit is None:
        return {}
    found = {"commit": commit.decode(), "dirty": bool(changes)}
    if changes:
        diff = _git("diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD") or b""
        found["diff_sha256"] = hashlib.sha256(changes + diff).hexdigest()
    return found


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, timeout=10, check=True
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
