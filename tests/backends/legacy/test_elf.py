"""What is written as a shared library is one to the system's loader."""

import _ctypes
import ctypes
from pathlib import Path

import pytest

from radzoo.backends.legacy import elf


def load(tmp_path, functions, objects):
    path = tmp_path / "libmade.so.1"
    path.write_bytes(elf.shared_library(path.name, functions, objects))
    return ctypes.CDLL(str(path))


def test_every_function_resolves_and_returns_an_error_code(tmp_path):
    names = [f"MPI_{number}" for number in range(500)]  # several to each chain of the hash table
    library = load(tmp_path, names, ["ompi_mpi_int"])
    assert {getattr(library, name)(1, 2) for name in names} == {16}


def test_every_object_has_zeros_of_its_own(tmp_path):
    library = load(tmp_path, ["MPI_Init"], ["ompi_mpi_int", "ompi_mpi_float"])
    one, other = (
        (ctypes.c_char * elf.OBJECT).in_dll(library, f"ompi_mpi_{name}")
        for name in ("int", "float")
    )
    one[:] = b"x" * elf.OBJECT
    assert bytes(other) == bytes(elf.OBJECT)


def test_a_name_that_was_not_asked_for_does_not_resolve(tmp_path):
    with pytest.raises(AttributeError):
        _ = load(tmp_path, ["MPI_Init"], []).MPI_Finalize


def test_a_library_without_names_loads(tmp_path):
    load(tmp_path, [], [])


def test_what_a_library_asks_of_others_is_told_from_what_it_defines():
    names = elf.undefined_symbols(Path(_ctypes.__file__))
    assert "PyErr_SetString" in names
    assert "PyInit__ctypes" not in names


def test_what_is_no_library_is_refused(tmp_path):
    path = tmp_path / "text.so"
    path.write_text("no library")
    with pytest.raises(ValueError, match="is no 64-bit little-endian ELF file"):
        elf.undefined_symbols(path)
