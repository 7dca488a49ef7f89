"""Sweeps of tiny runs on the command line, and what they tell."""

import json

SMALL = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 40}}
model: {architecture: tiny_cnn}
training: {epochs: 40, batch_size: 8, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {resamples: 100}
backends: [fake]
"""
TWELVE = SMALL + "grid: {training.batch_size: [4, 8, 16], seed: [0, 1, 2, 3]}\n"


def sweep(place, *arguments, **how):
    """A finished command and the events that it told."""
    done = place.run("sweep", *arguments, "--json", **how)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def of(told, kind):
    return [event for event in told if event["event"] == kind]


def runs(folder):
    return sorted(path.parent for path in folder.glob("*/metrics.json"))
