"""Runs that are killed, interrupted and continued; and what a finished one holds."""

import csv
import hashlib
import json
import signal
import threading

import numpy as np
import pytest
from disturbances import OTHER, Disturbance, disturb, sends

from radzoo import backends
from radzoo.experiments import plan
from radzoo.preprocessing import registry

SPEC = """\
title: Long
dataset: {name: phantom_nodules, options: {images: 120}}
augmentation: {shift: 0.1, flip_horizontal: true}
model: {architecture: tiny_cnn}
training: {epochs: 80, batch_size: 8, optimizer: {name: sgd, learning_rate: 0.05}}
evaluation: {resamples: 100}
backends: [fake]
"""
TIMES = {"seconds", "images_per_s"}  # columns of history.csv that no two runs share


STOPS = {
    "Ctrl-C in a terminal": Disturbance(5, strike=sends(signal.SIGINT, to="group")),
    "SIGINT to the command": Disturbance(15, strike=sends(signal.SIGINT)),
    "SIGTERM to the command": Disturbance(25, strike=sends(signal.SIGTERM)),
}
KILLS = {
    "while preprocessing": Disturbance(stage="store", strike=sends(signal.SIGKILL)),
    "while training": Disturbance(35, strike=sends(signal.SIGKILL)),
    "while predicting": Disturbance(stage="predicting", strike=sends(signal.SIGKILL)),
    "while measuring": Disturbance(stage="measuring", strike=sends(signal.SIGKILL)),
}
DEATHS = {"of the worker": Disturbance(45, strike=sends(signal.SIGKILL, to="worker"))}
LATE = ["while predicting", "while measuring"]
ORDER = ["while preprocessing", *STOPS, "while training", *DEATHS, *LATE]
TRAINED = [*STOPS, "while training", *DEATHS]


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(long=SPEC)
    return place


@pytest.fixture(scope="module")
def finished(place):
    """The folder of an undisturbed run, and of one that was disturbed again and again.

    The third value says what came of each disturbance, by its name.
    """
    undisturbed = threading.Thread(target=place.run, args=["run", "long.yaml", "--out", "whole"])
    undisturbed.start()
    strikes = {name: disturb(place, "long", {**STOPS, **KILLS, **DEATHS}[name]) for name in ORDER}
    last = place.run("run", "long.yaml", "--out", "cut", "--json", **OTHER)
    assert last.returncode == 0, last.stderr
    undisturbed.join()
    (whole,), (cut,) = (list(place.path.glob(f"{out}/long/*")) for out in ("whole", "cut"))
    return whole, cut, strikes


@pytest.mark.parametrize("stop", STOPS)
def test_an_interrupted_run_says_so_and_how_to_go_on(stop, finished):
    strike = finished[2][stop]
    assert strike.code == 130
    assert strike.all_are_gone
    assert strike.told[-1]["kind"] == "Interrupted"
    assert "the same command continues it" in strike.told[-1]["message"]
    assert strike.manifest["state"] == "interrupted"
    assert "the same command continues it" in strike.manifest["error"]
    assert not strike.looks_finished


@pytest.mark.parametrize("kill", KILLS)
def test_a_run_that_is_killed_takes_its_worker_along_and_does_not_look_finished(kill, finished):
    strike = finished[2][kill]
    assert strike.code == -signal.SIGKILL
    assert strike.all_are_gone
    assert strike.manifest["state"] == "running"
    assert not strike.looks_finished


def test_a_worker_that_dies_is_told_with_its_signal_and_the_end_of_its_log(finished):
    strike = finished[2]["of the worker"]
    assert strike.code == 1
    assert strike.told[-1]["kind"] == "ProcessKilled"
    for words in ("'fake' was killed by signal 9 in 'train'", "log.txt:", "noise on stdout"):
        assert words in strike.told[-1]["message"]
    assert strike.manifest["state"] == "failed"
    assert strike.manifest["error"] == strike.told[-1]["message"]
    assert not strike.looks_finished


@pytest.mark.parametrize("name", TRAINED)
def test_a_run_goes_on_after_the_last_epoch_that_was_told(name, finished):
    strikes = finished[2]
    last = max(event["epoch"] for event in strikes[name].told if event["event"] == "epoch")
    next_one = ORDER[ORDER.index(name) + 1]
    (resumed,) = [e for e in strikes[next_one].told if e["event"] == "resumed"]
    assert len(resumed["history"]) >= last  # one may have been saved and not told


def test_a_run_that_was_disturbed_ends_as_an_undisturbed_one(finished):
    undisturbed, disturbed, _ = finished
    assert disturbed.name == undisturbed.name
    for name in ("weights.safetensors", "predictions.csv", "split.csv", "metrics.json"):
        assert (disturbed / name).read_bytes() == (undisturbed / name).read_bytes()
    histories = [
        [{k: v for k, v in row.items() if k not in TIMES} for row in rows(folder / "history.csv")]
        for folder in (undisturbed, disturbed)
    ]
    assert len(histories[0]) == 80
    assert histories[0] == histories[1]


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_directory_holds_what_is_promised_and_no_draft(finished):
    promised = """.lease graph.json history.csv log.txt manifest.json metrics.json packages.txt
        plots predictions.csv report.html spec.yaml split.csv state-0079 state-0080
        weights.safetensors"""
    for folder in finished[:2]:
        assert sorted(path.name for path in folder.iterdir()) == promised.split()
        assert {path.suffix for path in (folder / "plots").iterdir()} == {".png", ".svg"}


def test_metrics_are_written_last(finished):
    for folder in finished[:2]:
        written = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
        assert written[folder / "metrics.json"] == max(written.values())


def test_the_manifest_tells_where_a_run_comes_from_and_the_hashes_are_right(finished):
    for folder in finished[:2]:
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["state"] == "finished"
        assert "error" not in manifest
        assert manifest["command"][2:4] == ["run", "long.yaml"]
        assert {"radzoo", "python", "numpy"} <= set(manifest["versions"])
        assert manifest["device"] == {
            "asked": "auto", "used": "cpu", "name": "cpu", "found": ["cpu"],
        }  # fmt: skip
        assert (manifest["backend"], manifest["seed"]) == ("fake", 0)
        assert (manifest["threads"], manifest["precision"]) == (1, "float32")
        assert manifest["finished"] >= manifest["started"]
        assert min(manifest["wall_time_s"], manifest["peak_memory_mb"]) > 0
        assert manifest["data"]["content_sha256"] == content()
        assert manifest["weights_sha256"] == sha256(folder / "weights.safetensors")
        assert manifest["split"]["sha256"] == sha256(folder / "split.csv")


def content():
    return registry.load("phantom_nodules", images=120).content


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_split_names_no_image_and_no_patient_but_can_be_compared(finished):
    table = registry.load("phantom_nodules", images=120).table
    split, predictions = (rows(finished[0] / f"{name}.csv") for name in ("split", "predictions"))

    def salted(name):
        return hashlib.sha256((content() + str(name)).encode()).hexdigest()

    assert [row["image"] for row in split] == [salted(name) for name in table["id"]]
    assert [row["patient"] for row in split] == [salted(name) for name in table["patient"]]
    assert [row["side"] for row in split] == [row["split"] for row in predictions]
    sides = {patient: {r["side"] for r in split if r["patient"] == patient} for patient in
             {row["patient"] for row in split}}  # fmt: skip
    assert {len(found) for found in sides.values()} == {1}


def test_the_weights_that_are_kept_give_the_predictions_that_are_kept(finished, place, tmp_path):
    folder = finished[0]
    (images,) = (place.path / "cache").glob("*.npy")
    with backends.connect("fake") as worker:
        worker.ask(
            "predict",
            model={"architecture": "tiny_cnn", "options": {}, "classes": 2},
            weights=str(folder / "weights.safetensors"),
            data={"images": str(images), "scale": 1 / 255},
            out=str(tmp_path / "probabilities.npy"),
        )
    kept = [float(row["probability"]) for row in rows(folder / "predictions.csv")]
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy")[:, 1], kept, atol=1e-6)


def test_the_resolved_spec_asks_for_the_same_run(finished):
    folder = finished[0]
    (again,) = plan.plans(folder / "spec.yaml")
    assert again.folder(content()).name == folder.name
