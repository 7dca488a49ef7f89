"""Weights to start from: of another run, of a file that Keras publishes, or advice."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from radzoo import backends
from radzoo.errors import DataError

KERAS = next((n for n in ("tensorflow", "torch", "jax") if importlib.util.find_spec(n)), None)
SIDE = 32
TINY = {"architecture": "tiny_cnn", "options": {"width": 2}, "classes": 2}


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """A worker without weights in Keras's cache, and without a network."""
    if KERAS is None:
        pytest.skip("no Keras backend is installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setenv("https_proxy", "http://127.0.0.1:9")  # where nothing listens
        with backends.connect(KERAS, "cpu") as worker:
            yield worker


@pytest.fixture
def build(worker, tmp_path):
    """Builds a model -> (its initial weights, the reply)."""

    def built(model, start=None):
        out = tmp_path / "w.safetensors"
        graph = str(tmp_path / "g.json")
        reply = worker.ask("build", model=model, seed=0, graph=graph, weights=str(out), start=start)
        return load_file(out), reply

    return built


@pytest.fixture
def a_run(build, tmp_path):
    """A finished run of three classes, with weights that no initialiser draws."""
    weights, _ = build(TINY | {"classes": 3})
    folder = tmp_path / "runs" / "pretrained"
    folder.mkdir(parents=True)
    save_file({path: array + 7 for path, array in weights.items()}, folder / "weights.safetensors")
    (folder / "metrics.json").write_text("{}")
    return folder


def taken(before, after):
    """Names of the layers whose weights are those of `a_run`."""
    new = {path for path in after if (after[path] >= 6).all()}
    assert all((after[path] == before[path]).all() for path in after.keys() - new)
    return {path.split("/")[0] for path in new}


def test_a_run_of_other_classes_gives_every_layer_but_the_scores(build, a_run):
    before, _ = build(TINY)
    after, reply = build(TINY, str(a_run))
    assert taken(before, after) == {"block1", "block2", "block3"}
    assert (reply["started"]["layers_taken"], reply["started"]["layers_with_weights"]) == (3, 4)
    file = a_run / "weights.safetensors"
    assert reply["started"]["file"] == str(file)
    assert reply["started"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_of_the_same_classes_the_scores_are_taken_too(build, a_run):
    before, _ = build(TINY | {"classes": 3})
    after, _ = build(TINY | {"classes": 3}, str(a_run / "weights.safetensors"))
    assert taken(before, after) == {"block1", "block2", "block3", "scores"}


def test_a_layer_upon_one_that_does_not_fit_is_not_taken_nor_is_half_a_layer(build, a_run):
    file = a_run / "weights.safetensors"
    weights = load_file(file)
    weights["block2/bias"] = np.full(99, 7, "float32")
    save_file(weights, file)
    before, _ = build(TINY)
    after, _ = build(TINY, str(a_run))
    assert taken(before, after) == {"block1"}


def test_a_folder_is_a_run_or_holds_one_that_is_finished(build, a_run):
    _, reply = build(TINY, str(a_run.parent))
    assert reply["started"]["file"] == str(a_run / "weights.safetensors")
    (a_run.parent / "second").mkdir()
    (a_run.parent / "second" / "metrics.json").write_text("{}")
    with pytest.raises(DataError, match=r"holds 2: .*pretrained, .*second\. Give the folder"):
        build(TINY, str(a_run.parent))
    (a_run / "metrics.json").unlink()
    with pytest.raises(DataError, match="holds 0: none"):
        build(TINY, str(a_run))


def test_weights_that_changed_since_their_run_was_finished_are_refused(build, a_run):
    file, manifest = a_run / "weights.safetensors", a_run / "manifest.json"
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(json.dumps({"weights_sha256": "0" * 64}))
    for source in a_run, file:
        with pytest.raises(DataError, match=f"begins {found[:12]}, that in .* 000000000000. Get"):
            build(TINY, str(source))
    manifest.write_text(json.dumps({"weights_sha256": found}))
    assert build(TINY, str(a_run))[1]["started"]["sha256"] == found


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Files of EfficientNetV2-B0 without its top."""
    folder = tmp_path_factory.mktemp("published")
    script = Path(__file__).with_name("application_weights.py")
    done = subprocess.run(
        [sys.executable, script, "EfficientNetV2B0", str(SIDE), folder],
        env={**os.environ, "KERAS_BACKEND": KERAS or "", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


EFFICIENT = {
    "architecture": "efficientnet_v2_transfer",
    "options": {"input_shape": [SIDE, SIDE, 1]},
    "classes": 2,
}


@pytest.mark.parametrize("name", ["published_notop.h5", "saved.weights.h5"])
def test_a_file_of_keras_gives_each_layer_its_own_weights(name, build, published):
    after, reply = build(EFFICIENT, str(published / name))
    assert (reply["started"]["layers_taken"], reply["started"]["layers_with_weights"]) == (150, 152)
    with np.load(published / "expected.npz") as expected:
        assert len(after) == len(expected) + 4  # and the two dense layers of the head
        for key in "stem_conv/0", "block4a_se_reduce/1", "top_bn/3":
            layer, _ = key.split("/")
            ours = [array for path, array in after.items() if path.startswith(f"{layer}/")]
            assert sum(np.array_equal(array, expected[key]) for array in ours) == 1


def test_offline_the_message_names_the_file_its_place_and_its_address(build):
    with pytest.raises(DataError) as caught:
        build(EFFICIENT, "imagenet")
    said = str(caught.value)
    file = "efficientnetv2-b0_notop.h5"
    assert f"The ImageNet weights {file} are not in " in said
    assert os.path.join("keras0", "models") in said
    assert "https://storage.googleapis.com/tensorflow/keras-applications/" in said
    assert "give its path as model.weights" in said
    assert "model.weights: null" in said
