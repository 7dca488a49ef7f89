"""The verbs that are the same on every backend, around a fitter of its own."""

import json
import os

import numpy as np

from . import checkpoints, timing, training
from .feed import Feed
from .weights import read

LOSS = "categorical_crossentropy"  # unless a request says otherwise


class Adapter:
    """Trains and predicts; a backend's own adapter adds `describe`, `build`, `needed`, `fitter`.

    A request names its model as {architecture, options, classes}, of findings also `several`.
    What `fitter(model, arrays)` and `fitter(model, arrays, loss, jit_compile, precision)` return is
    told in `training`; besides, it has `save_weights(path)`, `jit_compile`, `device_of_weights()`
    and `peak_memory_mb()`. `needed(model)` tells what a file must hold, see `weights.read`.
    """

    def __init__(self, send, stopped):
        self._send, self._stopped = send, stopped
        self._ready = (None, None)  # what `ready` gave last, under what it was asked for

    def ready(self, model, weights):
        """A fitter that is not trained, with the weights in a file.

        The last one is kept: to read a large file and set its weights takes longer than to ask for
        the one film that a clinician waits for.
        """
        file = os.stat(weights)
        key = json.dumps(model, sort_keys=True), weights, file.st_ino, file.st_mtime_ns
        if self._ready[0] != key:
            self.forget()
            self._ready = (key, self.fitter(model, self.read(model, weights)))
        return self._ready[1]

    def forget(self):
        """Keep no fitter: the model will be built or trained anew."""
        self._ready = (None, None)

    def read(self, model, weights):
        """The weights in a file, found to be those of the model; errors as for `weights.read`."""
        return read(weights, self.needed(model))

    def train(self, model, weights, data, plan, out):
        """Train from `weights` (or the run's last state) and write the weights to `out`.

        Args:
            data: {"images", "scale", "labels"}, see `feed.Feed`.
            plan: see `training.Training`.
        """
        self.forget()
        how = plan["loss"], plan["jit_compile"], plan["precision"]
        fitter = self.fitter(model, self.read(model, weights), *how)
        feed = Feed(classes=model["classes"], **data)
        history = training.Training(fitter, feed, plan, self._send, self._stopped).finish()
        checkpoints.whole(out, fitter.save_weights)
        return {
            "history": history,
            "jit_compile": fitter.jit_compile,
            "device_of_weights": fitter.device_of_weights(),
            "peak_memory_mb": fitter.peak_memory_mb(),
        }

    def predict(self, model, weights, data, out, batch_size=64, rows=None):
        """Write probabilities, float32 (images, classes), as `.npy`; `rows` None means all."""
        fitter = self.ready(model, weights)
        feed = Feed(**data)
        rows = range(len(feed)) if rows is None else rows
        size = min(batch_size, len(rows))
        found = training.predict(fitter, feed, rows, size, self._stopped)
        checkpoints.whole(out, lambda path: np.save(path, found))
        return {"images": len(rows)}

    def benchmark(self, model, weights, data, plan):
        """Time steps of training or prediction; see `timing.measure` for plan and reply."""
        self.forget()
        how = {"precision": plan["precision"]}
        fitter = self.fitter(model, self.read(model, weights), **how)
        feed = Feed(classes=model["classes"], **data)
        return {
            **timing.measure(fitter, feed, plan, self._send, self._stopped),
            "jit_compile": fitter.jit_compile,
            "device_of_weights": fitter.device_of_weights(),
            "peak_memory_mb": fitter.peak_memory_mb(),
        }

    def gradients(self, model, weights, data, layer, out, target=None):
        """Write what heatmaps are made of, as `.npz`.

        Args:
            layer: its activations are given and differentiated by.
            out: gets `activations` (images, rows, columns, channels) and `gradients`
                (images, k, rows, columns, channels).
            target: {"of": name of the layer that is differentiated, "choices": for each image
                the numbers of its k outputs}; every score before the softmax if not given.
        """
        fitter = self.ready(model, weights)
        feed = Feed(**data)
        images = feed.images(np.arange(len(feed)))
        activations, gradients = fitter.gradients(
            layer, images, **(target or {"of": "scores", "choices": None})
        )
        np.savez(out, activations=activations, gradients=gradients)
        return {"images": len(images)}

    def activations(self, model, weights, data, layers, out):
        """Write what layers say, float32 (images, ...) of each by its name, as `.npz`."""
        fitter = self.ready(model, weights)
        feed = Feed(**data)
        images = feed.images(np.arange(len(feed)))
        np.savez(out, **fitter.activations(layers, images))
        return {"images": len(images)}
