"""The images of a run that its heatmaps are tried on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..experiments import data, prediction
from ..preprocessing import Dataset
from .explainer import Prepared

SEED = 0


@dataclass(frozen=True, eq=False)
class Subjects:
    """Images of the test side of a run.

    Attributes:
        ids: as the dataset names them.
        images: (n, rows, columns, channels) as the network takes them.
        positive: (n,), whether each is of the positive class.
        patients: (n,), whose each is.
        lesions: (rows, columns) of each, True on the lesion; None where that is not known.
    """

    ids: tuple[str, ...]
    images: NDArray[np.float32]
    positive: NDArray[np.bool_]
    patients: NDArray
    lesions: tuple[NDArray[np.bool_] | None, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def some(self, kept: NDArray) -> "Subjects":
        """Those at some places."""
        places = np.arange(len(self))[kept]
        return Subjects(
            tuple(self.ids[place] for place in places),
            self.images[places],
            self.positive[places],
            self.patients[places],
            tuple(self.lesions[place] for place in places),
        )

    def sample(self, count: int) -> "Subjects":
        """At most so many, drawn at random but always the same ones, in order."""
        if len(self) <= count:
            return self
        drawn = np.random.default_rng(SEED).choice(len(self), count, replace=False)
        return self.some(np.sort(drawn))


def of_test(prepared: Prepared) -> Subjects:
    """All test images of a run, with their lesions where the dataset knows them.

    Raises:
        DataError: the dataset cannot be read, or is another one now.
    """
    plan = prepared.plan
    cohort = data.load(plan.spec.dataset)
    dataset = cohort.dataset
    prepared.check_dataset(dataset)
    store = prediction.preprocess(dataset, plan.spec.preprocessing, lambda event: None)
    rows = cohort.rows("test")
    lesion = _lesions(dataset, prepared)
    return Subjects(
        tuple(dataset.table["id"].astype(str).iloc[rows]),
        store.images()[rows].astype(np.float32) * np.float32(store.scale),
        cohort.labels[rows] == len(dataset.classes) - 1,
        cohort.patients[rows],
        tuple(lesion(int(row)) for row in rows),
    )


def _lesions(dataset: Dataset, prepared: Prepared) -> Callable[[int], NDArray[np.bool_] | None]:
    """What gives the lesion of a row as the network sees it, from its mask or its box."""
    table = dataset.table
    names = ["box_x0", "box_y0", "box_x1", "box_y1"]
    boxes = table[names].to_numpy(float) if set(names) <= set(table) else None

    def of_row(row: int) -> NDArray[np.bool_] | None:
        if dataset.masks is not None:
            mask = dataset.masks(row)
        elif boxes is not None and np.isfinite(boxes[row]).all():
            left, top, right, bottom = boxes[row]
            mask = np.zeros(dataset.read(row).shape, bool)
            mask[round(top) : round(bottom), round(left) : round(right)] = True
        else:
            mask = None
        if mask is None:
            return None
        seen = prepared.pipeline.moved(mask)
        return seen if seen.any() else None

    return of_row
