"""A small run in this process, with mischief on the way, and what is left of it."""

import csv
import json
import os
from pathlib import Path

import pytest

from radzoo import errors
from radzoo.experiments import plan, runner

SPEC = """\
title: Struck
dataset: {name: phantom_nodules, options: {images: 40}}
model: {architecture: tiny_cnn}
training: {epochs: 6, batch_size: 8, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {resamples: 100}
backends: [fake]
"""
TIMES = ("seconds", "images_per_s")


def one(*overrides):
    return plan.plans(Path("struck.yaml"), overrides)[0]


def attempt(out, *overrides, at=("", None), mischief=lambda: None, until="predicting"):
    """Do a run and some mischief at a stage or after an epoch; Ctrl-C once it is trained.

    Returns:
        What it told.
    """
    told = []

    def tell(event):
        told.append(event)
        if at in ((event["event"], event.get("name")), (event["event"], event.get("epoch"))):
            mischief()
        if event.get("name") == until:
            raise KeyboardInterrupt

    try:
        runner.run(one(*overrides), Path(out), tell)
    except errors.Interrupted:
        assert told[-1].get("name") == until
    return told


def struck(out, kind, *overrides, **how):
    """An attempt that must fail, and its error, which the manifest keeps."""
    with pytest.raises(kind) as caught:
        attempt(out, *overrides, **how)
    assert not (folder(out) / "metrics.json").exists()
    return caught.value


def folder(out):
    (found,) = Path(out).glob("struck/*")
    return found


def manifest(out):
    return json.loads((folder(out) / "manifest.json").read_text())


def worker():
    return int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1])


def history(out):
    with (folder(out) / "history.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]
