"""A model on a worker, ready for films: begun again when its worker dies."""

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, WorkerFailed
from ..explain import explainer
from ..explain.evidence import Explanation
from ..explain.explainer import Explainer, Prepared
from . import card, examples, reference
from .card import Card
from .reference import Reference
from .settings import Settings

MAP_SIDE = 256  # of a heatmap, at most; it is smooth
BATCH = 8  # films that the model is asked about at once


class Found(NamedTuple):
    """What a model found in one film; `maps` (classes, rows, columns), 255 the strongest evidence.

    Of a model of several findings they stand in place of the classes; see `Served.of_each`.
    """

    probabilities: list[float]
    maps: NDArray[np.uint8]
    embedding: NDArray[np.float32]
    distance: float | None
    likeness: float | None


class _Film(NamedTuple):
    """One that waits for the model; `image` (rows, columns, channels) as the network takes it."""

    image: NDArray[np.float32]
    found: "Future[Found]"


@dataclass
class Served:
    """One of the models of a room; get one from `start`.

    It may be asked from any thread: films that come while the model is at work are given to it
    together, by whichever of their threads is the first to have it.

    Attributes:
        cards: what is known of it; of a model of several findings, of each.
        prepared: its run.
        method: of its heatmaps.
        reference: None where the dataset of the run is not here, and `why`.
    """

    cards: Sequence[Card]
    prepared: Prepared
    method: str
    reference: Reference | None
    why: str

    def __post_init__(self) -> None:
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._waiting: queue.SimpleQueue[_Film] = queue.SimpleQueue()
        self._explainer: Explainer | None = None

    @property
    def name(self) -> str:
        """Of the network in file names: the first 16 digits of the SHA-256 of its weights."""
        return self.cards[0].weights[:16]

    def of_each(self, found: Found) -> Iterator[tuple[Card, Found]]:
        """What was found, by card: of several findings each as two classes.

        Nothing is drawn against a finding, so the map of the first class is empty.
        """
        for one in self.cards:
            place = one.facts.get("finding_number")
            yield one, found if place is None else _alone(found, place)

    def analyse(self, image: NDArray[np.float32]) -> Found:
        """Ask the model; a worker that fails is begun again and asked once more.

        Args:
            image: (rows, columns, channels) as the network takes it.

        Raises:
            WorkerFailed: it failed twice.
        """
        film = _Film(image, Future())
        self._waiting.put(film)
        with self._lock:
            while not film.found.done():  # more than a batch may wait before it
                self._read([self._waiting.get() for _ in range(min(BATCH, self._waiting.qsize()))])
        return film.found.result()

    def close(self) -> None:
        """End the worker."""
        self._stack.close()
        self._explainer = None

    def connected(self) -> Explainer:
        """Its explainer, begun if it is not there."""
        if self._explainer is None:
            self._explainer = self._stack.enter_context(self.prepared.connected())
        return self._explainer

    def _read(self, films: list[_Film]) -> None:
        images = np.stack([film.image for film in films])
        try:
            found = self._ask_again(images)
        except Exception as error:  # noqa: BLE001  each of their threads is told
            for film in films:
                film.found.set_exception(error)
        else:
            for film, one in zip(films, found, strict=True):
                film.found.set_result(one)

    def _ask_again(self, images: NDArray[np.float32]) -> list[Found]:
        try:
            return self._ask(images)
        except WorkerFailed:
            self.close()
            return self._ask(images)

    def _ask(self, images: NDArray[np.float32]) -> list[Found]:
        ready = self.connected()
        method = self.prepared.method(self.method)
        # A backend may compile for every size of a batch: powers of two alone are few.
        missing = (1 << (len(images) - 1).bit_length()) - len(images)
        full = np.concatenate([images, np.repeat(images[-1:], missing, axis=0)])
        told = ready.explain(full, ["film"] * len(full), method)
        embeddings = reference.embed(ready.network, full)
        return [self._told(*one) for one in zip(images, told, embeddings, strict=False)]

    def _told(
        self, image: NDArray[np.float32], told: Explanation, embedding: NDArray[np.float32]
    ) -> Found:
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
    cards = card.of_run(folder, prepared.run)
    made = Served(cards, prepared, settings.method, None, "")
    try:
        made.reference = _reference(folder / "reference.npz", made)
        if cards[0].facts["synthetic"] and not (folder / "examples").exists():
            examples.write(prepared, folder / "examples")
    except DataError as error:
        made.why = str(error)
    made.analyse(np.zeros(prepared.plan.spec.model.options["input_shape"], np.float32))
    return made


def _alone(found: Found, place: int) -> Found:
    score, drawn = found.probabilities[place], found.maps[place]
    maps = np.stack([np.zeros_like(drawn), drawn])
    return found._replace(probabilities=[1 - score, score], maps=maps)


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
