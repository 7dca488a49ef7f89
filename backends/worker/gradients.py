"""Activations of a layer, and gradients by them of what comes after it."""

import weakref

import keras
import numpy as np

# model -> {(layer, of): function}: tracing a large model takes seconds. A function holds the
# layers of its model but not the model, which is let go when another one is built.
_MADE: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def of_outputs(model, layer, of, images, choices):
    """Cut the model at a layer and differentiate what comes after it.

    Args:
        model: functional, with one input.
        layer: name of the layer to cut at; that of the input for gradients by the images.
        of: name of the layer whose outputs are differentiated: `scores`, before the softmax, or
            any later than `layer`. Of outputs on a grid the mean over the grid counts.
        images: float32 (batch, rows, columns, channels).
        choices: int (batch, k), which k outputs of each image; None for all of them.

    Returns:
        activations (batch, rows, columns, channels) and gradients (batch, k, rows, columns,
        channels), float32, with layers such as dropout at rest.
    """
    made = _MADE.setdefault(model, {})
    if (layer, of) not in made:
        made[layer, of] = _MAKERS[keras.backend.backend()](*_cut(model, layer, of))
    if choices is None:
        outputs = model.get_layer(of).output.shape[-1]
        choices = np.tile(np.arange(outputs), (len(images), 1))
    return made[layer, of](images, np.asarray(choices, "int32"))


def activations(model, layers, images):
    """{layer: float32 (batch, ...)} of some layers, with dropout at rest."""
    made = _MADE.setdefault(model, {})
    if layers not in made:
        made[layers] = keras.Model(model.input, [model.get_layer(name).output for name in layers])
    found = made[layers].predict_on_batch(images)
    return dict(zip(layers, found if len(layers) > 1 else [found], strict=True))


def _cut(model, layer, of):
    """The model up to the layer, and from there on; the latter takes the images too, for branches
    that go past the layer.
    """
    activations = model.get_layer(layer).output
    outputs = model.get_layer(of).output
    if len(outputs.shape) == 4:
        outputs = keras.ops.mean(outputs, axis=(1, 2))
    below = keras.Model(model.input, activations)
    if activations is not model.input:
        return below, keras.Model([activations, model.input], outputs)
    given, images = keras.Input(model.input.shape[1:]), keras.Input(model.input.shape[1:])
    return below, keras.Model([given, images], keras.Model(model.input, outputs)(given))


def _tensorflow(below, above):
    import tensorflow

    @tensorflow.function(reduce_retracing=True)
    def both(images, choices):
        activations = below(images, training=False)
        with tensorflow.GradientTape(persistent=True) as tape:
            tape.watch(activations)
            outputs = above([activations, images], training=False)
            columns = tensorflow.unstack(tensorflow.gather(outputs, choices, batch_dims=1), axis=1)
        gradients = [
            tape.gradient(one, activations, unconnected_gradients="zero") for one in columns
        ]
        return activations, tensorflow.stack(gradients, axis=1)

    return lambda images, choices: [found.numpy() for found in both(images, choices)]


def _torch(below, above):
    import torch

    def both(images, choices):
        device = keras.ops.zeros(1).device
        images = torch.tensor(images, device=device)
        choices = torch.tensor(choices, device=device, dtype=torch.int64)
        with torch.no_grad():
            activations = below(images, training=False)
        given = activations.detach().requires_grad_(True)
        outputs = above([given, images], training=False)
        sums = outputs.gather(1, choices).sum(dim=0)
        gradients = [torch.autograd.grad(one, given, retain_graph=True)[0] for one in sums]
        return [found.detach().cpu().numpy() for found in (given, torch.stack(gradients, dim=1))]

    return both


def _jax(below, above):
    import jax

    @jax.jit
    def both(weights, images, choices):
        activations = _call(below, weights[0], images)
        outputs, back = jax.vjp(
            lambda given: _call(above, weights[1], [given, images]), activations
        )
        chosen = jax.nn.one_hot(choices, outputs.shape[1])
        gradients = [back(chosen[:, place])[0] for place in range(choices.shape[1])]
        return activations, jax.numpy.stack(gradients, axis=1)

    def padded(images, choices):
        # Every size of a batch is compiled anew: powers of two alone are a few.
        more = (1 << (len(images) - 1).bit_length()) - len(images)
        grown = [np.concatenate([a, np.repeat(a[-1:], more, axis=0)]) for a in (images, choices)]
        return [np.asarray(found)[: len(images)] for found in both(weights(), *grown)]

    def weights():  # given to the compiled function, so that they may change
        return [_values(part) for part in (below, above)]

    return padded


def _values(model):
    trained, others = model.trainable_variables, model.non_trainable_variables
    return [v.value for v in trained], [v.value for v in others]


def _call(model, weights, inputs):
    return model.stateless_call(*weights, inputs, training=False)[0]


_MAKERS = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}
