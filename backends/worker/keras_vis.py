"""tf-keras-vis on our models: the maps and images that it makes, on its own arithmetic.

It works with Keras 3 on TensorFlow, on functional models. It is asked for maps on the grid and
without its scaling, so that they can be scaled and enlarged as all others are.
"""

import keras
import numpy as np

from ...errors import BackendUnavailable

NAMES = {
    "gradcam": ("gradcam", "Gradcam"),
    "gradcam_plus_plus": ("gradcam_plus_plus", "GradcamPlusPlus"),
    "scorecam": ("scorecam", "Scorecam"),
    "saliency": ("saliency", "Saliency"),
}
AM = "activation_maximization"
SEED = 0


def maps(model, method, layer, images):
    """Maps for every class, (images, classes, rows, columns), float32.

    Args:
        model: with a layer `scores`, before the softmax.
        method: of `NAMES`.
        layer: of the grid; nothing to saliency, whose grid are the pixels.
        images: float32 (images, rows, columns, channels).
    """
    scores = keras.Model(model.input, model.get_layer("scores").output)
    module, name = NAMES[method]
    vis = getattr(_import(module), name)(scores)
    how = (
        {"normalize_map": False}
        if method == "saliency"
        else {
            "penultimate_layer": layer,
            "seek_penultimate_conv_layer": False,  # ours may be the normalisation after one
            "expand_cam": False,
            "normalize_cam": False,
        }
    )
    chosen = _import("utils.scores").CategoricalScore
    found = [
        vis(chosen([label] * len(images)), images, **how)
        for label in range(scores.output.shape[-1])
    ]
    return np.stack([np.asarray(one, "float32") for one in found], axis=1)


def patterns(model, layer, channels, steps):
    """Images that a layer's channels answer to, (channels, rows, columns, channels), in [0, 1]."""
    outputs = model.get_layer(layer).output
    answers = keras.Model(model.input, keras.ops.mean(outputs, axis=(1, 2)))
    random = np.random.default_rng(SEED)
    shape = (len(channels), *model.input.shape[1:])
    start = (0.5 + 0.05 * random.standard_normal(shape)).astype("float32")
    vis = _import(AM).ActivationMaximization(answers)
    chosen = _import("utils.scores").CategoricalScore(list(channels))
    # Its defaults are for VGG16 and images of 0 to 255: on ours they leave nothing but grey.
    smooth, small = (
        getattr(_import(f"{AM}.regularizers"), n) for n in ("TotalVariation2D", "Norm")
    )
    made = vis(
        chosen,
        start,
        input_range=(0, 1),
        steps=steps,
        optimizer=keras.optimizers.RMSprop(0.02, 0.999),
        regularizers=[smooth(weight=0.01), small(weight=0.003, p=1)],
    )
    return np.asarray(made, "float32")


def _import(module):
    import importlib

    try:
        return importlib.import_module("tf_keras_vis." + module)
    except ImportError as error:
        raise BackendUnavailable(
            f"tf-keras-vis cannot be imported: {error}. To install it: "
            "pip install 'radzoo[explain]'"
        ) from error
