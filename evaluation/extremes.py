"""Where the model is surest: the share right among the lowest and the highest probabilities."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .estimate import Estimate, Fallback, Sample
from .intervals import Bootstrap, wilson
from .predictions import Predictions

COUNTS = (10, 20, 25, 50)  # those of the thesis


@dataclass(frozen=True)
class Extreme:
    """The share right at both ends.

    Args:
        count: how many images were taken at each end.
        lowest: share truly negative among those with the lowest probabilities.
        highest: share truly positive among those with the highest.
    """

    count: int
    lowest: Estimate
    highest: Estimate


@dataclass(frozen=True)
class Extremes:
    """The extremes that fit, and the counts that do not: those of more than half of the images."""

    found: tuple[Extreme, ...]
    too_many: tuple[int, ...]


def extremes(
    predictions: Predictions,
    bootstrap: Bootstrap | None = None,
    counts: tuple[int, ...] = COUNTS,
) -> Extremes:
    """Measure the share right among the N images at each end of the order by probability.

    Of several images with the probability at the edge, each counts with the share of them that
    still fits, as if they were drawn by lot. A bootstrap of so few images, nearly all right,
    has no width; so the interval is Wilson's with patients as trials.

    Args:
        predictions: of one or both classes.
        bootstrap: only its confidence is used.
        counts: the numbers N to try.
    """
    sample = Sample(predictions, bootstrap or Bootstrap())
    fit = [count for count in counts if 2 * count <= len(predictions)]
    found = tuple(Extreme(count, *(_end(sample, count, end) for end in (0, 1))) for count in fit)
    return Extremes(found, tuple(count for count in counts if count not in fit))


def _end(sample: Sample, count: int, end: int) -> Estimate:
    """The share of label `end` (0 or 1) among the `count` images at that end."""
    predictions = sample.predictions
    chosen = _chances(predictions.probabilities if end else -predictions.probabilities, count)
    positives = float(chosen[predictions.labels == 1].sum())
    right = (positives if end else count - positives) / count
    patients = min(count, predictions.patients_with(chosen > 0))
    bounds = wilson(right, patients, sample.bootstrap.confidence)
    method = f"Wilson score, {patients} patients as trials"
    found = sample.bounded(right, Fallback(bounds, method), {"image": chosen > 0})
    return replace(found, images=count, patients=patients, positives=round(positives))


def _chances(ranks: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(images,): the chance of each to be among the `count` with the largest ranks."""
    edge = np.partition(ranks, -count)[-count]
    inside, tied = ranks > edge, ranks == edge
    return inside + tied * (count - inside.sum()) / tied.sum()
