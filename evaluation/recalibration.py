"""How far the log odds are from right: the slope and intercept of logistic recalibration."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import t as student

from .confusion import CLASSES
from .estimate import Estimate, Fallback, Sample
from .intervals import Bootstrap
from .predictions import Predictions

CLIP = 1e-6  # a probability of 0 or 1 has no logit
_WIDEST = 100.0  # log odds; an interval of that width holds every probability
_ALIKE = 1e-4  # log odds; over a lesser range the best slope is lost in rounding


def logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds of probabilities, which are clipped to [1e-6, 1 - 1e-6] first."""
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def slope(predictions: Predictions, bootstrap: Bootstrap | None = None) -> Estimate:
    """The slope of the truth on the log odds: 1 is right, below 1 the model is overconfident.

    Args:
        predictions: of both classes, else it is not estimable.
        bootstrap: its confidence is used; the interval is a sandwich, not resampled.

    Source:
        Cox, Biometrika 45 (1958), 562-565; Van Calster et al., BMC Med 17 (2019), 230.
    """
    sample, odds = Sample(predictions, bootstrap or Bootstrap()), logits(predictions.probabilities)
    ill, well = odds[predictions.labels == 1], odds[predictions.labels == 0]
    why = _one_class(predictions)
    spread = float(np.ptp(odds))
    if not why and spread < _ALIKE:
        why = f"all probabilities are {'almost ' if spread else ''}equal"
    if not why and (ill.min() >= well.max() or ill.max() <= well.min()):
        why = "the probabilities separate the classes, so that no finite slope fits best"
    if why:
        return sample.not_estimable(why)
    return _fitted(sample, np.column_stack([np.ones(len(odds)), odds]), np.zeros(len(odds)))


def intercept(predictions: Predictions, bootstrap: Bootstrap | None = None) -> Estimate:
    """Calibration in the large, in log odds: 0 is right, below 0 the probabilities are too high.

    The slope is held at 1; arguments and source as for `slope`.
    """
    sample = Sample(predictions, bootstrap or Bootstrap())
    why = _one_class(predictions)
    if why:
        return sample.not_estimable(why)
    return _fitted(sample, np.ones((len(predictions), 1)), logits(predictions.probabilities))


def _one_class(predictions: Predictions) -> str:
    counts = zip(CLASSES, (predictions.positives, predictions.negatives), strict=True)
    return " and ".join(f"there is no {name}" for name, count in counts if not count)


def _fitted(sample: Sample, design: NDArray[np.float64], offset: NDArray[np.float64]) -> Estimate:
    """The last coefficient of a logistic regression with a sandwich interval.

    Its interval is that of Liang and Zeger, Biometrika 73 (1986), 13-22, with patients as
    clusters and Student's t with one degree of freedom less than there are patients.
    """
    predictions, patients = sample.predictions, sample.predictions.patient_count
    found = _coefficients(predictions.labels, design, offset)
    value, spread = float(found[-1]), _sandwich(predictions, design, offset + design @ found)
    width = spread * float(student.ppf(0.5 + sample.bootstrap.confidence / 2, max(1, patients - 1)))
    method = f"sandwich with patients as clusters; log odds of {CLIP:g} to 1 - {CLIP:g}"
    interval = Fallback((value - width, value + width), method)
    if width > _WIDEST:
        sloped = "too alike, or all but separate the classes"
        why = "too near to 0 and 1" if design.shape[1] == 1 else sloped
        interval = Fallback(None, "none", f"no interval: the probabilities are {why}")
    groups = dict(zip(CLASSES, (predictions.labels == 1, predictions.labels == 0), strict=True))
    return sample.bounded(value, interval, groups)


def _coefficients(
    labels: NDArray[np.int8], design: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(k,) of the smallest log loss; statsmodels' own steps overflow where scores are extreme."""

    def log_loss(tried: NDArray[np.float64]) -> float:
        odds = offset + design @ tried
        return float((np.logaddexp(0, odds) - labels * odds).mean())

    def gradient(tried: NDArray[np.float64]) -> NDArray[np.float64]:
        return design.T @ (expit(offset + design @ tried) - labels) / len(labels)

    def curvature(tried: NDArray[np.float64]) -> NDArray[np.float64]:
        return _information(design, expit(offset + design @ tried)) / len(labels)

    start = np.zeros(design.shape[1])
    fit = minimize(
        log_loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-9}
    )
    return np.asarray(fit.x)


def _sandwich(
    predictions: Predictions, design: NDArray[np.float64], odds: NDArray[np.float64]
) -> float:
    """The standard error of the last coefficient; infinite where nothing holds it."""
    mean = expit(odds)
    each = design * (predictions.labels - mean)[:, None]
    patients, (images, terms) = predictions.patient_count, design.shape
    scores = np.zeros((patients, terms))
    np.add.at(scores, predictions.patient_codes, each)
    information = _information(design, mean)
    if patients < 2 or np.linalg.cond(information) > 1e12:
        return float("inf")
    bread = np.linalg.inv(information)
    few = patients / (patients - 1) * (images - 1) / (images - terms)
    return float(np.sqrt(few * (bread @ scores.T @ scores @ bread)[-1, -1]))


def _information(design: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(design.T @ (design * (mean * (1 - mean))[:, None]))
