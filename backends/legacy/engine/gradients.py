"""Activations of a layer, and gradients by them of what comes after it (2.7)."""

import cntk
import numpy as np

from .network import IMAGE_AXES, to_keras, to_native


def of_outputs(network, layer, of, images, choices):
    """Cut the network at a layer and differentiate what comes after it.

    Args:
        network: a `Network`.
        layer: name of the layer to cut at, or of the input.
        of: name of the layer whose outputs are differentiated; of outputs on a grid the mean
            over the grid counts.
        images: float32 (batch, rows, columns, channels).
        choices: int (batch, k), which k outputs of each image; None for all of them.

    Returns:
        activations (batch, rows, columns, channels) and gradients (batch, k, rows, columns,
        channels), float32, with dropout and batch normalisation at rest.
    """
    cut = network.pass_through(cut=layer)
    outputs = _pooled(cut.outputs[of])
    if choices is None:
        choices = np.tile(np.arange(outputs.shape[0]), (len(images), 1))
    below = _below(cut, images)
    chosen = cntk.input_variable(outputs.shape)
    score = cntk.reduce_sum(outputs * chosen)
    given = {cut.inserted: below}
    if cut.images in score.arguments:  # a branch that goes past the layer
        given[cut.images] = to_native(images)
    found = []
    for column in np.asarray(choices, int).T:
        given[chosen] = np.eye(outputs.shape[0], dtype="float32")[column]
        gradient = score.grad(given, wrt=[cut.inserted])
        found.append(to_keras(np.asarray(gradient).reshape(below.shape)))
    return to_keras(below), np.stack(found, axis=1)


def activations(network, names, images):
    """{layer: float32 (batch, ...), channels last} of some layers, at rest."""
    passing = network.pass_through()
    found = {}
    for name in names:
        values = _evaluated(passing.outputs[name], passing.images, images)
        found[name] = to_keras(values) if values.ndim == 4 else values
    return found


def _pooled(outputs):
    if len(outputs.shape) == 1:
        return outputs
    return cntk.reshape(cntk.reduce_mean(outputs, IMAGE_AXES), outputs.shape[:1])


def _below(cut, images):
    if cut.images is cut.inserted:
        return to_native(images)
    return _evaluated(cut.below, cut.images, images)


def _evaluated(function, given, images):
    found = cntk.combine([function.output if hasattr(function, "output") else function])
    return np.asarray(found.eval({given: to_native(images)})).reshape(
        (len(images),) + function.shape
    )
