"""The command line as its users meet it: one process a command, in a folder of their own."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import radzoo.cli

SPEC = """\
title: Small
dataset:
  name: phantom_nodules
  options: {images: 120}
model: {architecture: tiny_cnn}
training:
  epochs: 2
  optimizer: {name: sgd, learning_rate: 0.5}
evaluation: {resamples: 100}
backends: [fake]
"""
TABLE = """\
title: Table
dataset:
  name: table
  options:
    path: good/labels.csv
    classes: {healthy: 0, ill: 1}
model: {architecture: tiny_cnn}
training: {epochs: 2}
evaluation: {resamples: 100}
backends: [fake]
"""
TYPOS = """\
title: Typos
dataset: {name: phantom_nodule}
preprocessing: [resiz]
model: {architecture: tiny_cn}
training:
  epoch: 3
  epochs: many
backends: [fak]
"""
FRAMEWORKS = {"keras", "tensorflow", "torch", "jax"}
HEAVY = FRAMEWORKS | {"pandas", "scipy", "matplotlib", "sklearn", "statsmodels", "cv2", "h5py"}

FILE = Path(radzoo.cli.__file__)
IN_CHECKOUT = (FILE.parent / "radzoo.py").exists()
COMMAND = [sys.executable, *([str(FILE)] if IN_CHECKOUT else ["-m", "radzoo.cli"])]
ROOT = FILE.parent if IN_CHECKOUT else FILE.parent.parent  # what PYTHONPATH must hold


class Place:
    """A folder with specs in it, and the commands that are given there."""

    def __init__(self, path):
        self.path = path
        self.env = {**os.environ, "RADZOO_CACHE": str(path / "cache"), "NO_COLOR": "1"}
        self.env.update(COLUMNS="200", PYTHONPATH=str(ROOT), PYTHONWARNINGS="error")
        self.env.pop("RADZOO_DATA", None)

    def start(self, *arguments, setup=None, **env):
        """Start a command; Ctrl-C reaches it alone, also where pytest itself ignores it."""

        def prepare():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if setup:
                setup()

        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.path,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  nothing here has threads that hold locks
        )

    def run(self, *arguments, **how):
        """Do a command to its end."""
        return ended(self.start(*arguments, **how))

    def manifest(self, out):
        (path,) = (self.path / out).glob("*/*/manifest.json")
        return json.loads(path.read_text())


def ended(process, timeout_s=120):
    try:
        out, error = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def events(text):
    """What `--json` prints, each line on its own a JSON object."""
    return [json.loads(line) for line in text.splitlines()]


def write_table(folder, count=40, size=lambda i: (64, 64), label=lambda i: i % 2):
    """Images with a CSV that lists them; each of a patient of its own."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    rows = ["path,label,patient"]
    for i in range(count):
        pixels = draw.integers(0, 120, size(i)) + 100 * label(i)
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{i:03d}.png")
        rows.append(f"{i:03d}.png,{label(i)},P{i}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return rows


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("place")
    for name, text in {"small": SPEC, "table": TABLE, "typos": TYPOS}.items():
        (path / f"{name}.yaml").write_text(text)
    return Place(path)
