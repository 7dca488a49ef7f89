"""A layer graph as CNTK functions (2.7): one for training, one at rest, on the same weights."""

from __future__ import division

import cntk
import numpy as np

from . import layers, refusals
from .weights import Weights

IMAGE_AXES = (1, 2)  # rows and columns of (channels, rows, columns)


class Network(object):
    """A model of the zoo on CNTK.

    Args:
        graph: see backends/graph.py.
        arrays: {path: float32 array} of its weights, in Keras's layout.
        on_gpu: whether it is to run on a GPU, whose convolutions can be dilated.

    Raises:
        refusals.UnsupportedModel: CNTK cannot do some layers.
    """

    def __init__(self, graph, arrays, on_gpu=False):
        refusals.check(graph, on_gpu)
        self.graph = graph
        self.weights = Weights(arrays)
        self._rest = self.pass_through()

    @property
    def images(self):
        """The input of the network at rest."""
        return self._rest.images

    def pass_through(self, training=False, frozen=(), cut=None):
        """Build the graph once more; see `Pass`."""
        return Pass(self.graph, self.weights, training, frozen, cut)

    def predict(self, images):
        """Probabilities, float32 (batch, classes).

        Args:
            images: float32 (batch, rows, columns, channels).
        """
        found = self._rest.probabilities.eval({self._rest.images: to_native(images)})
        return np.asarray(found).reshape(len(images), -1)

    def upstream_of(self, name):
        """Names of a layer and of all that it depends on; none for None."""
        inputs = {layer["name"]: layer["inputs"] for layer in self.graph["layers"]}
        found, waiting = set(), [] if name is None else [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(inputs[one])
        return found

    def penalties(self, frozen=()):
        """What regularisers add to the loss: a list of CNTK functions."""
        found = []
        for layer in self.graph["layers"]:
            if layer["name"] in frozen:
                continue
            for path in layer["weights"]:
                option = layer["options"].get(path.rsplit("/", 1)[-1] + "_regularizer")
                if option is not None:
                    found += _penalties(self.weights.parameter(path), option["config"])
        return found


def _penalties(parameter, config):
    found = []
    if config.get("l1"):
        found.append(cntk.reduce_sum(cntk.abs(parameter)) * float(config["l1"]))
    if config.get("l2"):
        found.append(cntk.reduce_sum(cntk.square(parameter)) * float(config["l2"]))
    return found


class Pass(object):
    """One building of the graph.

    Args:
        training: whether dropout drops and batch normalisation takes the batch's statistics.
        frozen: names of layers whose batch normalisation stays at rest in training.
        cut: name of a layer whose activations become an input, so that the scores can be
            differentiated by them.

    Attributes:
        images: the input.
        scores, probabilities: before and after the last softmax, or sigmoid.
        outputs: what each layer gives, by its name.
        below, inserted: what comes to the cut, and the input that goes on from there.
        dropouts: every dropout, to be given its seed.
        statistics: a `BatchStatistics` for each batch normalisation in training.
    """

    def __init__(self, graph, weights, training, frozen, cut):
        self._weights, self._training, self._frozen = weights, training, frozen
        self.dropouts, self.statistics, self.outputs = [], [], {}
        found = self.outputs
        self.scores = None
        for layer in graph["layers"]:
            made = self._layer(layer, [found[name] for name in layer["inputs"]])
            if layer["name"] == cut:
                self.below = made
                made = self.inserted = cntk.input_variable(made.shape, needs_gradient=True)
            found[layer["name"]] = made
        self.images, self.probabilities = found[graph["input"]], found[graph["output"]]
        self.scores = _before_last(graph, found)

    def _layer(self, layer, inputs):
        op = layer["op"]
        if op == "InputLayer":
            shape = layer["options"]["shape"]
            return cntk.input_variable(tuple(shape[-1:] + shape[:-1]))
        if op in refusals.IN_TRAINING:
            return _IN_TRAINING[op](self, layer, inputs[0])
        return layers.LAYERS[op](layer, inputs, self._weights.of(layer))

    def _batch_normalization(self, layer, found):
        options, shape = layer["options"], found.shape[:1]
        spatial = len(found.shape) == 3
        weights = self._weights.of(layer)
        scale, shift = (
            weights.array(name) if name in weights else cntk.constant(value, shape)
            for name, value in (("gamma", 1.0), ("beta", 0.0))
        )
        mean, variance = weights.array("moving_mean"), weights.array("moving_variance")
        if not self._training or layer["name"] in self._frozen:
            return _at_rest(found, scale, shift, mean, variance, options["epsilon"])
        statistics = BatchStatistics(layer, mean, variance, pixels_of(found))
        self.statistics.append(statistics)
        return cntk.batch_normalization(
            found,
            scale,
            shift,
            statistics.mean,
            statistics.variance,
            running_count=cntk.constant(0.0, ()),
            spatial=spatial,
            normalization_time_constant=0,  # the running statistics become the batch's own
            blend_time_constant=0,
            epsilon=options["epsilon"],
            use_cudnn_engine=False,
        )

    def _dropout(self, layer, found):
        rate = layer["options"]["rate"]
        if not self._training or not rate:
            return found
        shape = layer["options"].get("noise_shape")
        if shape is not None:
            return self._dropped_together(layer, found, _shared_axes(shape))
        return self._dropped(layer, found)

    def _spatial_dropout(self, layer, found):
        """Whole channels are dropped."""
        if not self._training or not layer["options"]["rate"]:
            return found
        return self._dropped_together(layer, found, IMAGE_AXES)

    def _dropped_together(self, layer, found, axes):
        """All values along these axes are dropped or none."""
        one_of_each = cntk.ones_like(cntk.reduce_mean(found, axes))
        return found * self._dropped(layer, one_of_each)

    def _dropped(self, layer, found):
        dropped = cntk.dropout(found, float(layer["options"]["rate"]))
        self.dropouts.append(dropped.root_function)
        return dropped


_IN_TRAINING = {
    "BatchNormalization": Pass._batch_normalization,
    "Dropout": Pass._dropout,
    "SpatialDropout2D": Pass._spatial_dropout,
}


def _shared_axes(noise_shape):
    """The axes along which a dropout of images drops all or nothing, from Keras's noise_shape."""
    return tuple(layers.AXES[axis] for axis, size in enumerate(noise_shape) if axis and size == 1)


class BatchStatistics(object):
    """Mean and variance of the last batch at one batch normalisation, and Keras's moving ones.

    CNTK's own moving averages are not Keras's: they weigh a batch by its size, and take the
    variance of a sample, divided by n - 1. So CNTK is told to keep the last batch's only.
    """

    def __init__(self, layer, moving_mean, moving_variance, pixels):
        self._momentum = np.float32(layer["options"]["momentum"])
        self._moving, self._pixels = (moving_mean, moving_variance), pixels
        zeros = np.zeros(moving_mean.shape, "float32")
        self.mean = cntk.constant(zeros, moving_mean.shape)
        self.variance = cntk.constant(zeros, moving_mean.shape)

    def update(self, images):
        """Move the moving statistics by a batch of so many images, as Keras does."""
        count = images * self._pixels
        mean, variance = np.asarray(self.mean.value), np.asarray(self.variance.value)
        variance = variance * np.float32((count - 1) / count) if count > 1 else 0 * mean
        for moving, value in zip(self._moving, (mean, variance)):
            kept = np.asarray(moving.value) * self._momentum
            moving.value = kept + value * (1 - self._momentum)


def _at_rest(found, scale, shift, mean, variance, epsilon):
    """Batch normalisation by the moving statistics.

    It is written out because CNTK takes the batch's statistics wherever it differentiates.
    """
    axes = (-1, 1, 1) if len(found.shape) == 3 else (-1,)
    factor = scale / cntk.sqrt(variance + epsilon)
    offset = shift - mean * factor
    return found * cntk.reshape(factor, axes) + cntk.reshape(offset, axes)


def pixels_of(found):
    """How many values of each channel an image has."""
    return int(np.prod(found.shape[1:])) if len(found.shape) == 3 else 1


def _before_last(graph, found):
    """What goes into the softmax that the model ends in; of several findings, into the sigmoid.

    Raises:
        refusals.UnsupportedModel: it ends in something else.
    """
    last = next(layer for layer in graph["layers"] if layer["name"] == graph["output"])
    wanted = "sigmoid" if graph.get("several") else "softmax"
    fits = last["op"].lower() == wanted or last["options"].get("activation") == wanted
    if fits and last["op"] in ("Softmax", "Activation"):
        return found[last["inputs"][0]]
    raise refusals.UnsupportedModel(
        "Backend 'cntk' takes models that end in a layer of scores and a softmax of them, as "
        "`blocks.head` makes them; {} ends in {!r}.".format(graph["name"], str(last["name"]))
    )


def to_native(images):
    """Images (batch, rows, columns, channels) as CNTK takes them, channels first."""
    order = (0, 3, 1, 2) if images.ndim == 4 else (0, 1)
    return np.ascontiguousarray(images.transpose(order), "float32")


def to_keras(images):
    """Images as CNTK gives them, with the channels last."""
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
