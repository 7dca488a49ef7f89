"""Files of weights that mean harm: refused with the reason, or taken as mere arrays."""

import importlib.util
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import hostile_models
import numpy as np
import pytest
from hostile_models import ARRAYS, HARMLESS, OF_A_RUN, OF_HDF5, REFUSED, arrays, hdf5, said

from radzoo import backends
from radzoo import hdf5 as guard
from radzoo.backends.worker import weights
from radzoo.errors import DataError

KERAS = next((n for n in ("jax", "torch", "tensorflow") if importlib.util.find_spec(n)), None)
NEEDED = {name: (array.shape, "float32") for name, array in ARRAYS.items()}


def test_weights_of_the_model_are_read_and_what_else_a_header_says_is_not(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(arrays())
    found = weights.read(tmp_path / "w.safetensors", NEEDED)
    np.testing.assert_equal(found, ARRAYS)
    header = {
        "__metadata__": {"code": "__import__('os').abort()"},
        "dense/bias": hostile_models.part([2], 0, 8),
    }
    (tmp_path / "told").write_bytes(said(header, bytes(8)))
    (bias,) = weights.read(tmp_path / "told", {"dense/bias": NEEDED["dense/bias"]}).values()
    assert bias.tolist() == [0, 0]


@pytest.mark.parametrize("name", OF_A_RUN)
def test_hostile_weights_of_a_run_are_refused_with_the_reason(tmp_path, name):
    message, make = OF_A_RUN[name]
    (tmp_path / "w.safetensors").write_bytes(make(tmp_path / "canary"))
    with pytest.raises(DataError, match=message) as caught:
        weights.read(tmp_path / "w.safetensors", NEEDED)
    assert str(tmp_path / "w.safetensors") in str(caught.value)
    assert "repeat the run" in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["w.safetensors"]


def test_every_problem_of_weights_is_told_up_to_four(tmp_path):
    (tmp_path / "w").write_bytes(arrays(dense__bias=None, a=np.zeros(1), b=np.zeros(1)))
    with pytest.raises(DataError, match=r"bias is missing; 'a' is no .*; 'b' is no"):
        weights.read(tmp_path / "w", NEEDED)
    many = {f"x{n}": np.zeros(1) for n in range(50)}
    (tmp_path / "w").write_bytes(arrays(**many))
    with pytest.raises(DataError, match=r"'x11' is no weight of the model; and 46 more"):
        weights.read(tmp_path / "w", NEEDED)


@pytest.mark.parametrize("name", OF_HDF5)
def test_hostile_hdf5_is_refused_before_an_array_is_read(tmp_path, name):
    message, make = OF_HDF5[name]
    (tmp_path / "file.h5").write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=message):
        guard.check(tmp_path / "file.h5")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_sound_hdf5_is_taken_up_to_what_may_be_claimed(tmp_path):
    def fill(file):
        file.create_dataset("a", data=np.zeros((30, 30), "float32"), compression="gzip")
        file["a"].attrs["names"] = np.array([b"x", b"yy"])
        file.create_group("empty/one")

    (tmp_path / "file.h5").write_bytes(hdf5(fill))
    guard.check(tmp_path / "file.h5")
    guard.check(tmp_path / "file.h5", 3600 + 32 + 4)
    with pytest.raises(DataError, match="claims 3,636 bytes of arrays; 3,635 at most"):
        guard.check(tmp_path / "file.h5", 3635)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What came of each file in a process with a Keras: {name: [said, MB]}."""
    if KERAS is None:
        pytest.skip("no Keras backend is installed")
    home = tmp_path_factory.mktemp("models")
    (home / "files").mkdir()
    for name, make in {**HARMLESS, **{n: make for n, (_, make) in REFUSED.items()}}.items():
        (home / "files" / name).write_bytes(make(home / "canary"))
    root = Path(backends.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("read_models.py"), root, home / "files"],
        env={**os.environ, "KERAS_BACKEND": KERAS, "CUDA_VISIBLE_DEVICES": ""},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert [one.name for one in home.iterdir()] == ["files"]  # no canary, and nothing beside it
    assert sorted(one.name for one in (home / "files").iterdir()) == sorted({**HARMLESS, **REFUSED})
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", HARMLESS)
def test_of_a_hostile_keras_file_the_arrays_are_taken_and_nothing_is_run(read, name):
    assert read[name][0] == "taken"
    assert read[name][1] < 100


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_source_of_weights_is_refused_with_the_reason(read, name):
    said, megabytes = read[name]
    assert said.startswith("DataError")
    assert REFUSED[name][0] in said
    assert megabytes < 200
