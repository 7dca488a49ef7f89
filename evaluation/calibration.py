"""Whether a probability means what it says: the reliability curve and its mean error."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .estimate import FLAT, NO_WIDTH, SAME, Estimate, Fallback, Sample
from .intervals import Bootstrap, wilson
from .predictions import Predictions

BINS = 10
_FEWEST = 10  # images a bin, where there are enough of them


@dataclass(frozen=True)
class Bin:
    """The images of one range of probabilities.

    Args:
        low: the smallest probability among them.
        high: the largest.
        probability: the mean: what was promised.
        share: of the truly positive among them: what came; it counts the images of the bin.
    """

    low: float
    high: float
    probability: float
    share: Estimate


@dataclass(frozen=True)
class Reliability:
    """The reliability curve and the expected calibration error over the same bins."""

    bins: tuple[Bin, ...]
    ece: Estimate


def reliability(
    predictions: Predictions, bootstrap: Bootstrap | None = None, bins: int = BINS
) -> Reliability:
    """Compare promised and observed shares in bins of equal mass.

    The edges are quantiles of the probabilities, fewer where there are not 10 images a bin. An
    image on an edge belongs below it, so that equal probabilities are never parted, and a bin
    that ties leave empty is dropped. The resamples keep these edges.

    Args:
        predictions: of one or both classes.
        bootstrap: how the intervals are made; 2,000 resamples if not given.
        bins: how many, at most.

    Source:
        Murphy and Winkler, Appl Stat 26 (1977), 41-47; Naeini et al., AAAI 2015, for the error;
        Nixon et al., CVPR workshops 2019, for bins of equal mass.
    """
    sample = Sample(predictions, bootstrap or Bootstrap())
    binned = _bin(sample, bins)
    found = tuple(_measured(sample, binned, place) for place in range(binned.totals.shape[1]))
    return Reliability(found, _error(sample, binned))


@dataclass(frozen=True, eq=False)
class _Binned:
    """`place` (images,): the bin of each; sums of images, positives and probabilities a bin:
    `totals` (3, bins) as they are and `resampled` (resamples, 3, bins)."""

    place: NDArray[np.intp]
    totals: NDArray[np.float64]
    resampled: NDArray[np.float64]


def _bin(sample: Sample, bins: int) -> _Binned:
    predictions = sample.predictions
    probabilities, codes = predictions.probabilities, predictions.patient_codes
    wanted = max(1, min(bins, len(predictions) // _FEWEST))
    edges = np.quantile(probabilities, np.linspace(0, 1, wanted + 1)[1:-1])
    place = np.unique(np.searchsorted(edges, probabilities), return_inverse=True)[1]
    used, patients = int(place.max()) + 1, predictions.patient_count
    each = codes * used + place
    sums = [
        np.bincount(each, weights, patients * used).reshape(patients, used)
        for weights in (None, predictions.labels, probabilities)
    ]
    by_patient = np.stack(sums, axis=1).astype(float)
    resampled = sample.bootstrap.sums(by_patient.reshape(patients, -1)).reshape(-1, 3, used)
    return _Binned(place, by_patient.sum(axis=0), resampled)


def _measured(sample: Sample, binned: _Binned, place: int) -> Bin:
    inside = binned.place == place
    images, positives, promised = binned.totals[:, place].tolist()
    drawn, ill, _ = binned.resampled[:, :, place].T
    shares = np.divide(ill, drawn, out=np.full(len(drawn), np.nan), where=drawn > 0)
    patients, confidence = sample.predictions.patients_with(inside), sample.bootstrap.confidence

    def score() -> Fallback:
        bounds = wilson(positives / images, patients, confidence)
        return Fallback(bounds, f"Wilson score, {patients} patients as trials", FLAT)

    share = sample.estimated(positives / images, shares, {"image": inside}, score)
    share = replace(share, images=int(images), patients=patients, positives=int(positives))
    probabilities = sample.predictions.probabilities[inside]
    ends = float(probabilities.min()), float(probabilities.max())
    return Bin(*ends, promised / images, share)


def _error(sample: Sample, binned: _Binned) -> Estimate:
    """Resampling adds to the error what sampling had added to it: the interval is mirrored.

    It begins at 0 where probabilities that are right would give an error of this size by chance.
    """
    gaps, resampled = _gaps(binned.totals[None])[0], _gaps(binned.resampled)
    value = float(np.abs(gaps).sum())
    low, high = sample.bootstrap.percentiles(
        np.abs(resampled).sum(axis=1), max(2, sample.predictions.patient_count)
    )
    chance = np.abs(resampled - gaps).sum(axis=1)
    by_chance = value <= np.quantile(chance, sample.bootstrap.confidence)
    least = 0.0 if by_chance else max(0.0, min(value, 2 * value - high))
    bounds = least, min(1.0, max(value, 2 * value - low))
    resamples = sample.bootstrap.resamples
    method = f"patient bootstrap, basic, from 0 where chance explains it, {resamples} resamples"
    flat = high - low <= NO_WIDTH
    interval = Fallback(None, "none", SAME) if flat else Fallback(bounds, method)
    found = sample.bounded(value, interval, {"image": np.full(len(binned.place), fill_value=True)})
    how = "" if found.low is None else f"; {found.method}"
    return replace(found, method=f"{binned.totals.shape[1]} bins of equal mass{how}")


def _gaps(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, 3, bins) sums become (k, bins): observed less promised positives, an image."""
    return np.asarray((sums[:, 1] - sums[:, 2]) / sums[:, 0].sum(axis=1, keepdims=True))
