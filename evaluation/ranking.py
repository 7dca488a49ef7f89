"""Areas under the ROC and precision-recall curves, for many weightings of the images at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .predictions import Predictions


@dataclass(frozen=True, eq=False)
class Ranking:
    """Images sorted by probability once, so that each resample costs only sums.

    `positives` and `negatives` hold the patient codes of the images of each class by rising
    probability. For each positive image, `negatives_below` and `positives_below` count the
    images with a smaller probability, `negatives_upto` those with a smaller or equal one.
    """

    positives: NDArray[np.intp]
    negatives: NDArray[np.intp]
    negatives_below: NDArray[np.intp]
    negatives_upto: NDArray[np.intp]
    positives_below: NDArray[np.intp]

    def areas(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ROC area and the average precision of each weighting.

        Args:
            weights: (patients, k): how often each patient counts in each of k resamples.

        Returns:
            (2, k): the area under the ROC curve, where equal probabilities count half, and
            average precision as scikit-learn defines it; NaN where a class is missing.

        Source:
            Hanley and McNeil, Radiology 143 (1982), 29-36; scikit-learn's user guide,
            `average_precision_score`.
        """
        weight = weights[self.positives]
        negatives = _running(weights[self.negatives])
        positives = _running(weight)
        below = negatives[self.negatives_below]
        wins = np.einsum("ij,ij->j", weight, below + negatives[self.negatives_upto]) / 2
        hits = positives[-1] - positives[self.positives_below]
        called = hits + negatives[-1] - below
        # a positive of weight 0 above all others is called by nobody; it adds nothing
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        found = np.einsum("ij,ij->j", weight, precision)
        both = (positives[-1] > 0) & (negatives[-1] > 0)
        scale = np.where(both, positives[-1], np.nan)
        return np.stack([wins / (scale * np.where(both, negatives[-1], 1)), found / scale])


def rank(predictions: Predictions) -> Ranking:
    """Sort predictions that have both classes."""
    order = np.argsort(predictions.probabilities, kind="stable")
    codes, scores = predictions.patient_codes[order], predictions.probabilities[order]
    positive = predictions.labels[order] == 1
    high, low = scores[positive], scores[~positive]
    return Ranking(
        positives=codes[positive],
        negatives=codes[~positive],
        negatives_below=np.searchsorted(low, high, side="left"),
        negatives_upto=np.searchsorted(low, high, side="right"),
        positives_below=np.searchsorted(high, high, side="left"),
    )


def _running(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=total[1:])
    return total
