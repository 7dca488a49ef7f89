"""Keras 3 on TensorFlow, PyTorch or JAX: the verbs of the protocol."""

import json
import platform
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

from ... import zoo
from .. import graph as neutral
from . import adapter, checkpoints, initial, pretrained, shortcuts
from .devices import Device
from .feed import Feed
from .fitter import Fitter, assign, needed, values

FULL = "float32"


class Adapter(adapter.Adapter):
    """One worker's Keras."""

    def __init__(self, send, stopped):
        super().__init__(send, stopped)
        shortcuts.take()
        self._built = (None, None)

    def describe(self, device, jit_compile):
        """Take the device, and say what runs here.

        Args:
            device: "cpu", "gpu", "gpu:N" or "auto".
            jit_compile: what `compile` gets on a CPU.
        """
        backend = keras.backend.backend()
        self._device = Device(backend, device)
        self._jit_compile = jit_compile if self._device.used == "cpu" else "auto"
        return {
            "backend": backend,
            "versions": {"keras": keras.__version__, "python": platform.python_version()},
            "device": self._device.used,
            "device_name": self._device.name,
            "devices": self._device.found,
            "threads": self._device.threads,
            "precision": keras.config.dtype_policy().name,
        }

    def build(self, model, seed, graph, weights, start=None):
        """Write the layer graph and the initial weights of an architecture.

        Args:
            model: {architecture, options, classes}; with `several` true the classes are findings
                of which an image may have any number.
            seed: of the initial weights.
            graph, weights: paths to write `.json` and `.safetensors` to.
            start: weights to start from, see `pretrained.load`, whose reply is `started`.
        """
        self.forget()
        self._built = (None, None)  # the one that is kept may have been trained
        built = self._model(model)
        assign(built, initial.draw(keras, built, seed))
        application = zoo.get(model["architecture"]).pretrained
        started = pretrained.load(built, application, start) if start else None
        text = json.dumps(self.graph(model), indent=1)
        checkpoints.whole(graph, lambda path: Path(path).write_text(text))
        checkpoints.whole(weights, lambda path: save_file(values(built), path))
        return {
            "parameters": built.count_params(),
            "trainable": int(sum(np.prod(w.shape) for w in built.trainable_weights)),
            "started": started,
        }

    def graph(self, model):
        """The layer graph of an architecture; see backends/graph.py."""
        found = neutral.from_model(self._model(model))
        return {**found, "several": True} if model.get("several") else found

    def needed(self, model):
        """What a file of weights must hold; see `adapter.Adapter`."""
        return needed(self._model(model))

    def fitter(self, model, arrays, loss=adapter.LOSS, jit_compile=None, precision=FULL):
        """A model with these weights; see `adapter.Adapter`."""
        built = self._model(model, precision)
        assign(built, arrays)
        jit_compile = self._jit_compile if jit_compile is None else jit_compile
        return Fitter(built, loss, jit_compile, self._device)

    def keras_vis(self, model, weights, data, method, layer, out):
        """Write the maps of tf-keras-vis, see `keras_vis.maps`, as `.npy`."""
        from . import keras_vis

        built = self.ready(model, weights).model
        feed = Feed(**data)
        found = keras_vis.maps(built, method, layer, feed.images(np.arange(len(feed))))
        np.save(out, found)
        return {"images": len(feed)}

    def keras_vis_patterns(self, model, weights, layer, channels, steps, out):
        """Write the images of tf-keras-vis, see `keras_vis.patterns`, as `.npy`."""
        from . import keras_vis

        built = self.ready(model, weights).model
        np.save(out, keras_vis.patterns(built, layer, channels, steps))
        return {"images": len(channels)}

    def _model(self, model, precision=FULL):
        """Build a model; the last one is kept, since compiling it again takes seconds."""
        key = json.dumps([model, precision], sort_keys=True)
        if self._built[0] != key:
            keras.backend.clear_session()  # names that Keras counts start at 1 again
            made = zoo.build(
                model["architecture"], keras, classes=model["classes"], **model["options"]
            )
            made = _of_findings(made) if model.get("several") else made
            _compute_in(made, precision)
            self._built = (key, made)
        return self._built[1]


def _of_findings(made):
    """The model with a sigmoid of each score in place of the softmax that it ends in."""
    sigmoid = keras.layers.Activation("sigmoid", name="probabilities")
    return keras.Model(made.input, sigmoid(made.get_layer("scores").output), name=made.name)


def _compute_in(model, precision):
    """Let layers compute in a precision, up to the scores: small probabilities need float32."""
    for layer in model.layers:
        if layer.name not in ("scores", "probabilities"):
            layer.dtype_policy = precision
