"""Two steps of Keras that are slow on a CPU, done faster with the same numbers.

They stand in for functions that Keras keeps to itself, since nothing public reaches them, and so
for those of the versions of Keras that they were tried with alone: with another, Keras's own run.
Measured in docs/results/performance.md.
"""

import keras

TRIED = ("3.15.1",)


def take():
    """Put them in place; of another version of Keras nothing is touched."""
    if keras.__version__ in TRIED:
        _TAKE.get(keras.backend.backend(), lambda: None)()


def _torch():
    """Hand images to convolution and pooling as they lie in memory.

    Keras keeps images channels last, copies them to channels first, and for a convolution copies
    them back. A view does as well: PyTorch has kernels for that order, its `channels_last`.
    """
    import torch
    from keras.src.backend.torch import nn

    def seen_channels_first(inputs):
        axes = range(1, inputs.ndim - 1)
        return torch.permute(inputs, (0, inputs.ndim - 1, *axes))

    nn._transpose_spatial_inputs = seen_channels_first


def _jax():
    """Find the maximum of windows that do not overlap among the axes of a reshaped array.

    XLA's windows, and above all their gradients, are slow on a CPU. As theirs, the gradient goes
    to the first of several equal maxima.
    """
    from keras.src.backend.jax import nn

    of_keras, largest = nn.max_pool, _largest_of_windows()

    def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
        order = data_format or keras.config.image_data_format()
        images = inputs.ndim == 4 and order == "channels_last"
        if images and padding == "valid" and strides == pool_size:
            return largest(inputs, _pair(pool_size))
        return of_keras(inputs, pool_size, strides, padding, data_format)

    nn.max_pool = max_pool


def _largest_of_windows():
    import jax
    from jax import numpy as jnp

    @jax.custom_vjp
    def largest(windows):
        return windows.max((2, 4))

    def forward(windows):
        return largest(windows), windows

    def backward(windows, gradient):
        batch, rows, high, columns, wide, channels = windows.shape
        cells = windows.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows, columns, -1, channels)
        first = jnp.argmax(cells, 3, keepdims=True)
        given = (jnp.arange(high * wide)[:, None] == first) * gradient[:, :, :, None]
        given = given.reshape(batch, rows, columns, high, wide, channels)
        return (given.transpose(0, 1, 3, 2, 4, 5),)

    largest.defvjp(forward, backward)

    def of_images(images, window):
        batch, rows, columns, channels = images.shape
        high, wide = window
        rows, columns = rows // high, columns // wide
        whole = images[:, : rows * high, : columns * wide]
        return largest(whole.reshape(batch, rows, high, columns, wide, channels))

    return of_images


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


_TAKE = {"torch": _torch, "jax": _jax}
