"""How sure a number is: patient-level bootstrap, and score intervals where that says nothing.

Images of one patient resemble each other, so patients are resampled, never images. A
percentile interval has no width when every resample gives the same value (all correct, classes
perfectly separated); it would claim certainty, so a score interval stands in its place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

# 500,000 weights of 8 bytes stay in the cache of a core; 16 columns keep the loops of NumPy long.
_CELLS, _FEWEST = 500_000, 16


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: patients are drawn with replacement, `resamples` times.

    Args:
        resamples: at least 1; 2,000 is enough for the second decimal of a 95 % interval.
        confidence: in (0, 1).
        seed: the same seed and number of patients draw the same patients, so two models
            measured on the same images are resampled in pairs.

    Raises:
        ValueError: an argument is out of range.

    Source:
        Field and Welsh, Bootstrapping clustered data, JRSS B 69 (2007), 369-390.
    """

    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise ValueError(f"resamples must be at least 1; got {self.resamples}.")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1; got {self.confidence}.")

    def draws(self, patients: int, images: int) -> Iterator[NDArray[np.float64]]:
        """How often each patient was drawn, in chunks of (patients, resamples of the chunk).

        The draws do not depend on `images`, which only sizes the chunks.
        """
        random = np.random.default_rng(self.seed)
        chunk = max(_FEWEST, _CELLS // max(images, 1))
        for start in range(0, self.resamples, chunk):
            width = min(chunk, self.resamples - start)
            drawn = random.integers(patients, size=(width, patients))
            drawn += (np.arange(width) * patients)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=width * patients)
            yield counts.reshape(width, patients).T.astype(np.float64, order="C")

    def sums(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Resample what is summed per patient: (patients, k) becomes (resamples, k)."""
        patients = len(totals)
        return np.vstack([draw.T @ totals for draw in self.draws(patients, patients)])

    def percentiles(self, values: NDArray[np.float64], patients: int) -> tuple[float, float]:
        """The expanded percentile interval of resampled `values` (resamples,); NaN is left out.

        Args:
            patients: how many were drawn from, at least 2.
        """
        low, high = np.nanquantile(values, self.ends(patients))
        return float(low), float(high)

    def band(
        self, curves: NDArray[np.float64], patients: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same for each point of `curves` (resamples, k), (k,) each; one with NaN is left out.

        Of one patient there is no spread to tell: both bounds are then that of all resamples.
        """
        whole = curves[np.isfinite(curves).all(axis=1)]
        if not len(whole):
            nothing = np.full(curves.shape[1], np.nan)
            return nothing, nothing
        low, high = np.quantile(whole, self.ends(max(patients, 2)), axis=0)
        return low, high

    def ends(self, patients: int) -> tuple[float, float]:
        """Which quantiles of the resamples bound the interval.

        Resamples of n patients vary less than samples of n do, by sqrt((n - 1) / n), and their
        own spread is not known for certain; so the quantiles lie a little further out than those
        of the confidence, as Student's t lies beyond the normal distribution.

        Source:
            Hesterberg, Am Stat 69 (2015), 371-386, the expanded percentile interval.
        """
        sure = float(student.ppf(0.5 + self.confidence / 2, patients - 1))
        tail = float(norm.cdf(-np.sqrt(patients / (patients - 1)) * sure))
        return tail, 1 - tail


def wilson(proportion: float, trials: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion in [0, 1] seen in `trials` independent trials.

    Source:
        Wilson, JASA 22 (1927), 209-212; computed by statsmodels.
    """
    from statsmodels.stats.proportion import proportion_confint  # a second to import

    low, high = proportion_confint(
        proportion * trials, trials, alpha=1 - confidence, method="wilson"
    )
    return float(low), float(high)


def newcombe_auc(
    area: float, positives: int, negatives: int, confidence: float
) -> tuple[float, float]:
    """A score interval of an area under the ROC curve, of use at 0 and 1 too.

    Args:
        area: in [0, 1].
        positives: independent positive units (here patients), at least 1.
        negatives: independent negative units, at least 1.
        confidence: in (0, 1).

    Returns:
        The two bounds in [0, 1]; at `area` 1 the lower one is below 1.

    Source:
        Newcombe, Stat Med 25 (2006), 559-573, method 5: the variance of Hanley and McNeil
        with both sample sizes replaced by their mean, taken at the bound and not at the estimate.
    """
    z = float(norm.ppf(0.5 + confidence / 2))
    low = _newcombe_bound(area, positives, negatives, z)
    return low, 1 - _newcombe_bound(1 - area, positives, negatives, z)


def _newcombe_bound(area: float, positives: int, negatives: int, z: float) -> float:
    if area <= 0:
        return 0.0
    spread = (positives + negatives) / 2 - 1

    def beyond(bound: float) -> float:
        pairs = 1 + spread * ((1 - bound) / (2 - bound) + bound / (1 + bound))
        variance = bound * (1 - bound) * pairs / (positives * negatives)
        return area - bound - z * float(np.sqrt(variance))

    # 1 itself is a root at area 1, and not the one that is wanted
    return float(brentq(beyond, 0.0, min(area, 1 - 1e-12)))


def square_and_add(
    values: tuple[float, float], first: tuple[float, float], second: tuple[float, float]
) -> tuple[float, float]:
    """The interval of the mean of two independent values from the interval of each.

    Source:
        Zou and Donner, Stat Med 27 (2008), 1693-1702 (MOVER).
    """
    middle = sum(values) / 2
    below = np.hypot(values[0] - first[0], values[1] - second[0]) / 2
    above = np.hypot(first[1] - values[0], second[1] - values[1]) / 2
    return max(0.0, float(middle - below)), min(1.0, float(middle + above))
