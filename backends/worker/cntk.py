"""CNTK 2.7: Keras 3 builds the model here, and an engine in a legacy interpreter computes it.

Images, their order and augmentation, the training loop and the files are those of every other
backend; what crosses to the engine are the layer graph, weights and batches.
"""

import importlib.util
import json
import os
from functools import cached_property
from importlib import metadata

from ...errors import BackendUnavailable
from . import adapter
from .engine import Engine

# Keras builds a model on any of these, and draws the same initial weights: the lightest first.
KERAS_ON = ("jax", "torch", "tensorflow")


class Adapter(adapter.Adapter):
    """Builds by Keras 3, and computes in the engine."""

    def describe(self, device, jit_compile, command, environment, threads):
        """Start the engine, take the device, and say what runs here.

        Args:
            device: "cpu", "gpu", "gpu:N" or "auto".
            jit_compile: nothing to CNTK.
            command, environment: of the engine.
            threads: of the CPU that CNTK may use.

        Raises:
            DeviceUnavailable: the device is not there, or computes wrong numbers.
            BackendUnavailable: there is nothing for Keras to build models on.
        """
        _choose_keras()
        self._engine = Engine(command, environment)
        opened, _ = self._engine.ask("open", device=device, threads=threads)
        self._device = opened["device"]
        self._loaded = None
        return {
            "backend": "cntk",
            "versions": {"keras": metadata.version("keras"), **opened["versions"]},
            "device": opened["device"],
            "device_name": opened["device"],
            "devices": opened["devices"],
            "threads": threads,
            "precision": "float32",
        }

    def build(self, model, seed, graph, weights, start=None):
        """Write the layer graph and the initial weights, and rebuild the model from them.

        Raises:
            UnsupportedModel: CNTK cannot do some of its layers; all are named.
        """
        self.forget()
        built = self._keras.build(model, seed, graph, weights, start)
        self.fitter(model, self.read(model, weights))
        return built

    def needed(self, model):
        """What a file of weights must hold; see `adapter.Adapter`."""
        return self._keras.needed(model)

    def fitter(self, model, arrays, loss=adapter.LOSS, jit_compile=None, precision=None):
        """The engine with this model and these weights; see `adapter.Adapter`."""
        from .cntk_fitter import CntkFitter

        key = json.dumps(model, sort_keys=True)
        if self._loaded == key:
            self._engine.ask("assign", arrays)
        else:
            self._loaded = None
            self._engine.ask("load", arrays, graph=self._keras.graph(model))
            self._loaded = key
        return CntkFitter(self._engine, loss, self._device)

    @cached_property
    def _keras(self):
        """What builds: seconds to import, and not before there is a device."""
        from . import keras3

        return keras3.Adapter(self._send, self._stopped)


def _choose_keras():
    """Tell Keras what to build on, and keep that off the GPU, which is the engine's.

    Raises:
        BackendUnavailable: there is nothing to build on.
    """
    found = next((name for name in KERAS_ON if importlib.util.find_spec(name)), None)
    if found is None:
        raise BackendUnavailable(
            "Backend 'cntk' needs Keras 3 on jax, torch or tensorflow to build models, and none "
            "of them is installed. To install one: pip install 'radzoo[jax]'"
        )
    os.environ.update(KERAS_BACKEND=found, JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="-1")
