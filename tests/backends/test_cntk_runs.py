"""Runs on CNTK through the command line: struck on the way, many at once, on no GPU."""

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from disturbances import OTHER, Disturbance, descendants, disturb, ends, sends
from safetensors.numpy import load_file

from radzoo import backends

SPEC = """\
title: Long
dataset: {name: phantom_nodules, options: {images: 120}}
model: {architecture: tiny_cnn}
training: {epochs: 60, batch_size: 8, optimizer: {name: adamax, learning_rate: 0.001}}
evaluation: {resamples: 100}
backends: [cntk]
"""
STRIKES = {
    "kill -9 of the command": Disturbance(5, strike=sends(signal.SIGKILL)),
    "kill -9 of the worker": Disturbance(15, strike=sends(signal.SIGKILL, to="worker")),
    "kill -9 of the engine": Disturbance(25, strike=sends(signal.SIGKILL, to="engine")),
    "Ctrl-C": Disturbance(35, strike=sends(signal.SIGINT, to="group")),
}


@pytest.fixture
def place(place_in, tmp_path, cntk_runtime):
    made = place_in(tmp_path)
    made.write(long=SPEC)
    return made


@pytest.fixture(scope="module")
def finished(place_in, tmp_path_factory, cntk_runtime):
    """Weights of an undisturbed run, those of a disturbed one, and what came of each strike."""
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(long=SPEC)
    (place.path / "other_cache").mkdir()
    (place.path / "other_cache" / "legacy").symlink_to(cntk_runtime.site.parents[2])
    undisturbed = threading.Thread(target=place.run, args=["run", "long.yaml", "--out", "whole"])
    undisturbed.start()
    strikes = {name: disturb(place, "long", strike) for name, strike in STRIKES.items()}
    last = place.run("run", "long.yaml", "--out", "cut", "--json", **OTHER)
    assert last.returncode == 0, last.stderr
    undisturbed.join()
    weights = [
        load_file(next(place.path.glob(f"{out}/long/*/weights.safetensors")))
        for out in ("whole", "cut")
    ]
    return *weights, strikes


@pytest.mark.parametrize("name", STRIKES)
def test_whatever_is_struck_neither_worker_nor_engine_stays(name, finished):
    strike = finished[2][name]
    assert strike.all_are_gone
    assert not strike.looks_finished


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("kill -9 of the worker", 1, "The worker of backend 'cntk' was killed by signal 9"),
        ("kill -9 of the engine", 1, "CNTK's process was killed by signal 9 in"),
        ("Ctrl-C", 130, "the same command continues it"),
    ],
)
def test_a_strike_is_told_and_kept_in_the_manifest(name, code, words, finished):
    strike = finished[2][name]
    assert strike.code == code
    assert words in strike.told[-1]["message"]
    assert words in strike.manifest["error"]


def test_a_run_on_cntk_that_was_struck_ends_as_an_undisturbed_one(finished):
    undisturbed, disturbed, strikes = finished
    resumed = [
        [len(event["history"]) for event in strike.told if event["event"] == "resumed"]
        for strike in strikes.values()
    ]
    assert [bool(one) for one in resumed] == [False, True, True, True]
    for path, array in undisturbed.items():
        np.testing.assert_array_equal(disturbed[path], array)


def test_a_gpu_that_is_not_there_is_told_and_nothing_is_written(place):
    done = place.run("run", "long.yaml", "--device", "gpu", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, told["kind"]) == (4, "DeviceUnavailable")
    for words in (
        "Device 'gpu' is not here. Backend 'cntk' finds: cpu.",
        "needs an NVIDIA driver, 410 or newer",
        "radzoo backends install cntk --gpu",
    ):
        assert words in told["message"]
    assert not list(place.path.glob("runs/**/*.*"))


def test_four_workers_at_once_all_finish_and_leave_nothing(cntk_runtime, tmp_path):
    def work(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        model = {"architecture": "tiny_cnn", "options": {}, "classes": 2}
        paths = {name: str(folder / name) for name in ("graph", "weights")}
        np.save(folder / "images.npy", np.ones((4, 64, 64, 1), "float32"))
        with backends.connect("cntk", "cpu") as worker:
            worker.ask("build", model=model, seed=0, **paths)
            started = descendants(worker.process.pid)
            worker.ask(
                "predict",
                model=model,
                weights=paths["weights"],
                data={"images": str(folder / "images.npy")},
                out=str(folder / "probabilities.npy"),
            )
        return started, np.load(folder / "probabilities.npy")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    for started, probabilities in found:
        assert len(started) == 1
        assert ends(started[0])
        np.testing.assert_array_equal(probabilities, found[0][1])
