"""A trained model on a worker, asked for what heatmaps are made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import Worker
from ..errors import UnknownName, UnsupportedModel
from . import geometry
from .geometry import Grid


@dataclass(frozen=True)
class Network:
    """What a heatmap method may ask.

    Attributes:
        worker: of a backend that gives gradients.
        model: {architecture, options, classes}, as the worker takes it.
        weights: a `weights.safetensors`.
        graph: `graph.json`, see backends/graph.py.
        layer: the heatmap layer, with a grid.
        scratch: a folder for arrays on their way.
    """

    worker: Worker
    model: Mapping[str, Any]
    weights: Path
    graph: Mapping[str, Any]
    layer: str
    scratch: Path

    @property
    def images(self) -> str:
        """The layer that takes the images."""
        return self.graph["input"]

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(rows, columns, channels) of one image."""
        (first,) = (layer for layer in self.graph["layers"] if layer["name"] == self.images)
        return tuple(first["options"]["shape"])

    @property
    def grid(self) -> Grid:
        """Of the heatmap layer."""
        return grid_of(self.graph, self.layer)

    def gradients(
        self,
        images: NDArray[np.float32],
        layer: str | None = None,
        of: str = "scores",
        choices: NDArray[np.integer] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Activations of a layer, and gradients by them.

        Args:
            images: (n, rows, columns, channels).
            layer: the heatmap layer if not given.
            of: what is differentiated: the scores before the softmax, or a layer, whose channels'
                means count.
            choices: (n, k), which outputs of each image; all if not given.

        Returns:
            (n, rows, columns, channels) and (n, k, rows, columns, channels).

        Raises:
            WorkerFailed: the model cannot be cut at that layer.
        """
        found = self._ask(
            "gradients",
            images,
            "gradients.npz",
            layer=layer or self.layer,
            target={"of": of, "choices": None if choices is None else choices.tolist()},
        )
        return found["activations"], found["gradients"]

    def activations(
        self, images: NDArray[np.float32], layer: str | None = None
    ) -> NDArray[np.float32]:
        """What a layer says, the heatmap layer if none is given: (n, ...), channels last."""
        name = layer or self.layer
        return self._ask("activations", images, "activations.npz", layers=[name])[name]

    def probabilities(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of every class, (n, classes)."""
        return self._ask("predict", images, "probabilities.npy")["probabilities"]

    def keras_vis(self, images: NDArray[np.float32], method: str) -> NDArray[np.float32]:
        """Maps by tf-keras-vis for every class, (n, classes, rows, columns).

        Raises:
            BackendUnavailable: it is not installed.
        """
        asked = {"method": method, "layer": self.layer}
        return self._ask("keras_vis", images, "maps.npy", **asked)["maps"]

    def keras_vis_patterns(
        self, layer: str, channels: Sequence[int], steps: int
    ) -> NDArray[np.float32]:
        """Images that channels answer to, by tf-keras-vis: (channels, rows, columns, channels)."""
        out = self.scratch / "patterns.npy"
        self.worker.ask(
            "keras_vis_patterns",
            model=dict(self.model),
            weights=str(self.weights),
            layer=layer,
            channels=list(channels),
            steps=steps,
            out=str(out),
        )
        return np.load(out)

    def spread(self, maps: NDArray[np.floating], size: tuple[int, ...]) -> NDArray[np.float32]:
        """Bring maps of the heatmap layer to (rows, columns) in pixels; see `geometry.spread`."""
        return geometry.spread(maps, self.grid, *size)

    def _ask(
        self, verb: str, images: NDArray[np.float32], name: str, **arguments: Any
    ) -> dict[str, NDArray[np.float32]]:
        given, out = self.scratch / "images.npy", self.scratch / name
        np.save(given, images)
        self.worker.ask(
            verb,
            model=dict(self.model),
            weights=str(self.weights),
            data={"images": str(given), "scale": 1.0},
            out=str(out),
            **arguments,
        )
        found = np.load(out)
        return {out.stem: found} if isinstance(found, np.ndarray) else dict(found)


def grid_of(graph: Mapping[str, Any], layer: str) -> Grid:
    """Where the cells of a layer lie.

    Raises:
        UnknownName: the model has no such layer.
        UnsupportedModel: the layer has no grid, or none that we can place in the image.
    """
    grids = geometry.grids(graph)
    spatial = [name for name, grid in grids.items() if grid]
    if layer not in grids:
        raise UnknownName("layer", layer, spatial)
    grid = grids[layer]
    if grid is None:
        last = f"The last layer that has one is {spatial[-1]!r}." if spatial else "No layer has."
        raise UnsupportedModel(
            f"Layer {layer!r} of {graph['name']} has no grid of rows and columns in the image, so "
            f"there is nothing to draw a heatmap on. {last}"
        )
    return grid


def read_graph(path: Path) -> dict[str, Any]:
    """Read `graph.json` of a run."""
    return json.loads(path.read_text(encoding="utf-8"))
