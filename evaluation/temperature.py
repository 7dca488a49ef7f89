"""Temperature scaling: one number, fitted on validation, that makes scores into probabilities."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from .predictions import Predictions
from .recalibration import logits

LOWEST, HIGHEST = 0.05, 20.0


@dataclass(frozen=True)
class Temperature:
    """What the log odds are divided by.

    Args:
        value: in [0.05, 20]; above 1 the model was overconfident. None where it cannot be
            fitted; `note` then says why.
        images: how many it was fitted on.
        patients: how many patients they show.
        positives: how many of the images are positive.
        note: what a reader must know of it; often empty.
    """

    value: float | None
    images: int
    patients: int
    positives: int
    note: str = ""


def fit_temperature(validation: Predictions) -> Temperature:
    """Find the temperature with the smallest log loss on the validation images.

    It is fitted on the log odds of the positive class. Images of one class alone have none; a
    probability of 0.5 everywhere has any, and gets 1.

    Source:
        Guo et al., On calibration of modern neural networks, ICML 2017, section 4.2.
    """
    counts = len(validation), validation.patient_count, validation.positives
    if not validation.positives or not validation.negatives:
        return Temperature(None, *counts, "not estimable: the validation images are of one class")
    odds = logits(validation.probabilities)
    if not odds.any():
        return Temperature(1.0, *counts, "every probability is 0.5, which no temperature changes")
    signed = np.where(validation.labels == 1, odds, -odds)

    def log_loss(logarithm: float) -> float:
        return float(np.logaddexp(0, -signed / np.exp(logarithm)).mean())

    bounds = float(np.log(LOWEST)), float(np.log(HIGHEST))
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return Temperature(*_within(float(np.exp(found.x)), counts))


def _within(value: float, counts: tuple[int, int, int]) -> tuple[float, int, int, int, str]:
    for bound, name in ((LOWEST, "lower"), (HIGHEST, "upper")):
        if abs(value / bound - 1) < 1e-3:
            return bound, *counts, f"at the {name} bound {bound:g} of the search"
    return value, *counts, ""


def scaled(predictions: Predictions, temperature: float) -> Predictions:
    """The same images with probabilities at another temperature, in the same order.

    Those nearer to 0 or 1 than `logits` tells apart become equal.

    Raises:
        ValueError: `temperature` is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0; got {temperature}.")
    probabilities = expit(logits(predictions.probabilities) / temperature)
    return Predictions(predictions.labels, probabilities, predictions.patients.tolist())
