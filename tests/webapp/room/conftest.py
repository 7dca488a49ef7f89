"""A room on a small model, for all tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright
from rooms import Room, close_room, open_room

SPEC = """
title: Small
dataset: {name: phantom_nodules, options: {images: 160, difficulty: 0.1}}
preprocessing: [{name: resize, rows: 64, columns: 64}]
model: {architecture: tiny_cnn}
training: {optimizer: {name: adam, learning_rate: 0.01}, epochs: 8, batch_size: 16}
evaluation: {resamples: 100, thresholds: [0.5, 0.4, 0.2], target_sensitivity: 0.9}
backends: [tensorflow]
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory, place_in):
    """A folder with a small run in it."""
    made = place_in(tmp_path_factory.mktemp("room"))
    made.write(small=SPEC)
    done = made.run("run", "small.yaml", "--out", "runs")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def run(place) -> Path:
    """The small run."""
    (folder,) = (place.path / "runs" / "small").iterdir()
    return folder


@pytest.fixture(scope="session")
def browser():
    """Chromium; tests that need it are skipped where there is none."""
    if not CHROMIUM:
        pytest.skip("no chromium: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def room(place, run, tmp_path_factory) -> Iterator[Room]:
    """A room on the small run."""
    made = open_room(place, run, tmp_path_factory.mktemp("home"))
    yield made
    close_room(made)
