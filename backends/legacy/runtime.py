"""A runtime: an old interpreter, a folder of packages, and the environment that joins them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

ENGINE = Path(__file__).parent / "engine"
RECORD = "runtime.json"  # written last: a runtime without it was not finished
CPU = Path("/proc/cpuinfo")
# What would lead another interpreter or other libraries into the engine.
FOREIGN = ("PYTHON", "LD_", "OMP_", "KMP_", "MKL_")


@dataclass(frozen=True)
class Runtime:
    """What it takes to start an engine.

    Attributes:
        python: the interpreter.
        python_version: of it, "3.6.15".
        site: the folder of packages.
        requirements: what was installed there, "numpy==1.19.5".
        versions: what the engine said of itself when it was tried.
    """

    python: Path
    python_version: str
    site: Path
    requirements: tuple[str, ...]
    versions: dict[str, str]

    @property
    def command(self) -> list[str]:
        """The program and its arguments: the engine in its interpreter."""
        return [str(self.python), "-s", str(ENGINE)]

    def environment(self, threads: int) -> dict[str, str]:
        """All of the environment of an engine that may use that many threads of the CPU."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return ours | {
            "PYTHONPATH": str(self.site),
            "PYTHONIOENCODING": "utf-8",
            # How many ms a thread waits awake for more work. CNTK splits even the rows of an
            # image among threads: waking them for each makes it ten times slower, and waiting
            # for long takes the cores from others.
            "KMP_BLOCKTIME": "1",
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            **kernels(CPU.read_text() if CPU.exists() else ""),
        }


def kernels(cpu: str) -> dict[str, str]:
    """What makes CNTK's MKL of 2019 use AVX2 on a CPU that is not Intel's.

    It takes its slowest there; docs/backends.md says what that costs. On a CPU without AVX2 the
    process would die, so it is asked of those alone that say they have it.

    Args:
        cpu: what `/proc/cpuinfo` says.
    """
    amd = "AuthenticAMD" in cpu or "HygonGenuine" in cpu
    return {"MKL_DEBUG_CPU_TYPE": "5"} if amd and " avx2 " in cpu else {}


def read(folder: Path) -> Runtime | None:
    """The runtime of a folder; None if there is none, or if a part of it has vanished."""
    try:
        said = json.loads((folder / RECORD).read_text())
        runtime = Runtime(
            python=Path(said["python"]),
            python_version=said["python_version"],
            site=folder / said["site"],
            requirements=tuple(said["requirements"]),
            versions=said["versions"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not made yet, or damaged: to be made
    there = os.access(runtime.python, os.X_OK) and runtime.site.is_dir()
    return runtime if there else None


def write(folder: Path, runtime: Runtime) -> None:
    """Record a runtime in its folder: from now on, and no moment earlier, it is found."""
    said = asdict(runtime) | {
        "python": str(runtime.python),
        "site": str(runtime.site.relative_to(folder)),
    }
    draft = folder / (RECORD + ".draft")
    with draft.open("w") as file:
        json.dump(said, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / RECORD)
