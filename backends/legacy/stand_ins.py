"""Libraries that CNTK is linked with and never calls here: Open MPI 1.10, and Python's own.

CNTK calls MPI for training on several machines only. Its libraries ask for it by name all the
same, so they get libraries of these names that define every symbol and do nothing.
"""

from pathlib import Path

from . import elf
from .interpreters import Interpreter

LIBRARIES = Path("cntk") / "libs"  # where CNTK looks first
MPI = ("MPI_", "ompi_", "_ZN3MPI", "_ZNK3MPI", "_ZTIN3MPI", "_ZTVN3MPI")
DATA = ("ompi_", "_ZT")  # of these; the rest are functions
LIBPYTHON = {
    "3.6": "libpython3.6m.so.1.0",
    "3.5": "libpython3.5m.so.1.0",
    "2.7": "libpython2.7.so.1.0",
}


def put(site: Path, interpreter: Interpreter) -> None:
    """Give the CNTK of a folder what it is linked with."""
    libraries = site / LIBRARIES
    names = sorted(_of_mpi(site))
    objects = [name for name in names if name.startswith(DATA)]
    functions = [name for name in names if not name.startswith(DATA)]
    mpi = elf.shared_library("libmpi.so.12", functions, objects)
    (libraries / "libmpi.so.12").write_bytes(mpi)
    (libraries / "libmpi_cxx.so.1").write_bytes(elf.shared_library("libmpi_cxx.so.1", [], []))
    _put_libpython(libraries, interpreter)


def _of_mpi(site: Path) -> set[str]:
    asking = [*site.glob("_cntk_py*.so"), *(site / LIBRARIES).glob("libCntk.*.so")]
    return {name for path in asking for name in elf.undefined_symbols(path) if name.startswith(MPI)}


def _put_libpython(libraries: Path, interpreter: Interpreter) -> None:
    """The interpreter's library; a static interpreter has all of it in itself."""
    name = LIBPYTHON[interpreter.minor]
    if (interpreter.libraries / name).exists():
        (libraries / name).symlink_to(interpreter.libraries / name)
    else:
        (libraries / name).write_bytes(elf.shared_library(name, [], []))
