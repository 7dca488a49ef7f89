"""What of a graph CNTK cannot do (2.7), told layer by layer before anything is built."""

from .activations import ACTIVATIONS
from .layers import AXES, LAYERS

IN_TRAINING = ("BatchNormalization", "Dropout", "SpatialDropout2D")
PENALTIES = ("L1", "L2", "L1L2")


class UnsupportedModel(ValueError):
    """A model has layers that the engine does not know; the message names them all."""


def check(graph, on_gpu):
    """Refuse a graph that cannot be rebuilt.

    Raises:
        UnsupportedModel: for each layer at fault, its name and what CNTK lacks.
    """
    found = [
        "{!r}: {}".format(str(layer["name"]), problem)
        for layer in graph["layers"]
        for problem in _problems(layer, on_gpu)
    ]
    if found:
        raise UnsupportedModel(
            "Backend 'cntk' cannot do these layers of {}: {}. Use another backend, or layers "
            "that docs/backends.md lists.".format(graph["name"], "; ".join(found))
        )


def _problems(layer, on_gpu):
    op, options = layer["op"], layer["options"]
    if op == "InputLayer":
        if len(options["shape"]) not in (1, 3):
            yield "input of {} axes".format(len(options["shape"]))
        return
    if op not in LAYERS and op not in IN_TRAINING:
        yield "{} is not among its layers".format(op)
        return
    if options.get("data_format", "channels_last") != "channels_last":
        yield "{} with channels first".format(op)
    if max(_pair(options.get("dilation_rate", 1))) > 1 and not on_gpu:
        yield "{} with dilation_rate {} on a CPU".format(op, list(options["dilation_rate"]))
    if not _known(options.get("activation", "linear"), ACTIVATIONS):
        yield "activation {}".format(options["activation"])
    for problem in _of_one_kind(op, options):
        yield problem
    for problem in _penalties(options):
        yield problem


def _of_one_kind(op, options):
    if op == "BatchNormalization" and options["axis"] not in (3, -1, [3], [-1]):
        yield "batch normalisation of axis {}".format(options["axis"])
    if op == "Concatenate" and options["axis"] not in AXES:
        yield "concatenation along axis {}".format(options["axis"])
    if op == "Dropout" and not _of_images(options.get("noise_shape")):
        yield "dropout of noise_shape {}".format(list(options["noise_shape"]))
    if op == "ReLU" and options["threshold"]:
        yield "ReLU with a threshold"
    if op == "Softmax" and options["axis"] not in (-1, [-1]):
        yield "softmax along axis {}".format(options["axis"])
    if op == "Reshape" and len(options["target_shape"]) not in (1, 3):
        yield "reshape to {} axes".format(len(options["target_shape"]))


def _penalties(options):
    for key, value in sorted(options.items()):
        if not key.endswith("_regularizer") or value is None:
            continue
        if key == "activity_regularizer" or value["class_name"] not in PENALTIES:
            yield "{} {}".format(key, value["class_name"])


def _of_images(noise_shape):
    """Whether it tells, axis by axis, what of an image is dropped together."""
    if noise_shape is None:
        return True
    return len(noise_shape) == 4 and noise_shape[0] is None and set(noise_shape) <= {None, 1}


def _known(name, table):
    return not isinstance(name, dict) and name in table  # a function of one's own is a dict


def _pair(value):
    return value if isinstance(value, (list, tuple)) else (value,)
