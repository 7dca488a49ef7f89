"""Numbers that combine sensitivity and specificity: Matthews correlation, likelihood ratios."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confusion import CLASSES, Confusion
from .estimate import FLAT, Estimate, Fallback, Sample
from .intervals import wilson

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Combination:
    """A number that sensitivity, specificity and prevalence decide.

    Args:
        formula: of the three, each (k,); rises or falls with each of the first two.
        needs: the images without which it divides by 0, as `Confusion.groups` names them.
    """

    formula: Callable[[_Array, _Array, _Array], _Array]
    needs: tuple[str, ...]


def _matthews(sensitivity: _Array, specificity: _Array, prevalence: _Array) -> _Array:
    called = prevalence * sensitivity + (1 - prevalence) * (1 - specificity)
    cleared = prevalence * (1 - sensitivity) + (1 - prevalence) * specificity
    spread = np.sqrt(prevalence * (1 - prevalence) / (called * cleared))
    return (sensitivity + specificity - 1) * spread


def _lr_positive(sensitivity: _Array, specificity: _Array, _: _Array) -> _Array:
    return sensitivity / (1 - specificity)


def _lr_negative(sensitivity: _Array, specificity: _Array, _: _Array) -> _Array:
    return (1 - sensitivity) / specificity


COMBINATIONS = {
    "mcc": Combination(_matthews, ("image called positive", "image called negative")),
    "lr_positive": Combination(_lr_positive, ("false positive",)),
    "lr_negative": Combination(_lr_negative, ("true negative",)),
}


def combined(
    sample: Sample, confusion: Confusion, what: Combination, prevalence: float | None = None
) -> Estimate:
    """Estimate a combination from the same resamples as sensitivity and specificity.

    Args:
        sample: whose images were counted.
        confusion: the counts.
        what: to be worked out.
        prevalence: in (0, 1); that of the images, and of each resample, if not given.

    Source:
        Matthews, Biochim Biophys Acta 405 (1975), 442-451; Deeks and Altman, BMJ 329 (2004),
        168-169.
    """
    lost = confusion.lacking(*CLASSES) or confusion.lacking(*what.needs)
    if lost:
        return sample.not_estimable(lost)
    value = float(_worked(confusion.cells[None], what, prevalence)[0])
    resampled = _worked(confusion.resampled, what, prevalence)
    groups = {name: confusion.groups[name] for name in (*CLASSES, *what.needs)}

    def corners() -> Fallback:
        return _corners(sample, confusion, what, prevalence)

    return sample.estimated(value, resampled, groups, corners)


def _worked(cells: _Array, what: Combination, prevalence: float | None) -> _Array:
    """(k, 4) cells become (k,) numbers; NaN where something is divided by 0."""
    cleared, alarms, missed, found = cells.T
    ill, well = missed + found, cleared + alarms
    with np.errstate(divide="ignore", invalid="ignore"):
        share = ill / (ill + well) if prevalence is None else np.full(len(cells), prevalence)
        numbers = what.formula(found / ill, cleared / well, share)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _corners(
    sample: Sample, confusion: Confusion, what: Combination, prevalence: float | None
) -> Fallback:
    """The worst and the best that the score intervals of both rates allow."""
    cleared, alarms, missed, found = confusion.cells
    ill, well = (sample.predictions.patients_with(confusion.groups[name]) for name in CLASSES)
    confidence = sample.bootstrap.confidence
    first = wilson(found / (missed + found), ill, confidence)
    second = wilson(cleared / (cleared + alarms), well, confidence)
    pairs = np.array([(one, other) for one in first for other in second])
    share = (missed + found) / len(sample.predictions) if prevalence is None else prevalence
    numbers = what.formula(pairs[:, 0], pairs[:, 1], np.full(4, share))
    method = f"Wilson scores of both rates, {ill} and {well} patients as trials, worst and best"
    return Fallback((float(numbers.min()), float(numbers.max())), method, FLAT)
