"""For whom predictions are good: the metrics again, group by group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .estimate import Estimate
from .intervals import Bootstrap
from .metrics import measure
from .predictions import Predictions

UNKNOWN = "unknown"
_ENOUGH = 10  # positives, and negatives: below it a number says more about luck than about a model
_BANDS = ((0, 18, "0-17"), (18, 40, "18-39"), (40, 65, "40-64"), (65, np.inf, "65 and over"))


@dataclass(frozen=True)
class Subgroup:
    """One group: its counts, and its metrics unless it is too small for any.

    Args:
        images: how many images the group has.
        patients: how many patients.
        positives: how many of the images are of the positive class.
        metrics: as `measure` gives them, or None where the group is too small.
    """

    images: int
    patients: int
    positives: int
    metrics: dict[str, Estimate] | None

    @property
    def too_few(self) -> bool:
        """Whether the group has fewer than 10 positives or fewer than 10 negatives."""
        return self.metrics is None


def measure_groups(
    predictions: Predictions,
    groups: Sequence[Any],
    threshold: float = 0.5,
    bootstrap: Bootstrap | None = None,
) -> dict[str, Subgroup]:
    """Measure each group of images apart, at the one threshold that all share.

    Args:
        predictions: of n images.
        groups: (n,), the group of each image; a missing value is the group "unknown".
        threshold: a probability at or above it is called positive.
        bootstrap: how to make the intervals; 2,000 resamples if not given.

    Returns:
        The groups by name, sorted, "unknown" last.

    Raises:
        ValueError: there are more or fewer `groups` than predictions.
    """
    if len(groups) != len(predictions):
        raise ValueError(
            f"Each image needs one group; got {len(groups)} groups for {len(predictions)} images."
        )
    names = np.array([_name(group) for group in groups])
    order = sorted(set(names.tolist()), key=lambda name: (name == UNKNOWN, name))
    bootstrap = bootstrap or Bootstrap()
    return {
        name: _measured(predictions.where(names == name), threshold, bootstrap) for name in order
    }


def age_bands(ages: Iterable[Any]) -> list[str]:
    """The age band of each age in years; "unknown" where it is missing or not in [0, 120].

    ChestX-ray14 holds ages such as 411 years: typing errors, which belong to no band.
    """
    years = pd.to_numeric(pd.Series(list(ages), dtype=object), errors="coerce")
    return [_band(float(age)) for age in years]


def _name(group: Any) -> str:
    missing = pd.isna(group) or not str(group).strip()
    return UNKNOWN if missing else str(group).strip()


def _measured(predictions: Predictions, threshold: float, bootstrap: Bootstrap) -> Subgroup:
    metrics = None
    if min(predictions.positives, predictions.negatives) >= _ENOUGH:
        how = bootstrap.resamples, bootstrap.confidence, bootstrap.seed
        metrics = measure(predictions, threshold, *how)
    counts = len(predictions), predictions.patient_count, predictions.positives
    return Subgroup(*counts, metrics)


def _band(age: float) -> str:
    if not 0 <= age <= 120:
        return UNKNOWN
    return next(name for low, high, name in _BANDS if low <= age < high)
