"""A model on a worker, ready for films: begun again when its worker dies."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, WorkerFailed
from ..explain import explainer
from ..explain.explainer import Explainer, Prepared
from . import card, examples, reference
from .card import Card
from .reference import Reference
from .settings import Settings

MAP_SIDE = 256  # of a heatmap, at most; it is smooth


class Found(NamedTuple):
    """What a model found in one film; `maps` (classes, rows, columns) in [0, 1]."""

    probabilities: list[float]
    maps: NDArray[np.uint8]
    embedding: NDArray[np.float32]
    distance: float | None
    likeness: float | None


@dataclass
class Served:
    """One of the models of a room; get one from `start`. One film at a time, from any thread.

    Attributes:
        card: what is known of it.
        prepared: its run.
        method: of its heatmaps.
        reference: None where the dataset of the run is not here, and `why`.
    """

    card: Card
    prepared: Prepared
    method: str
    reference: Reference | None
    why: str

    def __post_init__(self) -> None:
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._explainer: Explainer | None = None

    def analyse(self, image: NDArray[np.float32]) -> Found:
        """Ask the model; a worker that fails is begun again and asked once more.

        Args:
            image: (rows, columns, channels) as the network takes it.

        Raises:
            WorkerFailed: it failed twice.
        """
        with self._lock:
            try:
                return self._ask(image)
            except WorkerFailed:
                self.close()
                return self._ask(image)

    def close(self) -> None:
        """End the worker."""
        self._stack.close()
        self._explainer = None

    def connected(self) -> Explainer:
        """Its explainer, begun if it is not there."""
        if self._explainer is None:
            self._explainer = self._stack.enter_context(self.prepared.connected())
        return self._explainer

    def _ask(self, image: NDArray[np.float32]) -> Found:
        ready = self.connected()
        method = self.prepared.method(self.method)
        (told,) = ready.explain(image[None], ["film"], method)
        embedding = reference.embed(ready.network, image[None])[0]
        known = self.reference
        return Found(
            [float(share) for share in told.probabilities],
            np.stack([_small(one) for one in told.maps]),
            embedding,
            known.distance(embedding, image) if known else None,
            known.likeness(image) if known else None,
        )


def start(run: Path, settings: Settings) -> Served:
    """Read a run, start its worker, and work out or find its reference.

    Raises:
        RadZooError: as for `explain`.
    """
    prepared = explainer.prepare(run, None, settings.backend, settings.device)
    prepared.method(settings.method)
    folder = settings.home / "models" / prepared.run.manifest["weights_sha256"][:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = card.read(folder / "card.json", prepared.run)
    made = Served(known, prepared, settings.method, None, "")
    try:
        made.reference = _reference(folder / "reference.npz", made)
        if known.facts["synthetic"] and not (folder / "examples").exists():
            examples.write(prepared, folder / "examples")
    except DataError as error:
        made.why = str(error)
    made.analyse(np.zeros(prepared.plan.spec.model.options["input_shape"], np.float32))
    return made


def _reference(path: Path, made: Served) -> Reference:
    if path.exists():
        return reference.load(path)
    found = reference.build(made.connected())
    reference.save(found, path)
    return found


def _small(given: NDArray[np.float32]) -> NDArray[np.uint8]:
    share: NDArray = given
    longest = max(share.shape)
    if longest > MAP_SIDE:
        size = [max(1, round(side * MAP_SIDE / longest)) for side in share.shape[::-1]]
        share = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
    return np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)
