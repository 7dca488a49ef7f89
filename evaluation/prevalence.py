"""What a call would mean where the disease is rarer, or more common, than among our images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .combined import Combination, combined
from .confusion import Confusion
from .estimate import Estimate, Sample

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class PredictiveValues:
    """The predictive values at a stated prevalence.

    Args:
        ppv: the share of the truly positive among those called positive.
        npv: the share of the truly negative among those called negative.
    """

    ppv: Estimate
    npv: Estimate


def at_prevalence(sample: Sample, counted: Confusion, prevalence: float) -> PredictiveValues:
    """PPV and NPV where `prevalence` of the images are positive, by Bayes' theorem.

    It holds as far as sensitivity and specificity are the same there as here. The prevalence
    itself is taken as certain: the intervals are those of the two rates, from their resamples.

    Args:
        sample: images of both classes, else nothing is estimable.
        counted: as `confusion` counts them at a threshold.
        prevalence: the share of positives to reckon with, in (0, 1).

    Raises:
        ValueError: `prevalence` is out of range.

    Source:
        Altman and Bland, BMJ 309 (1994), 102.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence must lie between 0 and 1; got {prevalence}.")
    return PredictiveValues(
        combined(sample, counted, Combination(_ppv, ("image called positive",)), prevalence),
        combined(sample, counted, Combination(_npv, ("image called negative",)), prevalence),
    )


def _ppv(sensitivity: _Array, specificity: _Array, prevalence: _Array) -> _Array:
    found = sensitivity * prevalence
    return found / (found + (1 - specificity) * (1 - prevalence))


def _npv(sensitivity: _Array, specificity: _Array, prevalence: _Array) -> _Array:
    cleared = specificity * (1 - prevalence)
    return cleared / (cleared + (1 - sensitivity) * prevalence)
