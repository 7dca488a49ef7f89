"""Areas under ROC curves of models on the same images, with the covariance between them.

Images of one patient resemble each other, so the variance is taken over patients. With one
image a patient it is the variance of DeLong, DeLong and Clarke-Pearson.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from .predictions import Predictions

_NOTHING = 1e-9  # areas and their errors below it are rounding


@dataclass(frozen=True)
class AreaDifference:
    """One area less another, on the same images.

    Args:
        value: in [-1, 1], or None where there is no area; `note` then says why.
        standard_error: at least 0, or None where it cannot be estimated; `note` says why.
        p_value: two-sided, of no difference; None as `standard_error`.
        note: what a reader must know; often empty.
    """

    value: float | None
    standard_error: float | None
    p_value: float | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas of k models and how they vary together.

    Args:
        values: (k,), in [0, 1]; NaN where a class is missing.
        covariance: (k, k), between patients; NaN where it cannot be estimated.
        note: why something is NaN; else empty.
    """

    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    note: str = ""

    def difference(self, first: int, second: int) -> AreaDifference:
        """The area of model `first` less that of model `second`, with its two-sided p value.

        Models that do not differ on any patient have the difference 0 and the p value 1.
        """
        value = float(self.values[first] - self.values[second])
        sign = np.zeros(len(self.values))
        sign[first] += 1
        sign[second] -= 1
        variance = float(sign @ self.covariance @ sign)
        if np.isnan(variance):
            return AreaDifference(None if np.isnan(value) else value, None, None, self.note)
        error = float(np.sqrt(max(variance, 0.0)))
        if error > _NOTHING:
            return AreaDifference(value, error, float(2 * norm.sf(abs(value) / error)))
        if abs(value) <= _NOTHING:
            return AreaDifference(0.0, 0.0, 1.0)
        return AreaDifference(value, 0.0, None, "no p value: neither area varies between patients")


def areas(models: Sequence[Sequence[Predictions]]) -> Areas:
    """The areas of models that were measured on the same images, and their covariance.

    Args:
        models: for each model its replicates, such as one training a seed; the area of a
            model is the mean over them. All hold the same images in the same order.

    Source:
        Obuchowski, Biometrics 53 (1997), 567-578, section 2; DeLong, DeLong and
        Clarke-Pearson, Biometrics 44 (1988), 837-845. An area is linear in its structural
        components, so those of a mean over replicates are the means of theirs.
    """
    images = models[0][0]
    why = _one_class(images)
    if why:
        nothing = np.full(len(models), np.nan)
        return Areas(nothing, np.full((len(models), len(models)), np.nan), why)
    components = np.array(
        [np.mean([_components(one) for one in model], axis=0) for model in models]
    )
    values = components[:, images.labels == 1].mean(axis=1)
    why = _alone(images)
    if why:
        return Areas(values, np.full((len(models), len(models)), np.nan), why)
    return Areas(values, _covariance(images, components - values[:, None]))


def _components(predictions: Predictions) -> NDArray[np.float64]:
    """(n,): the share of the images of the other class that each image is ranked right against."""
    positive, scores = predictions.labels == 1, predictions.probabilities
    among_all = rankdata(scores)
    found = np.empty(len(scores))
    below = among_all[positive] - rankdata(scores[positive])
    found[positive] = below / predictions.negatives
    below = among_all[~positive] - rankdata(scores[~positive])
    found[~positive] = 1 - below / predictions.positives
    return found


def _covariance(images: Predictions, centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of components (models, n) less the areas, summed by patient and by class."""
    positive = images.labels == 1
    ill, well = (_per_patient(images, centred * chosen) for chosen in (positive, ~positive))
    total = images.positives * images.negatives
    both = ill.T @ well
    return (
        _correction(images.patients_with(positive)) * (ill.T @ ill) / images.positives**2
        + _correction(images.patients_with(~positive)) * (well.T @ well) / images.negatives**2
        + _correction(images.patient_count) * (both + both.T) / total
    )


def _per_patient(images: Predictions, values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = [np.bincount(images.patient_codes, row, images.patient_count) for row in values]
    return np.array(sums, dtype=np.float64).T


def _correction(patients: int) -> float:
    return patients / (patients - 1)


def _one_class(images: Predictions) -> str:
    counts = {"positive": images.positives, "negative": images.negatives}
    missing = [f"there is no {name} image" for name, count in counts.items() if not count]
    return f"not estimable: {missing[0]}" if missing else ""


def _alone(images: Predictions) -> str:
    for name, label in (("positive", 1), ("negative", 0)):
        if images.patients_with(images.labels == label) < 2:
            return f"no interval and no p value: the {name} images are of one patient only"
    return ""
