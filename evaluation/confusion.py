"""The confusion matrix, counted patient by patient so that patients can be resampled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimate import Sample
from .predictions import Predictions

CLASSES = ("positive image", "negative image")


@dataclass(frozen=True, eq=False)
class Confusion:
    """One confusion matrix, as it is and resampled.

    The four cells are: true negative, false positive, false negative, true positive.

    Args:
        totals: (patients, 4), how many images of each patient lie in each cell.
        resampled: (resamples, 4), the sums over the patients that were drawn.
        groups: (images,) each: which images are of a class, were called so, and the like, by
            the words that a reader finds in a note.
    """

    totals: NDArray[np.float64]
    resampled: NDArray[np.float64]
    groups: dict[str, NDArray[np.bool_]]

    @property
    def cells(self) -> NDArray[np.float64]:
        """(4,): the matrix of the images as they are."""
        return self.totals.sum(axis=0)

    def lacking(self, *names: str) -> str:
        """Which of the named groups hold no image, as a sentence; empty if none does."""
        empty = [name for name in names if not self.groups[name].any()]
        return " and ".join(f"there is no {name}" for name in empty)


def confusion(sample: Sample, threshold: float) -> Confusion:
    """Count the images of a sample where a probability of `threshold` or more is positive."""
    predictions = sample.predictions
    ill, called = predictions.labels == 1, predictions.probabilities >= threshold
    patients = predictions.patient_count
    place = 4 * predictions.patient_codes + 2 * ill + called
    totals = np.bincount(place, minlength=4 * patients).reshape(patients, 4).astype(float)
    groups = {
        "image": np.ones(len(predictions), dtype=bool),
        "positive image": ill,
        "negative image": ~ill,
        "image called positive": called,
        "image called negative": ~called,
        "false positive": ~ill & called,
        "true negative": ~ill & ~called,
    }
    return Confusion(totals, sample.bootstrap.sums(totals), groups)


def called_positive(
    predictions: Predictions, thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many images of each patient and class each of many thresholds calls positive.

    Args:
        predictions: of images of one or more patients.
        thresholds: (k,), rising.

    Returns:
        (patients, 2, k): `[:, 0]` of the negative images, `[:, 1]` of the positive ones.
    """
    reached = np.searchsorted(thresholds, predictions.probabilities, side="right")
    steps, patients = len(thresholds) + 1, predictions.patient_count
    place = (2 * predictions.patient_codes + predictions.labels) * steps + reached
    counts = np.bincount(place, minlength=2 * patients * steps).reshape(patients, 2, steps)
    return counts[..., ::-1].cumsum(axis=-1)[..., -2::-1].astype(float)
