"""The same seed twice on a CPU, each time in a process of its own: the same to the last bit."""

import csv

import pytest

from radzoo import backends
from radzoo.errors import Interrupted
from radzoo.experiments import plan, runner

# Dropout, batch normalisation and every augmentation: all that is random, and what remembers.
SPEC = """\
title: Random in every way
dataset: {name: phantom_nodules, options: {images: 40}}
preprocessing: [{name: resize, rows: 16, columns: 16}]
augmentation:
  {rotation_degrees: 10, zoom: 0.1, shift: 0.1, shear_degrees: 5, brightness: 0.1,
   flip_horizontal: true}
model:
  architecture: chest_xray_cnn
  options: {input_shape: [16, 16, 1], blocks: 1, filters: 4, dense_units: 8, dropout: 0.5}
training: {epochs: 2, batch_size: 8, class_weight: balanced}
device: cpu
"""
TIMES = {"seconds", "images_per_s"}


@pytest.fixture
def trained(place_in, tmp_path, monkeypatch):
    """Trains on a backend, in a new worker: weights, epochs and probabilities, told exactly."""
    place = place_in(tmp_path)
    monkeypatch.setenv("RADZOO_CACHE", place.env["RADZOO_CACHE"])
    place.write(random=SPEC)

    def trained(backend, out):
        (one,) = plan.plans(tmp_path / "random.yaml", [f"backends=[{backend}]"])
        with pytest.raises(Interrupted):  # what comes then is the same code for all backends
            runner.run(one, tmp_path / out, before_measuring)
        (folder,) = (tmp_path / out / "random").iterdir()
        (probabilities,) = folder.glob(".work-*/probabilities.npy")
        with (folder / "history.csv").open() as file:
            epochs = [{k: v for k, v in row.items() if k not in TIMES} for row in
                      csv.DictReader(file)]  # fmt: skip
        return (folder / "weights.safetensors").read_bytes(), epochs, probabilities.read_bytes()

    return trained


def before_measuring(event):
    if event.get("name") == "measuring":
        raise KeyboardInterrupt


@pytest.mark.parametrize("backend", backends.names())
def test_two_processes_with_one_seed_end_in_the_same_bits(backend, trained):
    if not backends.get(backend).installed:
        pytest.skip(f"{backend} is not installed: {backends.get(backend).install}")
    first, again = trained(backend, "first"), trained(backend, "again")
    assert len(first[1]) == 2
    assert again[1] == first[1]
    assert (again[0], again[2]) == (first[0], first[2])
