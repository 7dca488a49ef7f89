"""Keras 3's activation functions in CNTK's operations (2.7)."""

import cntk


def activated(found, name):
    """Apply one of Keras's activation functions, by its name."""
    return ACTIVATIONS[name](found)


def _softmax(found):
    return cntk.softmax(found, axis=0 if len(found.shape) == 3 else -1)


def _hard_sigmoid(found):
    return cntk.clip(found + 3.0, 0.0, 6.0) / 6.0


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": cntk.relu,
    "relu6": lambda x: cntk.clip(x, 0.0, 6.0),
    "leaky_relu": lambda x: cntk.param_relu(cntk.constant(0.2), x),
    "elu": cntk.elu,
    "selu": cntk.selu,
    "sigmoid": cntk.sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "tanh": cntk.tanh,
    "softplus": cntk.softplus,
    "softsign": lambda x: x / (1.0 + cntk.abs(x)),
    "silu": lambda x: x * cntk.sigmoid(x),
    "exponential": cntk.exp,
    "softmax": _softmax,
}
