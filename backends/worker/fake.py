"""A backend without a framework, for tests of the walk: softmax regression on coarse pixels.

For findings it is a logistic regression of each.

It follows the whole protocol, trains for real (a linear model of the image at 8x8) and says
`fake` wherever a backend is named. Whatever architecture is asked for, it is this one.
"""

import json
import os
import platform

import numpy as np
from safetensors.numpy import load_file, save_file

from ... import zoo
from ...errors import DeviceUnavailable
from . import adapter
from .memory import peak_mb

GRID = 8


class Adapter(adapter.Adapter):
    """The verbs of the protocol; see `keras3.Adapter`."""

    def describe(self, device, jit_compile):
        """Say who answers; there is one device."""
        print("noise on stdout, as frameworks make it")  # noqa: T201  the protocol must bear it
        if device not in ("cpu", "auto"):
            raise DeviceUnavailable(
                f"Device {device!r} is not here. Backend 'fake' finds: cpu. Choose it, or `auto`."
            )
        return {
            "backend": "fake",
            "versions": {"python": platform.python_version()},
            "device": "cpu",
            "device_name": "cpu",
            "devices": ["cpu"],
            "threads": 1,
            "precision": "float32",
        }

    def build(self, model, seed, graph, weights, start=None):
        """Write an empty graph and zero weights."""
        zoo.get(model["architecture"])
        with open(graph, "w") as file:
            json.dump({"format": 1, "name": "fake", "layers": []}, file)
        arrays = {name: np.zeros(*described) for name, described in self.needed(model).items()}
        save_file(arrays, weights)
        parameters = sum(array.size for array in arrays.values())
        return {"parameters": parameters, "trainable": parameters}

    def needed(self, model):
        """What a file of weights must hold; see `adapter.Adapter`."""
        shape = (GRID * GRID, model["classes"])
        return {"scores/kernel": (shape, "float64"), "scores/bias": (shape[1:], "float64")}

    def fitter(self, model, arrays, loss=None, jit_compile=None, precision=None):
        """See `adapter.Adapter`."""
        return _Sigmoids(arrays) if model.get("several") else _Softmax(arrays)


class _Softmax:
    """Logistic regression by gradient descent; see `training` for what each part must do."""

    jit_compile = False

    def __init__(self, weights):
        self.weights = weights
        self.learning_rate = 0.0

    def begin_phase(self, phase):
        self.learning_rate = phase["optimizer"].get("learning_rate", 0.01)

    def begin_epoch(self, seed):
        """Nothing here is random."""

    def step(self, images, labels, weights):
        pixels = _coarse(images)
        probabilities = self.predict(images)
        error = self._error(probabilities, labels, weights)
        self.weights = {
            "scores/kernel": self.weights["scores/kernel"] - self.learning_rate * pixels.T @ error,
            "scores/bias": self.weights["scores/bias"] - self.learning_rate * error.sum(0),
        }
        return self.loss(labels, probabilities), self._accuracy(probabilities, labels)

    def _error(self, probabilities, labels, weights):
        error = (probabilities - labels) / len(labels)
        return error if weights is None else error * weights[:, None]

    def _accuracy(self, probabilities, labels):
        return float((probabilities.argmax(1) == labels.argmax(1)).mean())

    def predict(self, images):
        scores = _coarse(images) @ self.weights["scores/kernel"] + self.weights["scores/bias"]
        return self._probabilities(scores).astype("float32")

    def _probabilities(self, scores):
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def loss(self, labels, probabilities):
        likelihood = (labels * probabilities).sum(1)
        return float(-np.log(np.clip(likelihood, 1e-7, 1)).mean())

    def save(self, folder):
        self.save_weights(os.path.join(folder, "weights.safetensors"))
        rate = {"learning_rate": np.array([self.learning_rate])}
        save_file(rate, os.path.join(folder, "optimizer.safetensors"))

    def load(self, folder):
        self.load_weights(os.path.join(folder, "weights.safetensors"))
        rate = load_file(os.path.join(folder, "optimizer.safetensors"))["learning_rate"]
        self.learning_rate = float(rate[0])

    def load_weights(self, path):
        self.weights = load_file(path)

    def save_weights(self, path):
        save_file(self.weights, path)

    def device_of_weights(self):
        return "cpu"

    def peak_memory_mb(self):
        return peak_mb()


class _Sigmoids(_Softmax):
    """A logistic regression for each finding."""

    def _error(self, probabilities, labels, weights):
        return (probabilities - labels) * weights / labels.size

    def _accuracy(self, probabilities, labels):
        known = labels >= 0
        return (
            float(((probabilities >= 0.5) == (labels == 1))[known].mean()) if known.any() else 0.0
        )

    def _probabilities(self, scores):
        return 1 / (1 + np.exp(-np.clip(scores, -50, 50)))

    def loss(self, labels, probabilities):
        likelihood = np.where(labels == 1, probabilities, 1 - probabilities)
        return float((-np.log(np.clip(likelihood, 1e-7, 1)) * (labels >= 0)).mean())


def _coarse(images):
    """Mean brightness of GRID x GRID cells, (batch, GRID * GRID), around 0."""
    batch, rows, columns, _ = images.shape
    high, wide = rows // GRID * GRID, columns // GRID * GRID
    cells = images[:, :high, :wide, 0].reshape(batch, GRID, high // GRID, GRID, wide // GRID)
    return cells.mean((2, 4)).reshape(batch, -1) - 0.5
