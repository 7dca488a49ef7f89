"""One set of weights, explained on every backend."""

import dataclasses
import json
from contextlib import ExitStack

import numpy as np
import pytest

from radzoo import backends, zoo
from radzoo.explain.network import Network


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Start each backend's worker once, when it is first asked for."""
    log = tmp_path_factory.mktemp("logs") / "log.txt"
    started = {}
    with ExitStack() as stack:

        def start(name):
            if not backends.get(name).installed:
                pytest.skip(f"{name} is not installed")
            if name not in started:
                started[name] = stack.enter_context(backends.connect(name, "cpu", log))
            return started[name]

        yield start


@pytest.fixture(scope="module")
def network_of(workers, tmp_path_factory):
    """Makes the network of an architecture on a backend; the weights are the same on all."""
    made = {}

    def make(architecture, backend, layer=None):
        worker = workers(backend)
        model = {"architecture": architecture, "options": {}, "classes": 2}
        if architecture not in made:
            folder = made[architecture] = tmp_path_factory.mktemp(architecture)
            paths = {"graph": str(folder / "graph.json"), "weights": str(folder / "w.safetensors")}
            worker.ask("build", model=model, seed=3, **paths)
        folder = made[architecture]
        graph = json.loads((folder / "graph.json").read_text())
        chosen = layer or zoo.get(architecture).heatmap_layer
        scratch = tmp_path_factory.mktemp(backend)
        return Network(worker, model, folder / "w.safetensors", graph, chosen, scratch)

    return make


@pytest.fixture(scope="session")
def images_of():
    """Makes images for a network: noise with a bright disc, each elsewhere."""

    def make(network, count=3):
        rows, columns, channels = network.image_shape
        y, x = np.mgrid[:rows, :columns]
        draw = np.random.default_rng(5)
        images = draw.random((count, rows, columns, channels), dtype="float32") * 0.4
        for number in range(count):
            far = np.hypot(y - rows * (0.3 + 0.2 * number), x - columns * 0.6)
            images[number, far < rows / 8] += 0.5
        return images

    return make


@dataclasses.dataclass
class Known:
    """A network whose answers are known; it stands in for one on a worker."""

    activations_: np.ndarray
    gradients_: np.ndarray
    images: str = "images"

    def gradients(self, images, layer=None):
        return self.activations_, self.gradients_


@pytest.fixture
def known():
    return Known
