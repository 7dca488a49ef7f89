"""What is gained by leaving the least sure images to people: errors by share that is judged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimate import SAME, Estimate, Fallback, Sample
from .intervals import Bootstrap
from .predictions import Predictions

_GRID = np.arange(1, 101) / 100
_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RiskCoverageCurve:
    """The share of wrong calls among the surest images, by the share that is judged; (100,) each.

    `low` and `high` bound the risk at each coverage (pointwise); `note` says what a reader must
    know of them.
    """

    coverage: _Array
    risk: _Array
    low: _Array
    high: _Array
    note: str


def confidences(probabilities: _Array, threshold: float) -> _Array:
    """How sure a call is, in [0, 1]: the way from the threshold to the end, as a share of it.

    (p - threshold) / (1 - threshold) for a call of positive, (threshold - p) / threshold for one
    of negative. At 0.5 this orders the images as the larger of p and 1 - p does, the "softmax
    response" of Geifman and El-Yaniv, NeurIPS 2017; at another threshold it lets a call on the
    very threshold be the least sure, which that would not.
    """
    called = probabilities >= threshold
    way = np.where(called, 1 - threshold, threshold)
    gap = np.abs(probabilities - threshold)
    sure = np.divide(gap, way, out=np.zeros_like(gap), where=way > 0)
    return np.asarray(
        sure.round(12)
    )  # 0.4 and 0.6 are equally far from 0.5, but for their last bit


def risk_coverage(
    predictions: Predictions, threshold: float, bootstrap: Bootstrap | None = None
) -> RiskCoverageCurve:
    """The risk-coverage curve of the calls at a threshold, with a band over resampled patients.

    Equally sure images enter together: within them the errors grow evenly.

    Source:
        El-Yaniv and Wiener, JMLR 11 (2010), 1605-1641.
    """
    bootstrap, ranked = bootstrap or Bootstrap(), _rank(predictions, threshold)
    patients = predictions.patient_count
    draws = bootstrap.draws(patients, len(predictions))
    curves = np.vstack([_curves(*ranked.cumulated(draw)) for draw in draws])
    risk = _curves(*ranked.cumulated(np.ones((patients, 1))))[0]
    note = "" if patients > 1 else "the band means nothing: the images are of one patient only"
    return RiskCoverageCurve(_GRID, risk, *bootstrap.band(curves, patients), note)


def area_under_risk(
    predictions: Predictions, threshold: float, bootstrap: Bootstrap | None = None
) -> Estimate:
    """The mean risk over all coverages (AURC), in [0, 1]; lower is better.

    Source:
        Geifman, Uziel and El-Yaniv, ICLR 2019, equation 1.
    """
    sample, ranked = Sample(predictions, bootstrap or Bootstrap()), _rank(predictions, threshold)
    patients = predictions.patient_count
    value = float(_area(ranked, np.ones((patients, 1)))[0])
    draws = sample.bootstrap.draws(patients, len(predictions))
    resampled = np.concatenate([_area(ranked, draw) for draw in draws])
    everything = {"image": np.ones(len(predictions), dtype=bool)}
    return sample.estimated(value, resampled, everything, lambda: Fallback(None, "none", SAME))


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Images by falling confidence: the patient of each and whether its call is wrong, (n,);
    `ends` is the last place of each group of equally sure ones."""

    codes: NDArray[np.intp]
    wrong: NDArray[np.bool_]
    ends: NDArray[np.intp]

    def cumulated(self, weights: _Array) -> tuple[_Array, _Array]:
        """Images and errors up to the end of each group, (groups, k), of (patients, k) weights."""
        each = weights[self.codes]
        images = each.cumsum(axis=0)[self.ends]
        return images, (each * self.wrong[:, None]).cumsum(axis=0)[self.ends]


def _rank(predictions: Predictions, threshold: float) -> _Ranked:
    sure = confidences(predictions.probabilities, threshold)
    order = np.argsort(-sure, kind="stable")
    wrong = (predictions.probabilities >= threshold) != (predictions.labels == 1)
    ends = np.append(np.flatnonzero(np.diff(sure[order])), len(order) - 1)
    return _Ranked(predictions.patient_codes[order], wrong[order], ends)


def _curves(images: _Array, errors: _Array) -> _Array:
    """(k, 100): the risk at each coverage of the grid, from (groups, k) cumulated counts."""
    risks = []
    for judged, wrong in zip(images.T, errors.T, strict=True):
        wanted = _GRID * judged[-1]
        risks.append(np.interp(wanted, np.append(0, judged), np.append(0, wrong)) / wanted)
    return np.array(risks)


def _area(ranked: _Ranked, weights: _Array) -> _Array:
    """(k,): the mean of the risk after 1, 2, ... all images, of (patients, k) weights.

    Within a group of w images of which e are wrong, after W before it with E wrong, the risk
    after j more is (E + j e / w) / (W + j). The sum of these over j is
    e + (E - W e / w) (H(W + w) - H(W)), where H(m) = 1 + 1/2 + ... + 1/m; and an error before
    the group adds H of all less H at the end of its own. So only groups with errors count.
    """
    rows = np.flatnonzero(ranked.wrong)
    if not len(rows):
        return np.zeros(weights.shape[1])
    groups, first = np.unique(np.searchsorted(ranked.ends, rows), return_index=True)
    wrong = np.add.reduceat(weights[ranked.codes[rows]], first, axis=0)
    images = np.zeros((len(ranked.codes) + 1, weights.shape[1]), dtype=np.int32)
    np.cumsum(weights[ranked.codes].astype(np.int32), axis=0, out=images[1:])
    ends = np.append(0, ranked.ends + 1)
    upto, before = images[ends[groups + 1]], images[ends[groups]]
    harmonic = np.append(0, np.cumsum(1 / np.arange(1, images[-1].max() + 1)))
    size = upto - before
    rate = np.divide(wrong, size, out=np.zeros_like(wrong), where=size > 0)
    later = wrong * (1 + harmonic[images[-1]] - harmonic[upto])
    return np.asarray(
        (later - before * rate * (harmonic[upto] - harmonic[before])).sum(axis=0) / images[-1]
    )
