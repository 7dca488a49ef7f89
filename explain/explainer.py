"""From a finished run and images to explanations."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import backends, zoo
from ..errors import DataError, UnsupportedModel, UserError
from ..experiments import finished, prediction
from ..experiments.finished import Finished
from ..experiments.plan import Plan, of_run
from ..preprocessing import Dataset, Pipeline, readers
from . import geometry, registry
from .evidence import Explanation, shares
from .network import Network, grid_of, read_graph

BATCH = 16  # images whose activations and gradients are held at once


@dataclass(frozen=True)
class Prepared:
    """A run that can be explained; no worker is started yet. Get one from `prepare`.

    Attributes:
        run: finished, its weights as they were.
        plan: of the run, with the backend and the device that are asked for.
        graph: of its model.
        layer: the heatmap layer, with a grid.
        pipeline: what was done to every image in training.
    """

    run: Finished
    plan: Plan
    graph: Mapping[str, Any]
    layer: str
    pipeline: Pipeline

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, the positive one last; or those of several findings."""
        return tuple(self.run.manifest["data"]["classes"])

    def read(self, path: Path) -> NDArray[np.float32]:
        """Read an image file and prepare it as in training: (rows, columns, channels) in [0, 1].

        Raises:
            DataError: it cannot be read, or does not fit the model.
        """
        image = self.pipeline(readers.read(path))
        image = image if image.ndim == 3 else image[..., None]
        wanted = tuple(self.plan.spec.model.options["input_shape"])
        if image.shape != wanted:
            raise DataError(
                f"{path} is {_size(image.shape)} after the run's preprocessing, and the model "
                f"takes {_size(wanted)}. Give an image like those it was trained on."
            )
        return image

    def method(self, name: str) -> registry.Method:
        """A heatmap method that runs here.

        Raises:
            UnknownName: there is no such method.
            UserError: it does not run on this backend.
        """
        entry = registry.get(name)
        if entry.backend not in (None, self.plan.backend):
            raise UserError(
                f"{entry.name!r} runs on {entry.backend} only; this is {self.plan.backend}. "
                f"Weights fit every backend: add --backend {entry.backend}."
            )
        return entry

    def check_dataset(self, dataset: Dataset) -> None:
        """See that a dataset is still what the run was made of.

        Raises:
            DataError: it is not.
        """
        if dataset.content != self.run.manifest["data"]["content_sha256"]:
            raise DataError(
                f"Dataset {dataset.name!r} has changed since the run: its content is another. "
                "Bring the old one back, or repeat the run."
            )

    @contextmanager
    def connected(self) -> Iterator["Explainer"]:
        """Start the worker; it ends with the `with` block.

        Raises:
            BackendUnavailable, DeviceUnavailable: as for a run.
        """
        model = {
            "architecture": self.plan.spec.model.architecture,
            "options": self.plan.spec.model.options,
            "classes": len(self.classes),
            **({"several": True} if self.run.several else {}),
        }
        weights = self.run.checked_weights()  # again: a worker may be begun days later
        with (
            tempfile.TemporaryDirectory() as scratch,
            backends.connect(self.plan.backend, self.plan.spec.device) as worker,
        ):
            yield Explainer(
                self, Network(worker, model, weights, self.graph, self.layer, Path(scratch))
            )


@dataclass(frozen=True)
class Explainer:
    """A run with its model on a worker.

    Attributes:
        prepared: the run.
        network: its model.
    """

    prepared: Prepared
    network: Network

    def explain(
        self, images: NDArray[np.float32], names: Sequence[str], method: registry.Method
    ) -> Iterator[Explanation]:
        """Explain images one after the other.

        Args:
            images: (n, rows, columns, channels) as the network takes them.
            names: of the images.
            method: one that runs here.
        """
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            raw = method.function(self.network, batch)
            probabilities = self.network.probabilities(batch)
            for place in range(len(batch)):
                yield self._told(
                    method, names[start + place], batch[place], raw[place], probabilities[place]
                )

    def _told(
        self,
        method: registry.Method,
        name: str,
        image: NDArray[np.float32],
        raw: NDArray[np.floating],
        probabilities: NDArray[np.floating],
    ) -> Explanation:
        layer = self.network.layer if method.grid == "layer" else self.network.images
        grid = grid_of(self.network.graph, layer)
        maps = geometry.spread(shares(raw), grid, *image.shape[:2])
        return Explanation(
            name, image, self.prepared.classes, probabilities, raw, maps, grid, method.name, layer
        )


def prepare(
    path: Path, layer: str | None = None, backend: str | None = None, device: str | None = None
) -> Prepared:
    """Read a finished run.

    Args:
        path: the run directory.
        layer: in place of the heatmap layer that the architecture declares.
        backend, device: in place of the run's.

    Raises:
        RunError: it is not one finished run, or its weights or its graph have changed since.
        SpecError: its spec cannot be read, or names code that is not trusted.
        UserError: it is the folder of one finding of a run.
        UnknownName: the model has no such layer.
        UnsupportedModel: the layer has no grid, or the architecture declares none.
    """
    run = finished.whole(path)
    if run.finding is not None:
        raise UserError(
            f"{path} is what was measured of one finding; the model is the run's, for all of them. "
            f"To explain, name {run.weights.parent} and --class '{run.finding}'; a reading room "
            "takes that run too, and shows all its findings."
        )
    run.checked_weights()
    plan = of_run(run.folder, backend, device)
    graph = read_graph(run.checked_graph())
    chosen = layer or _heatmap_layer(plan)
    grid_of(graph, chosen)
    return Prepared(run, plan, graph, chosen, prediction.pipeline(plan.spec.preprocessing))


def _heatmap_layer(plan: Plan) -> str:
    entry = zoo.get(plan.spec.model.architecture)
    if entry.heatmap_layer is None:
        raise UnsupportedModel(
            f"{entry.name} does not say which layer heatmaps are made of. Name it: --layer, the "
            "last convolution as a rule; or declare heatmap_layer where it is registered."
        )
    return entry.heatmap_layer


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
