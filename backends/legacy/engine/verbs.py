"""What the engine can be asked (2.7); each verb takes arrays and options and returns both."""

import platform
import resource
import warnings

warnings.filterwarnings("ignore")  # of CNTK's own imports, about Python and NumPy of 2018

import cntk  # noqa: E402
import numpy as np  # noqa: E402

from . import devices, gradients  # noqa: E402
from .network import Network  # noqa: E402
from .training import Trainer  # noqa: E402

cntk.logging.set_trace_level(cntk.logging.TraceLevel.Error)


class Engine(object):
    """One device, one network, one phase of training."""

    def open(self, arrays, device, threads):
        """Take a device; say what runs here."""
        self._device = devices.take(device, threads)
        versions = {
            "cntk": cntk.__version__,
            "cntk_python": platform.python_version(),
            "cntk_numpy": np.__version__,
        }
        return {"device": self._device, "devices": devices.found(), "versions": versions}, {}

    def load(self, arrays, graph):
        """Rebuild a model from its graph and its weights."""
        self._network = Network(graph, arrays, self._device != "cpu")
        return {}, {}

    def assign(self, arrays):
        """Set weights."""
        self._network.weights.assign(arrays)
        return {}, {}

    def weights(self, arrays):
        """Give the weights."""
        return {}, self._network.weights.values()

    def predict(self, arrays):
        """Probabilities of images."""
        return {}, {"probabilities": self._network.predict(arrays["images"])}

    def gradients(self, arrays, layer, of):
        """Activations and gradients for heatmaps; `choices` comes where not all are asked for."""
        asked = arrays["images"], arrays.get("choices")
        found = gradients.of_outputs(self._network, layer, of, *asked)
        return {}, dict(zip(("activations", "gradients"), found))

    def activations(self, arrays, layers):
        """What some layers say."""
        return {}, gradients.activations(self._network, layers, arrays["images"])

    def begin_phase(self, arrays, loss, optimizer, frozen_until):
        """Begin to train, with a fresh optimiser."""
        self._trainer = Trainer(self._network, loss, optimizer, frozen_until)
        return {}, {}

    def begin_epoch(self, arrays, seed):
        """Seed what is random."""
        self._trainer.begin_epoch(seed)
        return {}, {}

    def step(self, arrays):
        """One step of the optimiser."""
        result = self._trainer.step(arrays["images"], arrays["labels"], arrays["weights"])
        return {"loss": result[0], "accuracy": result[1]}, {}

    def penalty(self, arrays):
        """What the regularisers add to the loss."""
        return {"penalty": self._trainer.penalty()}, {}

    def learning_rate(self, arrays, value=None):
        """Of the optimiser; set first, if a value is given."""
        if value is not None:
            self._trainer.learning_rate = value
        return {"learning_rate": self._trainer.learning_rate}, {}

    def optimizer(self, arrays):
        """Give what the optimiser keeps; or take it, if arrays come."""
        if arrays:
            self._trainer.slots.assign(arrays)
        return {}, self._trainer.slots.values()

    def peak_memory(self, arrays):
        """In MiB."""
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"peak_memory_mb": kib / 1024.0}, {}
