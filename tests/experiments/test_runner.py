"""One run in this process, with a listener that does the mischief."""

import json
import os
import resource
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from radzoo import backends
from radzoo.errors import DeviceUnavailable, Interrupted, RunError
from radzoo.experiments import plan, requests, runner
from radzoo.experiments.run import RunDirectory
from radzoo.preprocessing import registry

SPEC = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 40}}
model: {architecture: tiny_cnn}
training: {epochs: 3}
backends: [fake]
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A plan of one run, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "cache"))
    Path("small.yaml").write_text(SPEC)

    def small(*overrides):
        return plan.plans(Path("small.yaml"), overrides)[0]

    return small


def at(stage, mischief):
    """A listener that does something at the beginning of a stage."""

    def tell(event):
        if str(event.get("name", "")).startswith(stage):
            mischief()

    return tell


def raises(error):
    def mischief():
        raise error

    return mischief


def manifests():
    return [json.loads(path.read_text()) for path in Path("runs").glob("*/*/manifest.json")]


def test_a_device_that_is_not_there_leaves_no_folder(small):
    with pytest.raises(DeviceUnavailable, match="finds: cpu"):
        runner.run(small("device=gpu"), Path("runs"), print)
    assert not list(Path("runs").glob("*"))


def test_a_device_that_is_gone_keeps_what_was_done_with_it(small):
    with pytest.raises(Interrupted):
        runner.run(small(), Path("runs"), at("predicting", raises(KeyboardInterrupt)))
    (folder,) = Path("runs/small").iterdir()
    away = folder.rename(folder.parent / runner_folder(small("device=gpu")))
    with pytest.raises(DeviceUnavailable):
        runner.run(small("device=gpu"), Path("runs"), print)
    assert (away / "state-0003").is_dir()
    assert manifests()[0]["state"] == "interrupted"


def runner_folder(of):
    return of.folder(registry.load("phantom_nodules", images=40).content).name


def test_ctrl_c_before_any_work_leaves_no_folder(small):
    with pytest.raises(KeyboardInterrupt):
        runner.run(small(), Path("runs"), at("starting", raises(KeyboardInterrupt)))
    assert not list(Path("runs").glob("*"))


def test_a_reader_that_goes_away_leaves_an_interrupted_run(small):
    with pytest.raises(BrokenPipeError):
        runner.run(small(), Path("runs"), at("building", raises(BrokenPipeError)))
    assert [m["state"] for m in manifests()] == ["interrupted"]


def test_what_the_system_refuses_is_told_as_an_error_of_the_run(small):
    full = OSError(28, "No space left on device", "plots/roc.png")
    with pytest.raises(RunError, match=r"plots/roc\.png cannot be written: No space left") as told:
        runner.run(small(), Path("runs"), at("predicting", raises(full)))
    assert [(m["state"], m["error"]) for m in manifests()] == [("failed", str(told.value))]


@pytest.mark.parametrize(
    ("stage", "size", "told"),
    [
        ("training", 300, "'fake' cannot write or read a file in 'train'"),
        ("predicting", 300, "probabilities.npy is not whole"),
    ],
)
def test_a_disk_that_is_full_for_the_worker_is_told_without_its_traceback(stage, size, told, small):
    def fill():
        *_, worker = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        resource.prlimit(int(worker), resource.RLIMIT_FSIZE, (size, size))

    with pytest.raises(RunError, match=told) as caught:
        runner.run(small(), Path("runs"), at(stage, fill))
    assert "Traceback" not in str(caught.value)
    assert [(m["state"], m["error"]) for m in manifests()] == [("failed", str(caught.value))]


def test_a_run_that_another_process_finishes_just_before_us_is_not_done_again(small, monkeypatch):
    hold, one = RunDirectory.hold, small()

    @contextmanager
    def hold_later(run):
        with hold(run):
            run.write_json("metrics.json", {"from": "the other one"})
            run.write("spec.yaml", requests.as_yaml(one.spec.model_dump(mode="json")))
            yield

    monkeypatch.setattr(RunDirectory, "hold", hold_later)
    outcome = runner.run(one, Path("runs"), at("starting", raises(AssertionError)))
    assert (outcome.was_done, outcome.metrics) == (True, {"from": "the other one"})


def test_a_file_beside_the_spec_hides_no_module_of_the_worker(small):
    Path("safetensors.py").write_text("raise ImportError('the wrong one')")
    Path("feed.py").write_text("raise ImportError('the wrong one')")
    with pytest.raises(Interrupted):
        runner.run(small(), Path("runs"), at("training", raises(KeyboardInterrupt)))


def test_a_plug_in_beside_the_spec_is_found_by_the_worker(small, monkeypatch):
    Path("my_nets.py").write_text("def net(keras, classes, input_shape=(64, 64, 1)): ...")
    monkeypatch.setattr(sys, "path", list(sys.path))  # to which looking it up adds the folder
    one = small("model.architecture=my_nets:net")
    with pytest.raises(Interrupted):
        runner.run(one, Path("runs"), at("training", raises(KeyboardInterrupt)))


def test_weights_have_the_names_that_the_graph_gives_them(small):
    installed = [n for n in ("torch", "jax", "tensorflow") if backends.get(n).installed]
    if not installed:
        pytest.skip("no Keras backend is installed")
    one = small(f"backends=[{installed[0]}]", "training.epochs=1", "device=cpu")
    with pytest.raises(Interrupted):
        runner.run(one, Path("runs"), at("predicting", raises(KeyboardInterrupt)))
    (folder,) = Path("runs/small").iterdir()
    graph = json.loads((folder / "graph.json").read_text())
    named = [weight for layer in graph["layers"] for weight in layer["weights"]]
    assert sorted(load_file(folder / "weights.safetensors")) == sorted(named)
    assert "block3/kernel" in named


def test_a_finished_run_is_measured_again_and_not_trained_again(small):
    first = runner.run(small(), Path("runs"), print)
    weights = (first.path / "weights.safetensors").stat().st_mtime_ns
    told = []
    again = runner.run(small("evaluation.thresholds=[0.3]"), Path("runs"), told.append)
    assert (again.path, again.was_done) == (first.path, False)
    assert again.metrics["splits"]["test"]["threshold"] == 0.3
    assert (first.path / "weights.safetensors").stat().st_mtime_ns == weights
    assert not [event for event in told if event["event"] in ("step", "epoch")]
    assert runner.run(small("evaluation.thresholds=[0.3]"), Path("runs"), print).was_done
    back = runner.run(small(), Path("runs"), print)
    assert back.metrics == first.metrics
