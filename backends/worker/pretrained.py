"""Weights to start from: of another run, or of a Keras application trained on ImageNet."""

import keras
from safetensors.numpy import load_file

from ...errors import DataError
from .fitter import assign


def load(model, application, source):
    """Replace initial weights by trained ones.

    Args:
        model: a built model of the zoo.
        application: the name in `keras.applications` whose layers the model begins with,
            or None.
        source: `.safetensors` of a run (every weight whose name and shape fits is taken),
            `.h5` as Keras publishes them for the application without its top, or "imagenet"
            for those in Keras's cache or on its server.

    Raises:
        DataError: the file cannot be read, or nothing in it fits.
    """
    try:
        if str(source).endswith(".safetensors"):
            _from_run(model, load_file(source))
        else:
            _from_application(model, application, source)
    except DataError:
        raise
    except Exception as error:
        raise DataError(_advice(source, error)) from error


def _from_run(model, arrays):
    shapes = {weight.path: tuple(weight.shape) for weight in model.weights}
    fitting = {path: array for path, array in arrays.items() if shapes.get(path) == array.shape}
    if not fitting:
        raise DataError(
            f"No weight of the file fits model {model.name!r} by name and shape: it is of "
            f"another architecture."
        )
    assign(model, fitting)


def _from_application(model, application, source):
    if application is None:
        raise DataError(
            f"Model {model.name!r} has no published weights: model.weights may be null or the "
            f"weights.safetensors of a run."
        )
    make = getattr(keras.applications, application)
    trained = [layer for layer in make(include_top=False, weights=source).layers if layer.weights]
    ours = [layer for layer in model.layers if layer.weights]
    for layer, twin in zip(trained, ours, strict=False):  # ours go on with a head
        twin.set_weights(layer.get_weights())


def _advice(source, error):
    if source == "imagenet":
        return (
            f"The ImageNet weights are not in Keras's cache and could not be downloaded "
            f"({type(error).__name__}: {error}). Download the file 'notop' of this application "
            f"on a machine with a network and give its path as model.weights, or leave "
            f"model.weights out to train from scratch."
        )
    return f"The weights {source} cannot be used: {type(error).__name__}: {error}"
