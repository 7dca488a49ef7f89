"""Weights to start from: of another run, or of a Keras application trained on ImageNet."""

import json
import math
import os
import re
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np

from ... import hdf5
from ...errors import DataError
from . import checkpoints, weights
from .fitter import assign, needed, upstream_of

WEIGHTS = "weights.safetensors"  # of a run directory
MANIFEST = "manifest.json"
FINISHED = "metrics.json"  # what a run directory has once it is finished
INNER = "model.weights.h5"  # of a `.keras`, which is a ZIP
ROOM, TIMES = 64 * 2**20, 4  # bytes that a file may claim: these, and so many times what is needed


def load(model, application, source):
    """Replace initial weights by trained ones.

    Nothing in a file is run, and no model is built from one: of a `.keras` only the arrays are
    taken, into a model of ours.

    Args:
        model: a built model of the zoo.
        application: the name in `keras.applications` whose layers the model begins with,
            or None.
        source: a run directory, a folder with one finished run in it, or a `.safetensors` of
            one: each layer is taken that fits by its name and the shapes of its weights, and
            that stands on none that does not; a `.h5` (as Keras 2 wrote it), `.weights.h5` or
            `.keras` of the application without its top; or "imagenet" for Keras's own, from its
            cache or its site.

    Returns:
        What was taken, for the manifest: `layers_taken`, of `layers_with_weights`, the
        `file` and its `sha256` (None for "imagenet").

    Raises:
        DataError: the file cannot be had or read, has changed since its run was finished, or
            nothing in it fits.
    """
    file = None if source == "imagenet" else _file(source)
    try:
        sha256 = file and checkpoints.digest(file)
        if file and file.suffix == ".safetensors":
            _check_unchanged(file, sha256)
            taken = _from_run(model, weights.fitting(file, needed(model)))
        else:
            taken = _from_application(model, application, file)
    except DataError:
        raise
    except Exception as error:
        raise DataError(_advice(source, error)) from error
    return {
        "layers_taken": taken,
        "layers_with_weights": len(_with_weights(model)),
        "file": file and str(file),
        "sha256": sha256,
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


def _check_unchanged(file, found):
    """Compare with the manifest of the run, where the file lies in one."""
    manifest = file.with_name(MANIFEST)
    expected = json.loads(manifest.read_text())["weights_sha256"] if manifest.exists() else found
    if found != expected:
        raise DataError(
            f"model.weights: {file} is not what its run was finished with: its SHA-256 begins "
            f"{found[:12]}, that in manifest.json {str(expected)[:12]}. Get the file back, or "
            "repeat that run."
        )


def _with_weights(model):
    return [layer for layer in model.layers if layer.weights]


def _from_run(model, arrays):
    """Take whole layers; what stands on a layer that is new has learnt to read another one."""
    new, taken = set(), []
    for layer in _with_weights(model):  # each after its inputs
        fits = all(weight.path in arrays for weight in layer.weights)
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


def _from_application(model, application, file):
    if application is None:
        raise DataError(
            f"Model {model.name!r} has no published weights: model.weights may be null, a run or "
            f"the weights.safetensors of one."
        )
    make = getattr(keras.applications, application)
    if file is None:
        trained = make(include_top=False, weights="imagenet")
    else:
        trained = make(include_top=False, weights=None)
        _load_hdf5(trained, file)
    trained = _with_weights(trained)
    for layer, twin in zip(trained, _with_weights(model), strict=False):  # ours go on with a head
        arrays = layer.get_weights()
        if not all(np.isfinite(array).all() for array in arrays):
            raise DataError(
                f"The weights {file or 'of ImageNet'}, layer {layer.name!r} are not finite."
            )
        twin.set_weights(arrays)
    return len(trained)


def _load_hdf5(trained, file):
    """Read a file whose HDF5 part was found to hold arrays only, and no more than are needed."""
    most = ROOM + TIMES * sum(math.prod(shape) * 4 for shape, _ in needed(trained).values())
    if file.suffix != ".keras":
        hdf5.check(file, most)
        trained.load_weights(file)
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file) as archive:
        inner = archive.getinfo(INNER)
        if inner.file_size > most:
            raise DataError(
                f"{file}: {INNER} claims {inner.file_size:,} bytes; {most:,} at most are taken."
            )
        arrays = Path(archive.extract(inner, folder))
        hdf5.check(arrays, most)
        trained.load_weights(arrays)


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
