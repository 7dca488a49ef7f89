"""What stands in for functions of Keras gives what they give; a process a backend."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from radzoo.backends import registry

BEGIN = """
import json, sys
sys.modules["tensorflow"] = None  # Keras would import it
import keras, numpy as np
from radzoo.backends.worker import shortcuts

def of(compute, *arrays):
    "The outcome, and the gradients of its sum weighted by 1, 2, 3, ... by each of the arrays."
    return [np.asarray(found).tolist() for found in differentiated(compute, *arrays)]
"""

TORCH = """
import torch
def differentiated(compute, *arrays):
    given = [torch.tensor(array, requires_grad=True) for array in arrays]
    out = compute(*given)
    weights = torch.arange(1.0, out.numel() + 1).reshape(out.shape) / out.numel()
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), given)]

draw = np.random.default_rng(0)
images = draw.random((2, 7, 6, 4), dtype="float32")
kernel = draw.random((3, 3, 4, 5), dtype="float32") - 0.5
alone = draw.random((3, 3, 4, 1), dtype="float32") - 0.5
line, volume = (draw.random(s, dtype="float32") for s in [(2, 9, 3), (1, 5, 4, 6, 2)])
ops = keras.ops
CASES = {
    "valid": lambda: of(ops.conv, images, kernel),
    "same": lambda: of(lambda x, k: ops.conv(x, k, 2, "same"), images, kernel),
    "depthwise": lambda: of(lambda x, k: ops.depthwise_conv(x, k, 1, "same"), images, alone),
    "transposed": lambda: of(
        lambda x, k: ops.conv_transpose(x, ops.transpose(k, (0, 1, 3, 2)), 2, "same"),
        images, kernel),
    "maximum": lambda: of(lambda x: ops.max_pool(x, 2), images),
    "maximum, same": lambda: of(lambda x: ops.max_pool(x, 3, 2, "same"), images),
    "mean": lambda: of(lambda x: ops.average_pool(x, 2), images),
    "of a line": lambda: of(lambda x: ops.max_pool(x, 2), line),
    "of a volume": lambda: of(lambda x: ops.max_pool(x, 2), volume),
}
"""

JAX = """
import jax
from jax import numpy as jnp
def differentiated(compute, *arrays):
    out, back = jax.vjp(compute, *arrays)
    weights = jnp.arange(1.0, out.size + 1).reshape(out.shape) / out.size
    return [out, *back(weights)]

draw = np.random.default_rng(0)
images = draw.random((2, 7, 6, 3), dtype="float32")
tied = np.maximum(draw.integers(-3, 2, (2, 8, 8, 3)), 0).astype("float32")  # as after a ReLU
negative = -images
ops = keras.ops
CASES = {
    "two": lambda: of(lambda x: ops.max_pool(x, 2, 2), images),
    "ties": lambda: of(lambda x: ops.max_pool(x, 2, 2), tied),
    "three by two": lambda: of(lambda x: ops.max_pool(x, (3, 2), (3, 2)), negative),
    "strides apart": lambda: of(lambda x: ops.max_pool(x, 2, 3), tied),
    "overlapping": lambda: of(lambda x: ops.max_pool(x, 3, 2), tied),
    "same": lambda: of(lambda x: ops.max_pool(x, 2, 2, "same"), images),
    "channels first": lambda: of(
        lambda x: ops.max_pool(x, 2, 2, data_format="channels_first"), images),
    "compiled": lambda: of(jax.jit(lambda x: ops.max_pool(x, 2, 2)), tied),
}
"""

END = """
before = {name: case() for name, case in CASES.items()}
nn = sys.modules[f"keras.src.backend.{keras.backend.backend()}.nn"]
own = nn.max_pool, getattr(nn, "_transpose_spatial_inputs", None)
shortcuts.take()
assert own != (nn.max_pool, getattr(nn, "_transpose_spatial_inputs", None)), "nothing was taken"
after = {name: case() for name, case in CASES.items()}
print(json.dumps([before, after]))
"""


@pytest.fixture(scope="module", params=[("torch", TORCH), ("jax", JAX)], ids=lambda case: case[0])
def told(request, place_in):
    """{case: arrays} by Keras and by us."""
    name, cases = request.param
    if not registry.get(name).installed:
        pytest.skip(f"{name} is not installed")
    env = {**os.environ, "KERAS_BACKEND": name, "PYTHONPATH": str(place_in.root)}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + cases + END],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_case_and_its_gradients_are_those_of_keras(told):
    for name, arrays in told[0].items():
        for ours, theirs in zip(told[1][name], arrays, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=1e-5, err_msg=name)


def test_of_equal_maxima_the_first_gets_the_gradient(told):
    if "ties" not in told[1]:
        pytest.skip("pooling on this backend is Keras's own")
    assert told[1]["ties"] == told[0]["ties"]
    assert told[1]["compiled"] == told[0]["compiled"]
