"""Weights to start from: of another run, or of a Keras application trained on ImageNet."""

import hashlib
import os
import re
from pathlib import Path

import keras
from safetensors.numpy import load_file

from ...errors import DataError
from .fitter import assign, upstream_of

WEIGHTS = "weights.safetensors"  # of a run directory
FINISHED = "metrics.json"  # what a run directory has once it is finished


def load(model, application, source):
    """Replace initial weights by trained ones.

    Args:
        model: a built model of the zoo.
        application: the name in `keras.applications` whose layers the model begins with,
            or None.
        source: a run directory, a folder with one finished run in it, or a `.safetensors` of
            one: each layer is taken that fits by its name and the shapes of its weights, and
            that stands on none that does not; a `.h5` (as Keras 2 wrote it) or `.weights.h5` of
            the application without its top; or "imagenet" for Keras's own, from its cache or its
            site.

    Returns:
        What was taken, for the manifest: `layers_taken`, of `layers_with_weights`, the
        `file` and its `sha256` (None for "imagenet").

    Raises:
        DataError: the file cannot be had or read, or nothing in it fits.
    """
    file = None if source == "imagenet" else _file(source)
    try:
        if file and file.suffix == ".safetensors":
            taken = _from_run(model, load_file(file))
        else:
            taken = _from_application(model, application, str(file or source))
    except DataError:
        raise
    except Exception as error:
        raise DataError(_advice(source, error)) from error
    return {
        "layers_taken": taken,
        "layers_with_weights": len(_with_weights(model)),
        "file": file and str(file),
        "sha256": file and hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def _file(source):
    """The file that a path means."""
    path = Path(source)
    if not path.is_dir():
        return path
    finished = sorted({*path.glob(FINISHED), *path.glob(f"*/{FINISHED}")})
    if len(finished) != 1:
        names = ", ".join(str(one.parent) for one in finished) or "none"
        raise DataError(
            f"model.weights: {source} should be a finished run, or a folder that holds one; it "
            f"holds {len(finished)}: {names}. Give the folder of one run, whose training has ended."
        )
    return finished[0].with_name(WEIGHTS)


def _with_weights(model):
    return [layer for layer in model.layers if layer.weights]


def _from_run(model, arrays):
    """Take whole layers; what stands on a layer that is new has learnt to read another one."""
    new, taken = set(), []
    for layer in _with_weights(model):  # each after its inputs
        fits = all(_fits(weight, arrays) for weight in layer.weights)
        if fits and not new & upstream_of(model, layer.name):
            taken.append(layer)
        else:
            new.add(layer.name)
    if not taken:
        raise DataError(
            f"No weight of the file fits model {model.name!r} by name and shape: it is of "
            f"another architecture."
        )
    assign(model, {weight.path: arrays[weight.path] for x in taken for weight in x.weights})
    return len(taken)


def _fits(weight, arrays):
    return weight.path in arrays and arrays[weight.path].shape == tuple(weight.shape)


def _from_application(model, application, source):
    if application is None:
        raise DataError(
            f"Model {model.name!r} has no published weights: model.weights may be null, a run or "
            f"the weights.safetensors of one."
        )
    make = getattr(keras.applications, application)
    trained = _with_weights(make(include_top=False, weights=source))
    for layer, twin in zip(trained, _with_weights(model), strict=False):  # ours go on with a head
        twin.set_weights(layer.get_weights())
    return len(trained)


def _advice(source, error):
    if source != "imagenet":
        return (
            f"The weights {source} cannot be used: {type(error).__name__}: {error}. Expected a "
            f"run, its weights.safetensors, or the file of the Keras application without its top "
            f"(its name ends in 'notop.h5')."
        )
    found = re.search(r"https?://\S+/([^/\s]+\.h5)", str(error))  # Keras says where it looked
    if found is None:
        return f"The ImageNet weights cannot be used: {type(error).__name__}: {error}"
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return (
        f"The ImageNet weights {found[1]} are not in {home / 'models'} and could not be "
        f"downloaded ({error}). On a machine with a network, download {found[0]}; then put the "
        f"file into {home / 'models'}, or give its path as model.weights. Or set model.weights: "
        f"null, to train from scratch."
    )
