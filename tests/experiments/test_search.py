"""Searches on the command line: Optuna chooses, runs are runs."""

import json
import os
import resource
import shutil
import signal

import pytest
from disturbances import descendants, ends
from sweeps import SMALL, of, runs, sweep

from radzoo.experiments import search

optuna = pytest.importorskip("optuna")

SEARCH = """\
search:
  trials: 5
  parameters:
    training.optimizer.learning_rate: {low: 0.001, high: 0.2, log: true}
    training.batch_size: [4, 8]
    augmentation.rotation_degrees: {low: 0, high: 3}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(found=SMALL + SEARCH)
    return place


def study(place, out="runs"):
    journal = optuna.storages.journal.JournalFileBackend(
        str(place.path / out / "found" / "search.journal")
    )
    return optuna.load_study(study_name="Small", storage=optuna.storages.JournalStorage(journal))


@pytest.fixture(scope="module")
def searched(place):
    """A search whose driver was killed in its second trial, and what the next one told."""
    with place.start("sweep", "found.yaml", "--json") as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "epoch" and (event["trial"], event["epoch"]) == (1, 10):
                break
        begun = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert all(ends(one, 40) for one in begun)
    done, told = sweep(place, "found.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    return told


def test_a_search_that_was_killed_ends_with_as_many_runs_as_it_asks_for(searched, place):
    assert len(of(searched, "trial")) == 5
    assert {event["state"] for event in of(searched, "trial")} == {"finished"}
    assert len(runs(place.path / "runs" / "found")) == 5


def test_the_trial_that_was_under_way_goes_on_where_it_was(searched):
    (resumed,) = of(searched, "resumed")
    assert resumed["trial"] == 1
    assert len(resumed["history"]) >= 10


def test_each_trial_lies_in_the_ranges_and_is_the_run_that_its_parameters_say(searched, place):
    for trial in of(searched, "trial"):
        values = trial["settings"]
        assert 0.001 <= values["training.optimizer.learning_rate"] <= 0.2
        assert values["training.batch_size"] in (4, 8)
        assert values["augmentation.rotation_degrees"] in (0, 1, 2, 3)
        manifest = place.path / "runs" / "found" / trial["folder"] / "manifest.json"
        told = json.loads(manifest.read_text())["settings"]
        assert {key: told[key] for key in values} == values


def test_what_counts_is_the_best_validation_figure_of_the_run(searched, place):
    complete = [trial for trial in study(place).trials if trial.state.name == "COMPLETE"]
    assert len(complete) == 5
    for trial in complete:
        history = place.path / "runs" / "found" / trial.user_attrs["folder"] / "history.csv"
        rows = [line.split(",") for line in history.read_text().splitlines()]
        losses = [float(row[rows[0].index("val_loss")]) for row in rows[1:]]
        assert trial.value == min(losses)
    assert study(place).direction.name == "MINIMIZE"


def test_half_a_line_at_the_end_of_a_journal_spoils_nothing_that_is_written_after_it(tmp_path):
    """As a full disk leaves it. Optuna appends to it, and then cannot read its journal again."""

    def opened():
        storage = optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal"))
        return optuna.create_study(
            storage=optuna.storages.JournalStorage(storage), study_name="s", load_if_exists=True
        )

    opened().enqueue_trial({"x": 1})
    with (tmp_path / "journal").open("a") as journal:
        journal.write('{"op_code":8,"wor')
    search._mend(tmp_path / "journal")
    opened().enqueue_trial({"x": 2})
    assert len(opened().trials) == 2


def test_a_journal_that_finds_no_room_is_told_in_a_sentence(searched, place):
    shutil.copytree(place.path / "runs", place.path / "full")
    size = (place.path / "full" / "found" / "search.journal").stat().st_size

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, size + 10))

    more = "--set", "search.trials=6", "--out", "full"
    done = place.run("sweep", "found.yaml", *more, setup=full)
    assert done.returncode == 2
    assert "cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pruned_trial_says_so_and_is_no_failure(place):
    changes = "--set", "search.pruner=median", "--set", "search.trials=8"
    axis = (
        "--set",
        "search.parameters={training.optimizer.learning_rate: {low: 1.0e-6, high: 0.2, log: true}}",
    )
    done, told = sweep(place, "found.yaml", *changes, *axis, "--out", "pruned")
    assert done.returncode == 0, done.stdout
    states = [event["state"] for event in of(told, "trial")]
    assert set(states) == {"finished", "pruned"}
    for event in of(told, "trial"):
        if event["state"] == "pruned":
            folder = place.path / "pruned" / "found" / event["folder"]
            assert json.loads((folder / "manifest.json").read_text())["state"] == "pruned"
            assert not (folder / "metrics.json").exists()
            history = (folder / "history.csv").read_text().splitlines()
            assert len(history) - 1 < 40


def test_a_range_that_cannot_be_searched_is_refused(place):
    change = "search.parameters={training.epochs: {low: 5, high: 5}}"
    done = place.run("sweep", "found.yaml", "--set", change)
    assert done.returncode == 2
    assert "low must be below high; got 5 and 5" in done.stderr


def test_both_ends_of_every_range_are_tried_against_the_spec_before_the_first_trial(place):
    change = "search.parameters={training.batch_size: {low: 0, high: 8}}"
    for more in ([], ["--dry-run"]):
        done = place.run("sweep", "found.yaml", "--set", change, "--out", "none", *more)
        assert done.returncode == 2
        assert "training.batch_size: should be greater than 0; got 0" in done.stderr
    assert not (place.path / "none").exists()


def test_a_dry_run_says_what_would_be_searched(place):
    done = place.run("sweep", "found.yaml", "--dry-run", "--out", "none")
    assert "A search of 5 trials over training.optimizer.learning_rate, " in done.stdout
    assert not (place.path / "none").exists()
