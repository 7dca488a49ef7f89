"""A run that MLflow and TensorBoard follow, and what they have of it by their own clients."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from radzoo.errors import Interrupted
from radzoo.experiments import plan, runner

SPEC = """\
title: Followed
dataset: {name: phantom_nodules, options: {images: 60}}
preprocessing: [{name: normalise_brightness}]
model: {architecture: tiny_cnn}
training: {epochs: 4, batch_size: 16, class_weight: {benign: 1, malignant: 2}}
evaluation: {resamples: 100, thresholds: [0.5, 0.4]}
backends: [fake]
"""
BOTH = {"tracking=mlflow": "mlflow", "tensorboard=true": "tensorboard"}  # and their packages


def follow(out, *overrides, tell=lambda event: None):
    return runner.run(plan.plans(Path("followed.yaml"), overrides)[0], out, tell)


def needs(*overrides):
    """Skip a test that asks for a follower that is not installed."""
    for asked in overrides:
        if asked in BOTH:
            package = BOTH[asked]
            pytest.importorskip(package, reason=f"needs pip install 'radzoo[{package}]'")


def interrupted(out, *overrides, at, tell=lambda event: None):
    """Follow a run until Ctrl-C: as soon as an epoch, or the beginning of a stage, is told."""
    needs(*overrides)

    def tell_and_stop(event):
        tell(event)
        if at in (event.get("epoch"), event.get("name")) and event["event"] != "step":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        follow(out, *overrides, tell=tell_and_stop)


class Store:
    """What is in a store of MLflow, by MLflow's own client."""

    def __init__(self, folder):
        from mlflow import MlflowClient

        self.client = MlflowClient(folder.resolve().as_uri())

    def runs(self):
        return self.client.search_runs(
            [self.client.get_experiment_by_name("followed").experiment_id]
        )

    def run(self):
        (run,) = self.runs()
        return run

    def epochs(self, run, key):
        """All values of a metric that were ever logged, with their steps."""
        history = self.client.get_metric_history(run.info.run_id, key)
        return [(metric.step, metric.value) for metric in history]


def accumulator(folder, side, patch):
    """TensorBoard's own reader of one side of a run."""
    patch.setitem(sys.modules, "tensorboard.compat.notf", sys)  # it reads without TensorFlow
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder / "tensorboard" / side), purge_orphaned_data=False)


def scalars(folder, patch):
    """What is in the event files of a run, by side and tag."""
    found = {}
    for side in "train", "validation":
        reader = accumulator(folder, side, patch).Reload()
        for tag in reader.Tags()["scalars"]:
            found[side, tag] = [(event.step, event.value) for event in reader.Scalars(tag)]
    return found


def history(folder):
    with (folder / "history.csv").open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


ALONE = """
import sys
reached = []
sys.addaudithook(lambda name, given: reached.append((name, given)) if name in
                 ("socket.connect", "socket.getaddrinfo", "socket.sendto") else None)
from pathlib import Path
from typing import Any, NamedTuple
from radzoo.experiments import plan, runner
(one,) = plan.plans(Path("followed.yaml"), sys.argv[1:])
notes = []
runner.run(one, Path("runs"), lambda event: event["event"] == "note" and notes.append(event))
assert not notes, notes
assert not reached, reached
assert not {"tensorflow", "torch", "jax", "keras"} & set(sys.modules)
from mlflow.telemetry.client import get_telemetry_client
assert get_telemetry_client() is None
"""


def alone():
    """Do the run of the spec in a process of its own, which does not know that it is a test."""
    # by these MLflow knows a test, or a wish that it be quiet
    known = {"PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "MLFLOW_DISABLE_TELEMETRY"}
    kept = {key: value for key, value in os.environ.items() if key not in known}
    env = {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", ALONE, *BOTH]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=120, check=False
    )


class Followed(NamedTuple):
    """A run; `cut_...` is what there was of it after Ctrl-C."""

    store: Store
    folder: Path
    cut_run: Any
    cut_epochs: list
    cut_files: dict
    process: subprocess.CompletedProcess
