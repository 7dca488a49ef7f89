"""Sweeps that are killed on the way end with the runs of an undisturbed one."""

import csv
import json
import os
import random
import signal
from pathlib import Path

import pytest
from disturbances import descendants, ends
from sweeps import TWELVE, of, runs, sweep

KILLS = 5


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(twelve=TWELVE)
    return place


def killed(place, events):
    """A sweep, killed with SIGKILL after so many events; whether all it had begun has ended."""
    arguments = "sweep", "twelve.yaml", "--workers", "2", "--out", "cut", "--json"
    with place.start(*arguments) as process:
        for _ in range(events):
            process.stdout.readline()
        begun = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    return all(ends(one, 40) for one in begun)


@pytest.fixture(scope="module")
def swept(place):
    """The folders of a sweep that was left alone and of one that was killed again and again."""
    moments = random.Random(4)
    gone = [killed(place, moments.randrange(5, 250)) for _ in range(KILLS)]
    last, told = sweep(place, "twelve.yaml", "--workers", "2", "--out", "cut")
    assert (last.returncode, last.stderr) == (0, "")
    whole, _ = sweep(place, "twelve.yaml", "--workers", "2", "--out", "whole")
    assert (whole.returncode, whole.stderr) == (0, "")
    return place.path / "whole" / "twelve", place.path / "cut" / "twelve", gone, told


def test_no_trial_outlives_a_driver_that_is_killed(swept):
    assert swept[2] == [True] * KILLS


def test_a_sweep_killed_five_times_ends_with_the_runs_of_an_undisturbed_one(swept):
    whole, cut = map(runs, swept[:2])
    assert len(whole) == 12
    assert [path.name for path in cut] == [path.name for path in whole]
    for one, other in zip(whole, cut, strict=True):
        for name in ("weights.safetensors", "predictions.csv", "metrics.json", "spec.yaml"):
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_runs_that_were_done_before_a_kill_are_not_done_again(swept):
    done = {event["trial"]: event["was_done"] for event in of(swept[3], "finished")}
    assert len(done) == 12
    assert any(done.values())
    begun = {event["trial"] for event in of(swept[3], "run")}
    assert begun == {number for number, was_done in done.items() if not was_done}


def test_the_list_of_a_sweep_names_every_run_in_the_order_of_the_grid(swept):
    listed = json.loads((swept[0] / "study.json").read_text())
    assert listed["title"] == "Small"
    found = [(r["settings"]["training.batch_size"], r["settings"]["seed"]) for r in listed["runs"]]
    assert found == [(size, seed) for size in (4, 8, 16) for seed in range(4)]
    assert {r["folder"] for r in listed["runs"]} == {path.name for path in runs(swept[0])}
    assert {r["state"] for r in listed["runs"]} == {"finished"}


def test_a_sweep_that_is_done_starts_no_process(swept, place):
    done, told = sweep(place, "twelve.yaml", "--out", "whole")
    assert (done.returncode, len(of(told, "finished")), of(told, "stage")) == (0, 12, [])


def test_run_trial_does_the_run_of_that_number(swept, place):
    listed = json.loads((swept[0] / "study.json").read_text())["runs"]
    done = place.run("run-trial", "twelve.yaml", 7, "--out", "whole", "--json")
    assert done.returncode == 0
    last = json.loads(done.stdout.splitlines()[-1])
    assert Path(last["folder"]).name == listed[7]["folder"]


@pytest.mark.parametrize("victim", [0, 1], ids=["trial", "worker"])
def test_what_is_killed_in_mid_trial_costs_that_trial_a_new_start_and_nothing_else(victim, place):
    out = f"victim{victim}"
    arguments = "sweep", "twelve.yaml", "--set", "grid={seed: [0, 1]}", "--out", out, "--json"
    told, struck = [], False
    with place.start(*arguments) as process:
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1]["event"] == "epoch" and told[-1]["epoch"] == 5 and not struck:
                os.kill(descendants(process.pid)[victim], signal.SIGKILL)
                struck = True
        process.wait(60)
    assert process.returncode == 0
    (again,) = of(told, "again")
    assert again["trial"] == 0
    assert "killed by signal 9" in again["message"]
    assert len(of(told, "resumed")) == 1
    assert len(runs(place.path / out / "twelve")) == 2


def test_history_of_a_trial_has_every_epoch_once(swept):
    for folder in runs(swept[1]):
        with open(folder / "history.csv", newline="") as file:
            epochs = [int(row["epoch"]) for row in csv.DictReader(file)]
        assert epochs == list(range(1, 41))
