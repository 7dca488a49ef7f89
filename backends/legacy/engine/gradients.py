"""Activations of a layer, and the gradients of every class score by them (2.7)."""

import cntk
import numpy as np

from .network import to_keras, to_native


def of_scores(network, layer, images):
    """Cut the network at a layer and differentiate what comes after it.

    Args:
        network: a `Network`.
        layer: name of the layer to cut at.
        images: float32 (batch, rows, columns, channels).

    Returns:
        activations (batch, rows, columns, channels) and gradients (batch, classes, rows,
        columns, channels), float32, with dropout and batch normalisation at rest.
    """
    cut = network.pass_through(cut=layer)
    below = np.asarray(cut.below.eval({cut.images: to_native(images)}))
    classes = cut.scores.shape[0]
    chosen = cntk.input_variable((classes,))
    score = cntk.reduce_sum(cut.scores * chosen)
    given = {cut.inserted: below}
    if cut.images in score.arguments:  # a branch that goes past the layer
        given[cut.images] = to_native(images)
    found = []
    for one_hot in np.eye(classes, dtype="float32"):
        given[chosen] = np.tile(one_hot, (len(images), 1))
        gradient = score.grad(given, wrt=[cut.inserted])
        found.append(to_keras(np.asarray(gradient).reshape(below.shape)))
    return to_keras(below), np.stack(found, axis=1)
