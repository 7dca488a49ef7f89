"""Keras 3 on TensorFlow, PyTorch or JAX: the verbs of the protocol."""

import json
import platform
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import load_file, save_file

from ... import zoo
from .. import graph as neutral
from . import checkpoints, initial, pretrained, training
from .devices import Device
from .feed import Feed
from .fitter import Fitter, assign, values
from .memory import peak_mb


class Adapter:
    """One worker's Keras; a request names its model as {architecture, options, classes}."""

    def __init__(self, send, stopped):
        self._send, self._stopped = send, stopped
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
            model: see the class.
            seed: of the initial weights.
            graph, weights: paths to write `.json` and `.safetensors` to.
            start: weights to start from: a file, or "imagenet".
        """
        self._built = (None, None)  # the one that is kept may have been trained
        built = self._model(model)
        assign(built, initial.draw(keras, built, seed))
        if start:
            pretrained.load(built, zoo.get(model["architecture"]).pretrained, start)
        text = json.dumps(neutral.from_model(built), indent=1)
        checkpoints.whole(graph, lambda path: Path(path).write_text(text))
        checkpoints.whole(weights, lambda path: save_file(values(built), path))
        return {
            "parameters": built.count_params(),
            "trainable": int(sum(np.prod(w.shape) for w in built.trainable_weights)),
        }

    def train(self, model, weights, data, plan, out):
        """Train from `weights` (or the run's last state) and write the weights to `out`.

        Args:
            data: {"images", "scale", "labels"}, see `feed.Feed`.
            plan: see `training.Training`.
        """
        built = self._model(model)
        assign(built, load_file(weights))
        feed = Feed(classes=model["classes"], **data)
        jit_compile = self._jit_compile if plan["jit_compile"] is None else plan["jit_compile"]
        fitter = Fitter(built, plan["loss"], jit_compile)
        history = training.Training(fitter, feed, plan, self._send, self._stopped).finish()
        checkpoints.whole(out, lambda path: save_file(values(built), path))
        return {
            "history": history,
            "jit_compile": jit_compile,
            "device_of_weights": self._device.of(built.weights[0].value),
            "peak_memory_mb": peak_mb(),
        }

    def predict(self, model, weights, data, out, batch_size=64, rows=None):
        """Write probabilities, float32 (images, classes), as `.npy`; `rows` None means all."""
        built = self._loaded(model, weights)
        feed = Feed(**data)
        rows = range(len(feed)) if rows is None else rows
        fitter = Fitter(built)
        size = min(batch_size, len(rows))
        found = training.predict(fitter, feed, rows, size, self._stopped)
        checkpoints.whole(out, lambda path: np.save(path, found))
        return {"images": len(rows)}

    def gradients(self, model, weights, data, layer, out):
        """Write what heatmaps are made of, as `.npz`.

        Args:
            layer: its activations are given and differentiated by.
            out: gets `activations` (images, rows, columns, channels) and `gradients`
                (images, classes, rows, columns, channels) of the scores before the softmax.
        """
        from . import gradients

        built = self._loaded(model, weights)
        feed = Feed(**data)
        images = feed.images(np.arange(len(feed)))
        activations, by_class = gradients.of_scores(built, layer, images)
        np.savez(out, activations=activations, gradients=by_class)
        return {"images": len(images)}

    def _loaded(self, model, weights):
        built = self._model(model)
        assign(built, load_file(weights))
        return built

    def _model(self, model):
        """Build a model; the last one is kept, since compiling it again takes seconds."""
        key = json.dumps(model, sort_keys=True)
        if self._built[0] != key:
            keras.backend.clear_session()  # names that Keras counts start at 1 again
            made = zoo.build(
                model["architecture"], keras, classes=model["classes"], **model["options"]
            )
            self._built = (key, made)
        return self._built[1]
