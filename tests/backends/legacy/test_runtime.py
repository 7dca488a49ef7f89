"""A runtime is found only when all of it is there, and keeps the user's Python out."""

import json

import pytest

from radzoo.backends.legacy import runtime
from radzoo.backends.legacy.runtime import Runtime


@pytest.fixture
def written(tmp_path):
    python = tmp_path / "python3.6"
    python.touch(0o755)
    (tmp_path / "build-1" / "site").mkdir(parents=True)
    made = Runtime(python, "3.6.15", tmp_path / "build-1" / "site", ("a==1",), {"cntk": "2.7"})
    runtime.write(tmp_path, made)
    return made


def test_a_runtime_is_read_as_it_was_written(written, tmp_path):
    assert runtime.read(tmp_path) == written


def test_a_runtime_moves_with_its_folder(written, tmp_path):
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in runtime.RECORD, "build-1":
        (tmp_path / name).rename(moved / name)
    assert runtime.read(moved).site == moved / "build-1" / "site"


@pytest.mark.parametrize("lost", ["interpreter", "packages", "record", "half of the record"])
def test_a_runtime_of_which_a_part_is_lost_is_not_found(written, tmp_path, lost):
    record = tmp_path / runtime.RECORD
    if lost == "interpreter":
        written.python.unlink()
    elif lost == "packages":
        written.site.rename(tmp_path / "elsewhere")
    elif lost == "record":
        record.unlink()
    else:
        record.write_text(json.dumps({"python": str(written.python)}))
    assert runtime.read(tmp_path) is None


def test_nothing_of_the_users_python_and_libraries_reaches_the_engine(written, monkeypatch):
    for name in "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH", "KMP_AFFINITY":
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("PYTHONPATH", "theirs")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("HOME", "/home/user")
    environment = written.environment(threads=3)
    assert "theirs" not in environment.values()
    assert environment["PYTHONPATH"] == str(written.site)
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "3"
    assert environment["HOME"] == "/home/user"


@pytest.mark.parametrize(
    ("cpu", "asked"),
    [
        ("vendor_id : AuthenticAMD\nflags : fpu avx avx2 bmi2\n", {"MKL_DEBUG_CPU_TYPE": "5"}),
        ("vendor_id : AuthenticAMD\nflags : fpu avx bmi1\n", {}),  # it would die of AVX2
        ("vendor_id : GenuineIntel\nflags : fpu avx avx2 bmi2\n", {}),  # MKL knows these itself
        ("", {}),
    ],
)
def test_avx2_is_asked_of_a_cpu_that_has_it_and_that_mkl_does_not_know(cpu, asked):
    assert runtime.kernels(cpu) == asked
