"""Initial weights drawn by NumPy, so that every backend starts from the same ones.

Keras draws with its backend's generator: one seed gives other weights on each. The formulas
here are those of Keras's initialisers (keras.io/api/layers/initializers).
"""

import zlib

import numpy as np


def draw(keras, model, seed):
    """Initial values of the model's weights that have a random initialiser.

    Args:
        keras: Keras 3.
        model: any built model.
        seed: of the run.

    Returns:
        {path of the weight: float32 array}, a function of (seed, path) and shape alone.

    Raises:
        ValueError: a layer has a random initialiser that is not one of Keras's usual ones.
    """
    values = {}
    for layer in model._flatten_layers(include_self=False, recursive=True):
        for weight in layer._trainable_variables + layer._non_trainable_variables:
            initializer = _initializer(layer, weight)
            if initializer is not None and not isinstance(initializer, _fixed(keras)):
                random = np.random.default_rng([seed, zlib.crc32(weight.path.encode())])
                values[weight.path] = _sample(keras, initializer, weight, random)
    return values


def _initializer(layer, weight):
    """Keras keeps them on the layer, as `kernel_initializer` for `kernel`."""
    return getattr(layer, weight.name + "_initializer", None)


def _fixed(keras):
    known = keras.initializers
    return known.Zeros, known.Ones, known.Constant, known.Identity


def _sample(keras, initializer, weight, random):
    known, shape = keras.initializers, tuple(weight.shape)
    if isinstance(initializer, known.VarianceScaling):
        return _variance_scaling(initializer, shape, random)
    if isinstance(initializer, known.RandomUniform):
        return random.uniform(initializer.minval, initializer.maxval, shape).astype("float32")
    if isinstance(initializer, known.RandomNormal):
        return random.normal(initializer.mean, initializer.stddev, shape).astype("float32")
    if isinstance(initializer, known.TruncatedNormal):
        return initializer.mean + _truncated_normal(initializer.stddev, shape, random)
    raise ValueError(
        f"Weight {weight.path!r} has initialiser {type(initializer).__name__}, which cannot be "
        "drawn alike on every backend. Use "
        "glorot_*, he_*, lecun_*, random_uniform, random_normal or truncated_normal."
    )


def _variance_scaling(initializer, shape, random):
    """Glorot, He and LeCun initialisers are all of this kind."""
    field = int(np.prod(shape[:-2]))
    fan_in, fan_out = (shape[-2] * field, shape[-1] * field) if len(shape) > 1 else (shape[0],) * 2
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    scale = initializer.scale / max(1.0, fan[initializer.mode])
    if initializer.distribution == "uniform":
        limit = np.sqrt(3.0 * scale)
        return random.uniform(-limit, limit, shape).astype("float32")
    if initializer.distribution == "untruncated_normal":
        return random.normal(0.0, np.sqrt(scale), shape).astype("float32")
    return _truncated_normal(np.sqrt(scale) / 0.87962566103423978, shape, random)


def _truncated_normal(stddev, shape, random):
    """Normal values, drawn again where they lie beyond two standard deviations."""
    values = random.normal(0.0, 1.0, shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = random.normal(0.0, 1.0, int(beyond.sum()))
    return (values * stddev).astype("float32")
