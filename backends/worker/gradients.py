"""Activations of a layer, and the gradients of every class score by them."""

import keras
import numpy as np


def of_scores(model, layer, images):
    """Cut the model at a layer and differentiate what comes after it.

    Args:
        model: has a layer `scores`, before the softmax.
        layer: name of the layer to cut at.
        images: float32 (batch, rows, columns, channels).

    Returns:
        activations (batch, rows, columns, channels) and gradients (batch, classes, rows,
        columns, channels), float32, with layers such as dropout at rest.
    """
    cut = model.get_layer(layer).output
    below = keras.Model(model.input, cut)
    above = keras.Model(cut, model.get_layer("scores").output)
    activations = np.asarray(below.predict_on_batch(images))
    gradients = _GRADIENTS[keras.backend.backend()](above, activations)
    return activations, np.stack(gradients, axis=1)


def _tensorflow(above, activations):
    import tensorflow

    inputs = tensorflow.constant(activations)
    with tensorflow.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        columns = tensorflow.unstack(above(inputs, training=False), axis=1)
    return [tape.gradient(column, inputs).numpy() for column in columns]


def _torch(above, activations):
    import torch

    inputs = torch.tensor(activations, device=keras.ops.zeros(1).device, requires_grad=True)
    sums = above(inputs, training=False).sum(dim=0)
    return [torch.autograd.grad(one, inputs, retain_graph=True)[0].cpu().numpy() for one in sums]


def _jax(above, activations):
    import jax

    fixed = (
        [v.value for v in above.trainable_variables],
        [v.value for v in above.non_trainable_variables],
    )

    def sums(inputs):
        return above.stateless_call(*fixed, inputs, training=False)[0].sum(axis=0)

    return list(np.asarray(jax.jacrev(sums)(activations)))


_GRADIENTS = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}
