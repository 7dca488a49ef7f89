"""One process with a framework builds every model that these tests look at."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from radzoo import zoo

HERE = Path(__file__).parent
PLUGIN_FOLDER = HERE.parents[1] / "examples" / "radzoo_example_plugin"
BACKENDS = ("tensorflow", "torch", "jax")  # the first that is installed builds

VARIANTS = {
    "best on nodules": ("baseline_cnn", {"dropouts": [0.5, 0.3], "activation": "tanh"}),
    "three blocks": ("chest_xray_cnn", {"blocks": 3, "kernels": [3, 3, 3]}),
    "half as many drops": (
        "efficientnet_v2_transfer",
        {"drop_connect": 0.1, "input_shape": [32, 32, 1]},
    ),
    "2x dense": ("chest_xray_cnn", {"extra_dense": 16}),
}
if PLUGIN_FOLDER.is_dir():  # an sdist has the tests but not the examples
    VARIANTS["plug-in"] = ("radzoo_example_plugin:residual_cnn", {})


@pytest.fixture(scope="session")
def facts():
    """What was built: label -> parameters, non_trainable, layers, weights, sums, ..."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if not installed:
        pytest.skip(f"none of {', '.join(BACKENDS)} is installed")
    done = subprocess.run(
        [sys.executable, HERE / "build_facts.py"],
        input=json.dumps(_requests()),
        env={
            **os.environ,
            "KERAS_BACKEND": installed[0],
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(PLUGIN_FOLDER)]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def _requests():
    requests = {name: (name, 2, {}) for name in zoo.names()}
    for entry in zoo.entries():
        side = entry.minimum_size
        shape = {"input_shape": [side, side, entry.input_shape[2]]}
        requests[f"{entry.name} at its minimum"] = (entry.name, 3, shape)
        if entry.pretrained:
            requests[f"{entry.name} in colour"] = (entry.name, 2, {"input_shape": [side, side, 3]})
    for label, (name, options) in VARIANTS.items():
        requests[label] = (name, 2, options)
    return requests
