"""What every backend promises; a new one is tested by being registered."""

import json
import os
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from radzoo import backends
from radzoo.backends import contract, registry
from radzoo.errors import BackendUnavailable, DeviceUnavailable, UnknownName, WorkerFailed

NAMES = backends.names()
KERAS = [name for name in NAMES if registry.get(name).adapter == "keras3"]
MODEL = {"architecture": "tiny_cnn", "options": {"width": 2}, "classes": 2}


@pytest.fixture(params=NAMES)
def backend(request):
    if not registry.get(request.param).installed:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Forty 64x64 images; a bright square tells the second class."""
    folder = tmp_path_factory.mktemp("images")
    draw = np.random.default_rng(0)
    labels = np.arange(40) % 2
    pixels = draw.random((40, 64, 64, 1), dtype="float32") * 0.5
    pixels[labels == 1, 16:48, 16:48] += 0.5
    np.save(folder / "images.npy", pixels)
    np.save(folder / "labels.npy", labels)
    return {"images": str(folder / "images.npy"), "labels": str(folder / "labels.npy")}


def plan(folder, epochs=3):
    optimizer = {"name": "adamax", "learning_rate": 0.01}
    return {
        "folder": str(folder),
        "seed": 1,
        "rows": {"train": list(range(28)), "validation": list(range(28, 40))},
        "phases": [{"epochs": epochs, "frozen_until": None, "optimizer": optimizer}],
        "batch_size": 8,
        "class_weight": None,
        "augmentation": {"rotation_degrees": 5, "shift": 0.05},
        "loss": "categorical_crossentropy",
        "monitor": "val_loss",
        "restore_best": False,
        "early_stopping": None,
        "reduce_on_plateau": None,
        "jit_compile": None,
    }


def build(worker, folder, model=MODEL, seed=0):
    paths = {"graph": str(folder / "graph.json"), "weights": str(folder / "initial.safetensors")}
    return worker.ask("build", model=model, seed=seed, **paths)


def train(worker, folder, images, listener=None, **changes):
    return worker.ask(
        "train",
        listener,
        model=MODEL,
        weights=str(folder / "initial.safetensors"),
        data=images,
        plan={**plan(folder), **changes},
        out=str(folder / "weights.safetensors"),
    )


def predict(worker, folder, images, weights="initial.safetensors", model=MODEL):
    out = folder / "probabilities.npy"
    data = {"images": images["images"]}
    path = str(folder / weights)
    worker.ask("predict", model=model, weights=path, data=data, out=str(out), batch_size=16)
    return np.load(out)


def test_a_killed_worker_is_told_and_training_goes_on_to_the_same_weights(
    backend, images, tmp_path
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    with backends.connect(backend, "cpu") as worker:
        build(worker, whole)
        undisturbed = train(worker, whole, images)
    with backends.connect(backend, "cpu") as worker:
        build(worker, cut)

        def kill_in_the_third_epoch(event):
            if event["event"] == "epoch" and event["epoch"] == 2:
                worker.process.send_signal(signal.SIGKILL)

        with pytest.raises(WorkerFailed, match="killed by signal 9 in 'train'"):
            train(worker, cut, images, kill_in_the_third_epoch)
    assert not (cut / "weights.safetensors").exists()
    events = []
    with backends.connect(backend, "cpu") as worker:
        resumed = train(worker, cut, images, events.append)
    assert events[0]["event"] == "resumed"
    assert len(events[0]["history"]) >= 2
    for name, array in load_file(whole / "weights.safetensors").items():
        np.testing.assert_array_equal(array, load_file(cut / "weights.safetensors")[name])
    losses = [[row["val_loss"] for row in run["history"]] for run in (undisturbed, resumed)]
    assert losses[0] == losses[1]
    assert sorted(p.name for p in cut.glob("state-*")) == ["state-0002", "state-0003"]


def test_a_worker_ends_with_its_parent(backend, images, tmp_path):
    (tmp_path / "run").mkdir()
    with backends.connect(backend, "cpu") as worker:
        build(worker, tmp_path / "run")
        with pytest.raises(KeyboardInterrupt):
            train(worker, tmp_path / "run", images, _interrupt, phases=plan("", 500)["phases"])
    assert worker.process.returncode is not None
    assert list((tmp_path / "run").glob("state-*"))


def _interrupt(event):
    if event["event"] == "epoch":
        raise KeyboardInterrupt


def test_a_device_that_is_not_there_is_refused_and_those_found_are_named(backend):
    with (
        pytest.raises(DeviceUnavailable, match=rf"'gpu:77' is not here.*{backend}.*finds: cpu"),
        backends.connect(backend, "gpu:77"),
    ):
        pass


def test_auto_takes_what_there_is(backend):
    with backends.connect(backend, "auto") as worker:
        found = worker.described["devices"]
        assert worker.described["device"] == (found[1] if len(found) > 1 else "cpu")


def test_an_error_in_a_worker_says_which_and_where(backend, tmp_path):
    log = tmp_path / "log.txt"
    with (
        backends.connect(backend, "cpu", log) as worker,
        pytest.raises(WorkerFailed, match=rf"'{backend}' failed in 'predict'.*\n.*log.txt"),
    ):
        worker.ask("predict", model=MODEL, weights="none", data={"images": "none.npy"}, out="")


def test_a_backend_that_does_not_exist_is_not_found():
    with (
        pytest.raises(UnknownName, match="Did you mean 'tensorflow'"),
        backends.connect("tensorflw"),
    ):
        pass


def test_a_backend_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(BackendUnavailable, match=r"pip install 'radzoo\[jax\]'"),
        backends.connect("jax"),
    ):
        pass


@pytest.fixture(scope="module")
def everywhere(images, tmp_path_factory):
    """The same model built, and the same weights loaded, on every Keras backend."""
    found = {}
    first = None
    for name in KERAS:
        if not registry.get(name).installed:
            continue
        folder = tmp_path_factory.mktemp(name)
        with backends.connect(name, "cpu") as worker:
            build(worker, folder)
            first = first or folder
            probabilities = predict(worker, first, images)
            out = folder / "gradients.npz"
            worker.ask(
                "gradients",
                model=MODEL,
                weights=str(first / "initial.safetensors"),
                data={"images": images["images"]},
                layer="block3",
                out=str(out),
            )
        with np.load(out) as arrays:
            found[name] = (load_file(folder / "initial.safetensors"), probabilities, dict(arrays))
    if len(found) < 2:
        pytest.skip("fewer than two Keras backends are installed")
    return found


def test_every_backend_starts_from_the_same_weights(everywhere):
    (first, *_), *others = everywhere.values()
    for weights, *_ in others:
        assert weights.keys() == first.keys()
        for name, array in weights.items():
            np.testing.assert_array_equal(array, first[name])


def test_initial_weights_have_the_spread_that_their_initialiser_gives(everywhere):
    (weights, *_), *_ = everywhere.values()
    kernel = weights["block3/kernel"]  # Glorot uniform: limit sqrt(6 / (fan_in + fan_out))
    limit = np.sqrt(6 / (3 * 3 * (kernel.shape[2] + kernel.shape[3])))
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    assert not weights["block3/bias"].any()


def test_one_weight_file_predicts_the_same_on_every_backend(everywhere):
    (_, first, _), *others = everywhere.values()
    for _, probabilities, _ in others:
        np.testing.assert_allclose(probabilities, first, atol=1e-5)


def test_gradients_are_the_same_on_every_backend(everywhere):
    (_, _, first), *others = everywhere.values()
    assert first["gradients"].shape == (40, 2, 16, 16, 16)
    assert np.abs(first["gradients"]).max() > 0
    for _, _, arrays in others:
        np.testing.assert_allclose(arrays["activations"], first["activations"], atol=1e-5)
        np.testing.assert_allclose(arrays["gradients"], first["gradients"], atol=1e-5)


def test_a_gradient_is_the_change_of_the_score(images, tmp_path):
    """On the fake-free smallest case: scores are linear in the mean of the last activations."""
    name = next((n for n in KERAS if registry.get(n).installed), None)
    if name is None:
        pytest.skip("no Keras backend is installed")
    with backends.connect(name, "cpu") as worker:
        build(worker, tmp_path)
        out = tmp_path / "g.npz"
        worker.ask(
            "gradients",
            model=MODEL,
            weights=str(tmp_path / "initial.safetensors"),
            data={"images": images["images"]},
            layer="pool3",
            out=str(out),
        )
    kernel = load_file(tmp_path / "initial.safetensors")["scores/kernel"]  # (channels, classes)
    with np.load(out) as arrays:
        gradients = arrays["gradients"]  # (images, classes, 8, 8, channels)
    expected = np.broadcast_to(kernel.T[None, :, None, None, :] / 64, gradients.shape)
    np.testing.assert_allclose(gradients, expected, atol=1e-6)


def test_freezing_a_block_keeps_its_weights_and_what_it_depends_on(images, tmp_path):
    name = next((n for n in KERAS if registry.get(n).installed), None)
    if name is None:
        pytest.skip("no Keras backend is installed")
    optimizer = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}
    phases = [{"epochs": 1, "frozen_until": "pool2", "optimizer": optimizer}]
    with backends.connect(name, "cpu") as worker:
        build(worker, tmp_path)
        train(worker, tmp_path, images, phases=phases)
    before = load_file(tmp_path / "initial.safetensors")
    after = load_file(tmp_path / "weights.safetensors")
    moved = {path.split("/")[0] for path in before if (before[path] != after[path]).any()}
    assert moved == {"block3", "scores"}


def test_the_graph_names_every_layer_its_inputs_and_its_weights(tmp_path):
    name = next((n for n in KERAS if registry.get(n).installed), None)
    if name is None:
        pytest.skip("no Keras backend is installed")
    with backends.connect(name, "cpu") as worker:
        build(worker, tmp_path)
    graph = json.loads((tmp_path / "graph.json").read_text())
    layers = {layer["name"]: layer for layer in graph["layers"]}
    assert (graph["input"], graph["output"]) == ("images", "probabilities")
    assert layers["images"]["options"]["shape"] == [64, 64, 1]
    assert layers["block2"]["op"] == "Conv2D"
    assert layers["block2"]["inputs"] == ["pool1"]
    assert layers["block2"]["weights"] == ["block2/kernel", "block2/bias"]
    assert layers["block2"]["options"]["padding"] == "same"
    named = {weight for layer in graph["layers"] for weight in layer["weights"]}
    assert named == set(load_file(tmp_path / "initial.safetensors"))


def test_the_contract_of_an_architecture_holds_and_a_wrong_declaration_is_found(monkeypatch):
    if not any(registry.get(name).installed for name in KERAS):
        pytest.skip("no Keras backend is installed")
    one = next(name for name in KERAS if registry.get(name).installed)
    monkeypatch.setattr(registry, "names", lambda: [one])
    findings = contract.check("tiny_cnn", lambda finding: None)
    assert all(finding.kept for finding in findings)
    from radzoo import zoo

    wrong = zoo.get("tiny_cnn").__class__(**{**vars(zoo.get("tiny_cnn")), "parameters": 7})
    monkeypatch.setattr(zoo, "get", lambda name: wrong)
    broken = [f.claim for f in contract.check("tiny_cnn", lambda finding: None) if not f.kept]
    assert broken == ["has as many parameters as it declares"]


def test_a_worker_whose_parent_was_killed_ends(tmp_path):
    """A process of its own starts a worker and is killed without a chance to clean up."""
    import subprocess
    import sys
    from pathlib import Path

    import radzoo.cli

    root = Path(radzoo.cli.__file__).parent
    path = root if (root / "radzoo.py").exists() else root.parent
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from radzoo import backends\n"
        "with backends.connect('fake') as worker:\n"
        "    print(worker.process.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _lives(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the worker outlived its parent by 10 seconds")


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
