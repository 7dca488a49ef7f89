"""The films a model learned from, as a yardstick: is this one like them, and which are most alike?

Two distances tell how far a film is from the training images: that of what the network makes of it
(the layer before the scores) and that of its coarse picture. The limit of each is set so that few
validation images lie beyond; how many test images do is the false-alarm rate that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ..experiments import data, prediction, requests
from ..explain.explainer import BATCH, Explainer
from ..explain.network import Network

MOST = 2000  # training images that are kept
NEIGHBOURS = 5
BEYOND = 0.025  # share of the validation images that may lie beyond each limit
COARSE = 16  # rows and columns of the coarse picture
SMALL = 96  # longest side of a case's picture, in pixels


class Case(NamedTuple):
    """An image with known truth; `distance` from the film, as `place` in the reference."""

    place: int
    id: str
    label: int
    side: str
    distance: float


@dataclass(frozen=True, eq=False)
class Reference:
    """Training and validation images of a run, n in all, and the limits worked out from them.

    Attributes:
        ids, sides: (n,), of each.
        labels: (n,), its class; or (n, findings), 1, 0, or -1 where it is not known.
        embeddings: (n, d), each dimension over its spread in training.
        coarse: (n, COARSE * COARSE), of mean 0 and length 1.
        pictures: (n, rows, columns) uint8.
        spread: (d,), what the dimensions were divided by.
        limits: of the two distances.
        false_alarms: (flagged, all) of the test images.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    sides: NDArray[np.str_]
    embeddings: NDArray[np.float32]
    coarse: NDArray[np.float32]
    pictures: NDArray[np.uint8]
    spread: NDArray[np.float32]
    limits: NDArray[np.float64]
    false_alarms: NDArray[np.int64]

    def of(self, place: int | None) -> Self:
        """The same with the labels of one of several findings; as it is where there are none."""
        return self if place is None else replace(self, labels=self.labels[:, place])

    def distance(self, embedding: NDArray[np.float32], image: NDArray[np.float32]) -> float:
        """How far a film is from training, as a share of the limit: above 1 is unlike it.

        Args:
            embedding: (d,), as the network gives it.
            image: (rows, columns, channels) as the network takes it.
        """
        far = self._distances(embedding[None], _coarse(image[None]))
        return float((far[0] / self.limits).max())

    def likeness(self, image: NDArray[np.float32]) -> float:
        """Correlation with the mean training image, in [-1, 1]: clearly below 0 is inverted."""
        mean = self.coarse[self.sides == "train"].mean(axis=0)
        return float(_coarse(image[None])[0] @ mean / max(float(np.linalg.norm(mean)), 1e-9))

    def nearest(self, embedding: NDArray[np.float32], count: int) -> list[Case]:
        """The images of which the network makes most nearly the same."""
        away = np.linalg.norm(self.embeddings - embedding / self.spread, axis=1)
        places = np.argsort(away, kind="stable")[:count]
        return [
            Case(int(p), str(self.ids[p]), int(self.labels[p]), str(self.sides[p]), float(away[p]))
            for p in places
        ]

    def _distances(self, embeddings: NDArray, coarse: NDArray) -> NDArray[np.float64]:
        train = self.sides == "train"
        made = _mean_nearest(self.embeddings[train], embeddings / self.spread)
        seen = _mean_nearest(self.coarse[train], coarse)
        return np.column_stack([made, seen])


def embed(network: Network, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network makes of images (n, rows, columns, channels) before its scores: (n, d)."""
    layers = {layer["name"]: layer for layer in network.graph["layers"]}
    layer = str(layers["scores"]["inputs"][0])
    parts = [
        network.activations(images[at : at + BATCH], layer) for at in range(0, len(images), BATCH)
    ]
    return np.concatenate(parts).reshape(len(images), -1).astype(np.float32)


def build(explainer: Explainer) -> Reference:
    """Work out the reference of a run whose dataset is there.

    Raises:
        DataError: the dataset cannot be read, or is another one now.
    """
    prepared = explainer.prepared
    cohort = data.load(prepared.plan.spec.dataset)
    prepared.check_dataset(cohort.dataset)
    store = prediction.preprocess(cohort.dataset, prepared.plan.spec.preprocessing, lambda _: None)

    def read(rows: NDArray) -> NDArray[np.float32]:
        return store.images()[rows].astype(np.float32) * np.float32(store.scale)

    rows = {side: _some(cohort.rows(side)) for side in data.SIDES}
    kept = np.concatenate([rows["train"], rows["validation"]])
    images, tests = read(kept), read(rows["test"])
    made, sides = embed(explainer.network, images), cohort.sides[kept]
    spread = np.maximum(made[sides == "train"].std(axis=0), 1e-6)
    ids = cohort.dataset.table["id"].astype(str).to_numpy(dtype=str)[kept]
    raw = Reference(
        ids=ids,
        labels=requests.labels(cohort)[kept],
        sides=sides.astype(str),
        embeddings=made / spread,
        coarse=_coarse(images),
        pictures=np.stack([_small(image) for image in images]),
        spread=spread,
        limits=np.ones(2),
        false_alarms=np.zeros(2, np.int64),
    )
    return _limited(raw, embed(explainer.network, tests), tests)


def _limited(raw: Reference, made: NDArray, tests: NDArray[np.float32]) -> Reference:
    """Set the limits on the validation images, and count the test images beyond them."""
    validation = raw.sides == "validation"
    own = raw._distances(raw.embeddings[validation] * raw.spread, raw.coarse[validation])
    limits = np.maximum(np.quantile(own, 1 - BEYOND, axis=0), 1e-9)
    beyond = (raw._distances(made, _coarse(tests)) > limits).any(axis=1)
    counts = np.array([beyond.sum(), len(tests)])
    return Reference(**{**vars(raw), "limits": limits, "false_alarms": counts})


def save(reference: Reference, path: Path) -> None:
    """Write it as `.npz`, whole or not at all."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **vars(reference))
    partial.replace(path)


def load(path: Path) -> Reference:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as found:
        return Reference(**{name: found[name] for name in found.files})


def _some(rows: NDArray) -> NDArray:
    if len(rows) <= MOST:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))


def _mean_nearest(known: NDArray, asked: NDArray) -> NDArray[np.float64]:
    """Mean distance of each asked vector to its nearest known ones."""
    found = np.empty(len(asked))
    for place, one in enumerate(asked):
        away = np.linalg.norm(known - one, axis=1)
        found[place] = np.partition(away, min(NEIGHBOURS, len(away)) - 1)[:NEIGHBOURS].mean()
    return found


def _coarse(images: NDArray[np.float32]) -> NDArray[np.float32]:
    size = (COARSE, COARSE)
    small = [cv2.resize(image.mean(axis=2), size, interpolation=cv2.INTER_AREA) for image in images]
    flat = np.stack(small).reshape(len(images), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)


def _small(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    grey = image.mean(axis=2)
    share = min(1.0, SMALL / max(grey.shape))
    size: Sequence[int] = [max(1, round(side * share)) for side in grey.shape[::-1]]
    return np.round(cv2.resize(grey, size, interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
