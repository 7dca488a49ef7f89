"""Keras 3's layers in CNTK's operations (2.7).

Images are (channels, rows, columns) inside, so a kernel of Keras, (rows, columns, in, out), is
(out, in, rows, columns) here; a `Weights` turns one into the other. A function of `LAYERS` takes
(layer, inputs, weights): the layer's entry in the graph, the CNTK functions that it is called on
and where its arrays are; it returns a CNTK function. What differs in training is in `network.py`.
"""

from __future__ import division

import cntk
import numpy as np

from .activations import activated

NOTHING = -1e30  # what a maximum never takes; CNTK multiplies paddings, so no infinity

AXES = {1: 1, 2: 2, 3: 0, -1: 0}  # of images in Keras (batch, rows, columns, channels) to ours


def same_padding(size, kernel, stride):
    """How many zeros Keras 3 puts before and after one side with `padding="same"`.

    Source:
        tensorflow.org/api_docs/python/tf/nn, "Notes on padding"
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def conv2d(layer, inputs, weights):
    """Convolution, in groups or not."""
    options = layer["options"]
    kernel = weights.array("kernel", (3, 2, 0, 1))
    found = _convolve(inputs[0], kernel, options, options["groups"])
    return _finish(layer, found, weights)


def depthwise_conv2d(layer, inputs, weights):
    """Each channel for itself."""
    return _finish(layer, _depthwise(layer, inputs[0], weights, "kernel"), weights)


def separable_conv2d(layer, inputs, weights):
    """Each channel for itself, then all of them in each pixel."""
    found = _depthwise(layer, inputs[0], weights, "depthwise_kernel")
    mix = weights.array("pointwise_kernel", (3, 2, 0, 1))
    found = cntk.convolution(mix, found, strides=(1, 1, 1), auto_padding=[False])
    return _finish(layer, found, weights)


def _depthwise(layer, images, weights, name):
    rows, columns, channels, multiplier = weights.shape(name)
    kernel = weights.array(name, (2, 3, 0, 1), native=(channels * multiplier, 1, rows, columns))
    return _convolve(images, kernel, layer["options"], channels)


def _convolve(images, kernel, options, groups):
    strides, automatic = tuple(options["strides"]), False
    if options["padding"] == "same":
        sides = _paddings(images, options["kernel_size"], strides)
        # CNTK's own padding is quicker than a copy, and the same where it is even.
        automatic = strides == (1, 1) and all(a == b for a, b in sides)
        automatic = automatic and not _exceeds(options["kernel_size"], images)
        images = images if automatic else _padded(images, sides)
    return cntk.convolution(
        kernel,
        images,
        strides=(1,) + strides,
        auto_padding=[False, automatic, automatic],
        dilation=(1,) + tuple(options.get("dilation_rate", (1, 1))),
        groups=groups,
    )


def _exceeds(kernel, images):
    return any(k > size for k, size in zip(kernel, images.shape[1:]))


def _paddings(images, kernel, strides):
    return [same_padding(*side) for side in zip(images.shape[1:], kernel, strides)]


def _padded(images, sides, value=0):
    if not any(before or after for before, after in sides):
        return images
    return cntk.pad(images, [(0, 0)] + list(sides), cntk.CONSTANT_PAD, value)


def _finish(layer, found, weights):
    """Bias and activation."""
    if layer["options"]["use_bias"]:
        bias = weights.array("bias")
        found = found + (cntk.reshape(bias, (-1, 1, 1)) if len(found.shape) == 3 else bias)
    return activated(found, layer["options"]["activation"])


def dense(layer, inputs, weights):
    """A matrix of the last axis, which of images is the channels."""
    found, kernel = inputs[0], weights.array("kernel")
    if len(found.shape) == 3:
        found = channels_first(cntk.times(channels_last(found), kernel))
    else:
        found = cntk.times(found, kernel)
    return _finish(layer, found, weights)


def max_pooling2d(layer, inputs, weights):
    """The largest of each window."""
    images, options = inputs[0], layer["options"]
    if options["padding"] == "same":
        sides = _paddings(images, options["pool_size"], options["strides"])
        images = _padded(images, sides, NOTHING)
    return _pooled(images, cntk.MAX_POOLING, options)


def average_pooling2d(layer, inputs, weights):
    """The mean of each window; of a window over the border, the mean of what is inside."""
    images, options = inputs[0], layer["options"]
    if options["padding"] == "valid":
        return _pooled(images, cntk.AVG_POOLING, options)
    strides, size = options["strides"], options["pool_size"]
    sides = _paddings(images, size, strides)
    inside = [
        _inside(n, k, s, before)
        for n, k, s, (before, _) in zip(images.shape[1:], size, strides, sides)
    ]
    share = np.outer(*inside)[np.newaxis] / (size[0] * size[1])
    found = _pooled(_padded(images, sides), cntk.AVG_POOLING, options)
    return found * cntk.constant((1 / share).astype("float32"))


def _inside(size, kernel, stride, before):
    """How many pixels of each window along a side are pixels of the image."""
    starts = np.arange(-(-size // stride)) * stride - before
    return np.minimum(starts + kernel, size) - np.maximum(starts, 0)


def _pooled(images, kind, options):
    size, strides = tuple(options["pool_size"]), tuple(options["strides"])
    return cntk.pooling(images, kind, size, strides, auto_padding=[False])


def global_average_pooling2d(layer, inputs, weights):
    """The mean of each channel."""
    return _one_a_channel(layer, inputs[0], cntk.AVG_POOLING)


def global_max_pooling2d(layer, inputs, weights):
    """The largest of each channel."""
    return _one_a_channel(layer, inputs[0], cntk.MAX_POOLING)


def _one_a_channel(layer, images, kind):
    found = cntk.pooling(images, kind, images.shape[1:], strides=(1, 1))
    return found if layer["options"]["keepdims"] else cntk.reshape(found, (images.shape[0],))


def zero_padding2d(layer, inputs, weights):
    """Zeros around the image."""
    return _padded(inputs[0], [tuple(side) for side in layer["options"]["padding"]])


def cropping2d(layer, inputs, weights):
    """The image without some rows and columns."""
    images = inputs[0]
    for axis, (before, after) in enumerate(layer["options"]["cropping"], 1):
        images = cntk.slice(images, axis, before, images.shape[axis] - after)
    return images


def flatten(layer, inputs, weights):
    """All pixels in Keras's order."""
    found = channels_last(inputs[0])
    return cntk.reshape(found, (int(np.prod(found.shape)),))


def reshape(layer, inputs, weights):
    """The same values in Keras's order, in another shape."""
    found = channels_last(inputs[0])
    shape, count = list(layer["options"]["target_shape"]), int(np.prod(found.shape))
    if -1 in shape:
        shape[shape.index(-1)] = -count // int(np.prod(shape))
    return channels_first(cntk.reshape(found, tuple(shape)))


def channels_last(found):
    """Images in Keras's order of axes; anything else as it is."""
    return cntk.transpose(found, (1, 2, 0)) if len(found.shape) == 3 else found


def channels_first(found):
    """Images in Keras's order of axes to CNTK's; anything else as it is."""
    return cntk.transpose(found, (2, 0, 1)) if len(found.shape) == 3 else found


def add(layer, inputs, weights):
    """The sum."""
    return _folded(inputs, lambda a, b: a + b)


def subtract(layer, inputs, weights):
    """The first less the second."""
    return inputs[0] - inputs[1]


def multiply(layer, inputs, weights):
    """The product."""
    return _folded(inputs, lambda a, b: a * b)


def average(layer, inputs, weights):
    """The mean."""
    return _folded(inputs, lambda a, b: a + b) * (1 / len(inputs))


def maximum(layer, inputs, weights):
    """The largest."""
    return _folded(inputs, cntk.element_max)


def minimum(layer, inputs, weights):
    """The smallest."""
    return _folded(inputs, cntk.element_min)


def _folded(inputs, two):
    found = inputs[0]
    for other in inputs[1:]:
        found = two(found, other)
    return found


def concatenate(layer, inputs, weights):
    """One after another, along an axis as Keras counts it."""
    axis = layer["options"]["axis"]
    return cntk.splice(*inputs, axis=AXES[axis] if len(inputs[0].shape) == 3 else 0)


def rescaling(layer, inputs, weights):
    """Times `scale` plus `offset`, each one number or one a channel."""
    images = inputs[0]
    scale, offset = (_by_channel(layer["options"][name], images) for name in ("scale", "offset"))
    return images * scale + offset


def _by_channel(value, images):
    array = np.asarray(value, "float32")
    if array.ndim and len(images.shape) == 3:
        array = array.reshape(-1, 1, 1)
    return cntk.constant(array)


def activation(layer, inputs, weights):
    """A function of each value."""
    return activated(inputs[0], layer["options"]["activation"])


def relu(layer, inputs, weights):
    """The positive part, up to a value; with a slope below zero."""
    options = layer["options"]
    found = cntk.param_relu(cntk.constant(options["negative_slope"]), inputs[0])
    largest = options["max_value"]
    return found if largest is None else cntk.element_min(found, largest)


def leaky_relu(layer, inputs, weights):
    """A slope below zero."""
    return cntk.param_relu(cntk.constant(layer["options"]["negative_slope"]), inputs[0])


def elu(layer, inputs, weights):
    """An exponential below zero."""
    return cntk.elu(inputs[0], alpha=layer["options"]["alpha"])


def softmax(layer, inputs, weights):
    """Exponentials that sum to 1."""
    return activated(inputs[0], "softmax")


def unchanged(layer, inputs, weights):
    """What comes in."""
    return inputs[0]


LAYERS = {
    "Activation": activation,
    "Add": add,
    "Average": average,
    "AveragePooling2D": average_pooling2d,
    "Concatenate": concatenate,
    "Conv2D": conv2d,
    "Cropping2D": cropping2d,
    "Dense": dense,
    "DepthwiseConv2D": depthwise_conv2d,
    "ELU": elu,
    "Flatten": flatten,
    "GlobalAveragePooling2D": global_average_pooling2d,
    "GlobalMaxPooling2D": global_max_pooling2d,
    "Identity": unchanged,
    "LeakyReLU": leaky_relu,
    "MaxPooling2D": max_pooling2d,
    "Maximum": maximum,
    "Minimum": minimum,
    "Multiply": multiply,
    "ReLU": relu,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "SeparableConv2D": separable_conv2d,
    "Softmax": softmax,
    "Subtract": subtract,
    "ZeroPadding2D": zero_padding2d,
}
