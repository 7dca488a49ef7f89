"""Successive halving on the command line: who goes on, at what cost, and after a kill."""

import json
import signal

import numpy as np
import pytest
import sweeps

SPEC = """\
title: Halved
dataset: {name: phantom_nodules, options: {images: 40}}
model: {architecture: tiny_cnn}
training: {epochs: 4, batch_size: 8, monitor: val_loss}
evaluation: {resamples: 100}
backends: [fake]
seeds: [0, 1]
grid:
  training.optimizer:
    - {name: sgd, learning_rate: 0.03}
    - {name: sgd, learning_rate: 0.00001}
    - {name: sgd, learning_rate: 0.01}
"""
HALVING = "halving: {epochs: 1, factor: 2}\n"  # so rounds end at 1, 2 and 4
BEST = 1  # the point whose loss is least: these patches are too few to learn from


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    folder = place_in(tmp_path_factory.mktemp("halving"))
    folder.write(whole=SPEC, halved=SPEC + HALVING, again=SPEC + HALVING)
    return folder


@pytest.fixture(scope="module")
def halved(place):
    return sweeps.sweep(place, "halved.yaml", "--workers", "2", "--out", "halved")


def study(place, name):
    return json.loads((place.path / name / name / "study.json").read_text())


def weights(place, name, run):
    return (place.path / name / name / run["folder"] / "weights.safetensors").read_bytes()


def least_loss(folder):
    return np.genfromtxt(folder / "history.csv", delimiter=",", names=True)["val_loss"].min()


def test_half_of_the_points_go_on_at_each_round(halved):
    done, told = halved
    assert done.returncode == 0, done.stderr
    rounds = [(event["points"], event["epochs"]) for event in sweeps.of(told, "round")]
    assert rounds == [(3, 1), (2, 2), (1, 4)]


def test_a_run_that_goes_on_trains_no_epoch_twice(halved):
    trained = [(event["trial"], event["epoch"]) for event in sweeps.of(halved[1], "epoch")]
    assert len(set(trained)) == len(trained)
    assert {trial for trial, epoch in trained if epoch > 2} == {2 * BEST, 2 * BEST + 1}


def test_the_list_says_what_it_cost(halved, place):
    known = study(place, "halved")
    assert known["epochs"]["of_the_grid"] == 24
    assert 14 <= known["epochs"]["trained"] <= 20  # a run may be an epoch on before it pauses
    states = [run["state"] for run in known["runs"]]
    assert states == ["pruned"] * 2 + ["finished"] * 2 + ["pruned"] * 2


def test_the_winner_and_its_weights_are_those_of_the_whole_grid(halved, place):
    done, _ = sweeps.sweep(place, "whole.yaml", "--workers", "2", "--out", "whole")
    assert done.returncode == 0, done.stderr
    whole, halves = study(place, "whole")["runs"], study(place, "halved")["runs"]
    losses = [least_loss(place.path / "whole" / "whole" / run["folder"]) for run in whole]
    assert np.reshape(losses, (3, 2)).mean(axis=1).argmin() == BEST
    for number in 2 * BEST, 2 * BEST + 1:
        assert weights(place, "halved", halves[number]) == weights(place, "whole", whole[number])


def test_a_killed_one_goes_on_to_the_same_end(halved, place):
    with place.start("sweep", "again.yaml", "--out", "again", "--json") as process:
        for line in process.stdout:
            if json.loads(line).get("epoch") == 2:  # in the second round
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
    done, told = sweeps.sweep(place, "again.yaml", "--out", "again")
    assert done.returncode == 0, done.stderr
    first, second = (study(place, out) for out in ("halved", "again"))
    for one, other in zip(first["runs"], second["runs"], strict=True):
        assert one["state"] == other["state"]
        if one["state"] == "finished":
            assert weights(place, "halved", one) == weights(place, "again", other)
    assert len(sweeps.of(told, "epoch")) < first["epochs"]["trained"]


def test_halving_without_a_grid_is_refused(place):
    place.write(bare=SPEC.partition("grid:")[0] + HALVING)
    done = place.run("validate", "bare.yaml")
    assert done.returncode == 2
    assert "halving is of a grid" in done.stderr
