"""What `training.Training` asks of CNTK, passed on to the engine."""

import os

import keras
import numpy as np
from safetensors.numpy import load_file, save_file

from . import losses
from .memory import peak_mb


class CntkFitter:
    """The engine's model in training; see `training` for what each part must do."""

    jit_compile = False

    def __init__(self, engine, loss, device):
        self._engine, self._loss, self._device = engine, loss, device

    def begin_phase(self, phase):
        """Freeze what the phase freezes, and start with a fresh optimiser."""
        self._engine.ask(
            "begin_phase",
            loss=self._loss,
            optimizer=_in_full(phase["optimizer"]),
            frozen_until=phase["frozen_until"],
        )

    def begin_epoch(self, seed):
        """Make dropout a function of `seed`."""
        self._engine.ask("begin_epoch", seed=int(seed))

    def step(self, images, labels, weights):
        """One optimiser step -> (loss, accuracy) of the batch before it."""
        weights = np.ones(len(images), "float32") if weights is None else weights
        batch = {"images": images, "labels": labels.astype("float32"), "weights": weights}
        reply, _ = self._engine.ask("step", batch)
        return reply["loss"], reply["accuracy"]

    def predict(self, images):
        """Probabilities, float32 (batch, classes)."""
        return self._engine.ask("predict", {"images": images})[1]["probabilities"]

    def gradients(self, layer, images, of, choices):
        """See `gradients.of_outputs`."""
        arrays = {"images": images}
        if choices is not None:
            arrays["choices"] = np.asarray(choices, "int32")
        found = self._engine.ask("gradients", arrays, layer=layer, of=of)[1]
        return found["activations"], found["gradients"]

    def activations(self, layers, images):
        """See `gradients.activations`."""
        return self._engine.ask("activations", {"images": images}, layers=layers)[1]

    def loss(self, labels, probabilities):
        """Mean loss with the penalties of the layers, as in `step`."""
        found = losses.each(self._loss)(labels.astype("float32"), probabilities)
        penalty = self._engine.ask("penalty")[0]["penalty"]
        return float(keras.ops.mean(found)) + penalty

    @property
    def learning_rate(self):
        """Of the optimiser, now."""
        return self._engine.ask("learning_rate")[0]["learning_rate"]

    @learning_rate.setter
    def learning_rate(self, value):
        self._engine.ask("learning_rate", value=float(value))

    def save(self, folder):
        """Write weights and optimiser to a folder."""
        self.save_weights(os.path.join(folder, "weights.safetensors"))
        slots = self._engine.ask("optimizer")[1]
        slots["learning_rate"] = np.array(self.learning_rate, "float32")
        save_file(slots, os.path.join(folder, "optimizer.safetensors"))

    def load(self, folder):
        """Read what `save` wrote."""
        self.load_weights(os.path.join(folder, "weights.safetensors"))
        slots = load_file(os.path.join(folder, "optimizer.safetensors"))
        self.learning_rate = slots.pop("learning_rate")
        self._engine.ask("optimizer", slots)

    def save_weights(self, path):
        """Write the weights alone."""
        save_file(self._engine.ask("weights")[1], path)

    def load_weights(self, path):
        """Read the weights alone."""
        self._engine.ask("assign", load_file(path))

    def device_of_weights(self):
        """The device that the engine took, and computed on to be taken."""
        return self._device

    def peak_memory_mb(self):
        """Of this process and of the engine, together."""
        return round(peak_mb() + self._engine.ask("peak_memory")[0]["peak_memory_mb"], 1)


def _in_full(optimizer):
    """An optimiser's name and options, with Keras's own where none are given."""
    options = dict(optimizer)
    name = options.pop("name")
    config = keras.optimizers.get({"class_name": name, "config": options}).get_config()
    return {**config, "name": name}
