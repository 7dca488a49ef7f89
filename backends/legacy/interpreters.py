"""Old interpreters on this machine: CPython 3.6, 3.5 or 2.7, on PATH, under pyenv or conda."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import BackendUnavailable
from .runtime import FOREIGN

VERSIONS = ("3.6", "3.5", "2.7")  # those that CNTK 2.7 was built for; the first is preferred
CONDA_ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda")
PROBE_S = 20
PROBE = """
import json, platform, sys, sysconfig
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "machine": platform.machine(),
    "wide": sys.maxsize > 2 ** 32 and sys.maxunicode > 65535,
    "executable": sys.executable,
    "libraries": sysconfig.get_config_var("LIBDIR") or "",
}))
"""
HOW_TO_GET = (
    "To get one: `pyenv install 3.6.15`, or `conda create -n cntk -c conda-forge python=3.6`; "
    "then give the same command again. One that lies elsewhere: --python PATH"
)


@dataclass(frozen=True)
class Interpreter:
    """An old interpreter that will do.

    Attributes:
        path: of the program.
        version: "3.6.15".
        libraries: the folder where its shared library would be; many have none.
    """

    path: Path
    version: str
    libraries: Path

    @property
    def minor(self) -> str:
        """The version that wheels are built for: "3.6"."""
        return self.version.rpartition(".")[0]


def find() -> Interpreter:
    """The first interpreter of this machine that will do, the newest version first.

    Raises:
        BackendUnavailable: there is none; the message says where it was looked for.
    """
    for path in _candidates():
        try:
            return check(path)
        except BackendUnavailable:  # pyenv puts names on PATH that no version answers to
            continue
    looked = ", ".join(map(str, ["PATH", _pyenv_root() / "versions", *_conda_folders()]))
    raise BackendUnavailable(
        f"CNTK 2.7 needs CPython {_either(VERSIONS)}, 64 bit, and none was found. Looked in: "
        f"{looked}. {HOW_TO_GET}"
    )


def check(path: str | Path) -> Interpreter:
    """Ask an interpreter what it is.

    Args:
        path: of the program, or its name on PATH.

    Raises:
        BackendUnavailable: it does not run, or CNTK was not built for it.
    """
    try:
        found = _probe(path)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise BackendUnavailable(
            f"{path} is no Python that runs here: {error}. Give the path of CPython "
            f"{_either(VERSIONS)}. {HOW_TO_GET}"
        ) from error
    minor = found["version"].rpartition(".")[0]
    fits = found["implementation"] == "CPython" and minor in VERSIONS and found["wide"]
    if not fits or found["machine"] != "x86_64":
        raise BackendUnavailable(
            f"{path} is {_told(found)}, and CNTK 2.7 was built for CPython {_either(VERSIONS)}, "
            f"64 bit. {HOW_TO_GET}"
        )
    return Interpreter(Path(found["executable"]), found["version"], Path(found["libraries"]))


def _probe(path: str | Path) -> dict:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    done = subprocess.run(
        [str(path), "-c", PROBE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PROBE_S,
        check=True,
    )
    return json.loads(done.stdout)


def _told(found: dict) -> str:
    narrow = "" if found["wide"] else ", a 32-bit or narrow build"
    return f"{found['implementation']} {found['version']} on {found['machine']}{narrow}"


def _either(versions: tuple[str, ...]) -> str:
    return f"{', '.join(versions[:-1])} or {versions[-1]}"


def _candidates() -> Iterator[Path]:
    for version in VERSIONS:
        on_path = shutil.which("python" + version)
        yield from [Path(on_path)] if on_path else []
        yield from sorted(_pyenv_root().glob(f"versions/{version}.*/bin/python"), reverse=True)
        for folder in _conda_folders():
            python = folder / "bin" / ("python" + version)
            yield from [python] if python.exists() else []


def _pyenv_root() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def _conda_folders() -> list[Path]:
    """Every environment that conda has noted, and those in its usual places."""
    noted = Path.home() / ".conda" / "environments.txt"
    lines = noted.read_text().split("\n") if noted.is_file() else []
    folders = [Path(line) for line in lines if line]
    for root in CONDA_ROOTS:
        folders += sorted((Path.home() / root / "envs").glob("*"))
    return list(dict.fromkeys(folders))
