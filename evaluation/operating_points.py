"""Where to cut: thresholds chosen on the validation images, to be applied to the test images.

Every rule picks among the validation probabilities themselves. Choosing on the test images would
make the test result look better than it is, so no rule here should ever be given them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .predictions import Predictions


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with its origin.

    Args:
        name: short, unique in a report: "sensitivity >= 0.95".
        threshold: a probability at or above it is called positive.
        rule: how it was chosen, as a sentence's end.
        chosen_on: the split it was chosen on, or "beforehand".
    """

    name: str
    threshold: float
    rule: str
    chosen_on: str = "validation"


def fixed(threshold: float) -> OperatingPoint:
    """A threshold that was set before any image was seen."""
    return OperatingPoint(f"threshold {threshold:g}", threshold, "fixed", "beforehand")


def max_youden(validation: Predictions) -> OperatingPoint:
    """The threshold with the largest sensitivity + specificity - 1.

    Of several that are equally good the smallest, for a missed patient is worse than a
    false alarm.

    Raises:
        ValueError: the predictions have one class only.

    Source:
        Youden, Cancer 3 (1950), 32-35.
    """
    cuts = _cuts(validation)
    index = cuts.sensitivity - cuts.false_positive_rate
    threshold = float(cuts.thresholds[_best(index)])
    return OperatingPoint("max Youden", threshold, "largest sensitivity + specificity - 1")


def target_sensitivity(validation: Predictions, target: float) -> OperatingPoint:
    """The largest threshold that reaches a sensitivity (recall), so the fewest false alarms.

    Raises:
        ValueError: the predictions have one class only, or `target` is not in (0, 1].
    """
    cuts = _cuts(validation, target)
    reached = cuts.thresholds[cuts.sensitivity >= target - _ROUNDING]
    rule = f"largest threshold with sensitivity (recall) of at least {target:g}"
    return OperatingPoint(f"sensitivity >= {target:g}", float(reached.max()), rule)


def target_specificity(validation: Predictions, target: float) -> OperatingPoint:
    """The smallest threshold that reaches a specificity, so the fewest missed.

    Raises:
        ValueError: the predictions have one class only, or `target` is not in (0, 1].
    """
    cuts = _cuts(validation, target)
    reached = cuts.thresholds[1 - cuts.false_positive_rate >= target - _ROUNDING]
    rule = f"smallest threshold with specificity of at least {target:g}"
    return OperatingPoint(f"specificity >= {target:g}", float(reached.min()), rule)


def minimal_cost(validation: Predictions, miss_cost: float) -> OperatingPoint:
    """The threshold with the smallest expected cost, at the validation images' prevalence.

    Args:
        validation: the predictions to choose on.
        miss_cost: how many false alarms one missed positive is worth; above 0.

    Raises:
        ValueError: the predictions have one class only, or `miss_cost` is not above 0.

    Source:
        Metz, Semin Nucl Med 8 (1978), 283-298.
    """
    if not miss_cost > 0:
        raise ValueError(f"miss_cost must be above 0; got {miss_cost}.")
    cuts = _cuts(validation)
    missed = (1 - cuts.sensitivity) * validation.positives
    alarms = cuts.false_positive_rate * validation.negatives
    threshold = float(cuts.thresholds[_best(-(miss_cost * missed + alarms))])
    rule = f"smallest cost, a miss costing as much as {miss_cost:g} false alarms"
    return OperatingPoint(f"cost {miss_cost:g} to 1", threshold, rule)


_ROUNDING = 1e-9  # 0.9 of 10 is 9.0 or 9.000000000000002


@dataclass(frozen=True, eq=False)
class _Cuts:
    """Every threshold worth trying, falling, with what it gives."""

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positive_rate: NDArray[np.float64]


def _cuts(validation: Predictions, target: float = 1.0) -> _Cuts:
    if not validation.positives or not validation.negatives:
        raise ValueError("An operating point needs images of both classes to be chosen on.")
    if not 0 < target <= 1:
        raise ValueError(f"The target must lie in (0, 1]; got {target}.")
    values = np.unique(validation.probabilities)
    # one threshold above all probabilities: to call nothing positive may be the best to do
    thresholds = np.append(values, np.nextafter(values[-1], 2))[::-1]
    high = np.sort(validation.probabilities[validation.labels == 1])
    low = np.sort(validation.probabilities[validation.labels == 0])
    hits = len(high) - np.searchsorted(high, thresholds)
    alarms = len(low) - np.searchsorted(low, thresholds)
    return _Cuts(thresholds, hits / len(high), alarms / len(low))


def _best(gain: NDArray[np.float64]) -> int:
    """The last, hence smallest, of the thresholds that gain most."""
    return int(np.flatnonzero(gain >= gain.max() - _ROUNDING)[-1])
