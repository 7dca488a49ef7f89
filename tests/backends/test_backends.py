"""What every backend promises; a new one is tested by being registered."""

import dataclasses
import json
import os
import signal
import time
from contextlib import ExitStack

import masked
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from radzoo import backends, zoo
from radzoo.backends import contract, registry
from radzoo.errors import (
    BackendUnavailable,
    DataError,
    DeviceUnavailable,
    UnknownName,
    WorkerFailed,
)

NAMES = backends.names()
REAL = [name for name in NAMES if name != "fake"]  # those that build what they are told to
KERAS = [name for name in REAL if not registry.get(name).legacy]
MODEL = {"architecture": "tiny_cnn", "options": {"width": 2}, "classes": 2}


@pytest.fixture(scope="module", params=NAMES)
def backend(request):
    if not registry.get(request.param).installed:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Start each backend's worker once, when it is first asked for."""
    log = tmp_path_factory.mktemp("logs") / "log.txt"
    started = {}
    with ExitStack() as stack:

        def start(name):
            if name not in started:
                started[name] = stack.enter_context(backends.connect(name, "auto", log))
            return started[name]

        yield start


@pytest.fixture
def keras_worker(workers):
    name = next((name for name in KERAS if registry.get(name).installed), None)
    if name is None:
        pytest.skip("no Keras backend is installed")
    return workers(name)


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
        "precision": "float32",
    }


def build(worker, folder, model=MODEL, seed=0):
    paths = {"graph": str(folder / "graph.json"), "weights": str(folder / "initial.safetensors")}
    return worker.ask("build", model=model, seed=seed, **paths)


def train(worker, folder, images, listener=None, model=MODEL, **changes):
    return worker.ask(
        "train",
        listener,
        model=model,
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


def gradients(worker, folder, images, layer):
    out = folder / "gradients.npz"
    worker.ask(
        "gradients",
        model=MODEL,
        weights=str(folder / "initial.safetensors"),
        data={"images": images["images"]},
        layer=layer,
        out=str(out),
    )
    with np.load(out) as arrays:
        return dict(arrays)


def test_a_killed_worker_is_told_and_training_goes_on_to_the_same_weights(
    backend, workers, images, tmp_path
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    build(workers(backend), whole)
    undisturbed = train(workers(backend), whole, images)
    with backends.connect(backend, "cpu") as worker:
        build(worker, cut)

        def kill_in_the_third_epoch(event):
            if event["event"] == "epoch" and event["epoch"] == 2:
                worker.process.send_signal(signal.SIGKILL)

        with pytest.raises(WorkerFailed, match="killed by signal 9 in 'train'"):
            train(worker, cut, images, kill_in_the_third_epoch)
    assert not (cut / "weights.safetensors").exists()
    events = []
    resumed = train(workers(backend), cut, images, events.append)
    assert events[0]["event"] == "resumed"
    assert len(events[0]["history"]) >= 2
    for name, array in load_file(whole / "weights.safetensors").items():
        np.testing.assert_array_equal(array, load_file(cut / "weights.safetensors")[name])
    losses = [[row["val_loss"] for row in run["history"]] for run in (undisturbed, resumed)]
    assert losses[0] == losses[1]
    assert sorted(p.name for p in cut.glob("state-*")) == ["state-0002", "state-0003"]


@pytest.mark.parametrize("mode", ["train", "predict"])
def test_each_timed_step_ends_with_its_device(backend, workers, images, tmp_path, mode):
    """`timing` refuses results that a device may still be at work on."""
    build(workers(backend), tmp_path)
    asked = {"mode": mode, "batch_size": 8, "warm_up": 1, "steps": 3, "repetitions": 2}
    asked["precision"] = "float32"
    found = workers(backend).ask(
        "benchmark",
        model=MODEL,
        weights=str(tmp_path / "initial.safetensors"),
        data=images,
        plan={**asked, "optimizer": {"name": "adamax", "learning_rate": 0.01}},
    )
    assert np.shape(found["seconds"]) == (2, 3)
    assert 0 < np.min(found["seconds"]) <= np.max(found["seconds"]) < 60


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


def test_auto_takes_what_there_is(backend, workers):
    described = workers(backend).described
    found = described["devices"]
    assert described["device"] == (found[1] if len(found) > 1 else "cpu")


def test_an_error_in_a_worker_says_which_and_where(backend, workers, images, tmp_path):
    build(workers(backend), tmp_path)
    ask = {"model": MODEL, "weights": str(tmp_path / "initial.safetensors"), "out": ""}
    data = {"images": images["images"]}
    with pytest.raises(WorkerFailed, match=rf"'{backend}' failed in 'predict'.*\n.*log.txt"):
        workers(backend).ask("predict", data=data, rows=[1_000], **ask)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_numbers_train_nearly_as_float32_and_leave_float32_weights(
    keras_worker, images, tmp_path, precision
):
    build(keras_worker, tmp_path)
    folders = {name: tmp_path / name for name in ("float32", precision)}
    losses, weights = {}, {}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / "initial.safetensors").write_bytes(
            (tmp_path / "initial.safetensors").read_bytes()
        )
        done = train(keras_worker, folder, images, precision=name)
        losses[name] = [row["loss"] for row in done["history"]]
        weights[name] = load_file(folder / "weights.safetensors")
    assert {array.dtype.name for array in weights[precision].values()} == {"float32"}
    assert losses[precision] != losses["float32"]  # or it computed in float32
    np.testing.assert_allclose(losses[precision], losses["float32"], rtol=0.05)
    # What predicts is float32 again, whatever it was trained in.
    found = predict(keras_worker, folders[precision], images, "weights.safetensors")
    with backends.connect(keras_worker.backend.name) as other:
        again = predict(other, folders[precision], images, "weights.safetensors")
    np.testing.assert_allclose(found, again, atol=1e-6)


def ramp(array):
    return np.linspace(0, 1, array.size, dtype=array.dtype).reshape(array.shape)


def test_weights_that_changed_are_read_again(backend, workers, images, tmp_path):
    worker = workers(backend)
    build(worker, tmp_path)
    before = predict(worker, tmp_path, images)
    assert (predict(worker, tmp_path, images) == before).all()
    path = tmp_path / "initial.safetensors"
    save_file({name: array + ramp(array) for name, array in load_file(path).items()}, path)
    assert not np.allclose(predict(worker, tmp_path, images), before, atol=1e-3)


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
def everywhere(images, workers, tmp_path_factory):
    """The same model built, and the same weights loaded, on every real backend."""
    found = {}
    first = None
    for name in REAL:
        if not registry.get(name).installed:
            continue
        folder = tmp_path_factory.mktemp(name)
        build(workers(name), folder)
        first = first or folder
        probabilities = predict(workers(name), first, images)
        arrays = gradients(workers(name), first, images, "block3")
        found[name] = (load_file(folder / "initial.safetensors"), probabilities, arrays)
    if len(found) < 2:
        pytest.skip("fewer than two real backends are installed")
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


def test_what_one_backend_has_trained_predicts_the_same_on_every_other(
    backend, workers, images, tmp_path
):
    """With batch normalisation, whose moving statistics each backend computes in its own way."""
    if backend not in REAL:
        pytest.skip("it builds another model than it is told to")
    model = {"architecture": "batch_norm_cnn", "options": {"filters": 2}, "classes": 2}
    build(workers(backend), tmp_path, model)
    train(workers(backend), tmp_path, images, model=model)
    arguments = (tmp_path, images, "weights.safetensors", model)
    expected = predict(workers(backend), *arguments)
    assert np.ptp(expected) > 0.1
    for other in REAL:
        if registry.get(other).installed:
            np.testing.assert_allclose(predict(workers(other), *arguments), expected, atol=1e-5)


def test_a_gradient_is_the_change_of_the_score(keras_worker, images, tmp_path):
    """The scores are linear in the mean of the last activations: kernel / 64 everywhere."""
    build(keras_worker, tmp_path)
    kernel = load_file(tmp_path / "initial.safetensors")["scores/kernel"]  # (channels, classes)
    found = gradients(keras_worker, tmp_path, images, "pool3")["gradients"]
    expected = np.broadcast_to(kernel.T[None, :, None, None, :] / 64, found.shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_freezing_a_block_keeps_its_weights_and_what_it_depends_on(keras_worker, images, tmp_path):
    optimizer = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}
    phases = [{"epochs": 1, "frozen_until": "pool2", "optimizer": optimizer}]
    build(keras_worker, tmp_path)
    train(keras_worker, tmp_path, images, phases=phases)
    before = load_file(tmp_path / "initial.safetensors")
    after = load_file(tmp_path / "weights.safetensors")
    moved = {path.split("/")[0] for path in before if (before[path] != after[path]).any()}
    assert moved == {"block3", "scores"}


def test_training_starts_from_the_weights_of_another_run(keras_worker, tmp_path):
    build(keras_worker, tmp_path, seed=1)
    start = tmp_path / "initial.safetensors"
    os.rename(start, tmp_path / "other.safetensors")
    paths = {"graph": str(tmp_path / "graph.json"), "weights": str(start)}
    other = str(tmp_path / "other.safetensors")
    keras_worker.ask("build", model=MODEL, seed=2, start=other, **paths)
    for name, array in load_file(tmp_path / "other.safetensors").items():
        np.testing.assert_array_equal(array, load_file(start)[name])


def test_weights_that_are_missing_or_of_another_model_are_refused(keras_worker, tmp_path):
    paths = {"graph": str(tmp_path / "g.json"), "weights": str(tmp_path / "w.safetensors")}
    save_file({"other": np.zeros(3)}, tmp_path / "other.safetensors")
    for start, message in (
        (str(tmp_path / "other.safetensors"), "No weight of the file fits"),
        (str(tmp_path / "none.safetensors"), "cannot be used"),
        ("imagenet", "has no published weights"),
    ):
        with pytest.raises(DataError, match=message):
            keras_worker.ask("build", model=MODEL, seed=0, start=start, **paths)


def test_the_graph_names_every_layer_its_inputs_and_its_weights(keras_worker, tmp_path):
    build(keras_worker, tmp_path)
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


@pytest.mark.parametrize("name", zoo.names())
def test_every_architecture_keeps_its_promises_on_every_backend(name, workers, tmp_path):
    started = {n: workers(n) for n in REAL if registry.get(n).installed}
    if not started:
        pytest.skip("no real backend is installed")
    findings = list(contract.try_out(zoo.get(name), started, tmp_path))
    assert len(findings) == 2 + 3 * len(started) + 1
    assert not [finding for finding in findings if not finding.kept]


def test_the_contract_holds_but_for_what_an_architecture_declares_wrongly(monkeypatch):
    one = next((name for name in KERAS if registry.get(name).installed), None)
    if one is None:
        pytest.skip("no Keras backend is installed")
    wrong = dataclasses.replace(zoo.get("tiny_cnn"), parameters=7)
    monkeypatch.setattr(registry, "names", lambda: [one])
    monkeypatch.setattr(zoo, "get", lambda name: wrong)
    findings = contract.check("tiny_cnn", lambda finding: None)
    assert len(findings) == 6
    broken = [finding.claim for finding in findings if not finding.kept]
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


@pytest.fixture(scope="module")
def steps_of_findings(workers, tmp_path_factory):
    """Of each backend one step: probabilities before it, its history, and the weights after it."""
    found, folder = {}, tmp_path_factory.mktemp("findings")
    given, start = masked.data(folder), folder / "start"
    for name in REAL:
        if not registry.get(name).installed:
            continue
        own, model = folder / name, masked.MODEL
        own.mkdir()
        weights = own / "w" if start.exists() else start
        paths = {"graph": str(own / "graph.json"), "weights": str(weights)}
        workers(name).ask("build", model=model, seed=1, **paths)
        ask, images = {"model": model, "weights": str(start)}, {"images": given["images"]}
        workers(name).ask("predict", **ask, data=images, out=str(own / "p.npy"), batch_size=4)
        how = masked.plan(own)
        done = workers(name).ask("train", **ask, data=given, plan=how, out=str(own / "out"))
        last = json.loads((own / "graph.json").read_text())["layers"][-1]
        found[name] = (np.load(own / "p.npy"), done["history"][0], load_file(own / "out"), last)
    return load_file(start) if found else {}, found


@pytest.mark.parametrize("name", REAL)
def test_a_step_is_that_of_the_masked_loss(name, steps_of_findings):
    start, found = steps_of_findings
    if name not in found:
        pytest.skip(f"{name} is not installed")
    probabilities, row, weights, last = found[name]
    assert last["options"]["activation"] == "sigmoid"
    assert row["loss"] == pytest.approx(masked.by_hand(probabilities), abs=1e-5)
    known = masked.TRUTH >= 0
    right = (probabilities >= 0.5) == (masked.TRUTH == 1)
    assert row["accuracy"] == pytest.approx(right[known].mean())
    # nobody knows the third finding of any image: its weights have no gradient
    for path in "scores/kernel", "scores/bias":
        moved = np.abs(weights[path] - start[path])
        assert moved[..., 2].max() == 0
        assert moved[..., :2].max(axis=tuple(range(moved.ndim - 1))).min() > 1e-4


def test_all_backends_make_the_same_step_for_findings(steps_of_findings):
    found = steps_of_findings[1]
    if len(found) < 2:
        pytest.skip("fewer than two backends are installed")
    (_, row, weights, _), *others = found.values()
    for _, other, theirs, _ in others:
        for key in "loss", "val_loss", "accuracy", "val_accuracy", "val_roc_auc":
            assert other[key] == pytest.approx(row[key], abs=1e-4)
        for path, array in weights.items():
            np.testing.assert_allclose(theirs[path], array, atol=1e-4, err_msg=path)
