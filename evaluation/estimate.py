"""One measured number with its interval, how that was made, and of how many images and patients."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .intervals import Bootstrap
from .predictions import Predictions

FLAT = "every resample gives the same value, which would claim certainty; hence a score interval"
SAME = "no interval: every resample gives the same value, and no score interval is established"
NO_WIDTH = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A metric as it should be quoted: never the bare number.

    Args:
        value: the number, or None where it cannot be estimated; `note` then says why.
        low: the lower bound of the interval, or None where there is none; `note` says why.
        high: the upper bound.
        method: how the interval was made; "none" where there is none.
        images: how many images were measured, of all classes.
        patients: how many patients they show.
        positives: how many of the images are of the positive class.
        note: what a reader must know about this number; often empty.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    images: int
    patients: int
    positives: int
    note: str = ""

    def __str__(self) -> str:
        """As in a paper: "0.912 (0.884 to 0.935)"; a count without decimals."""
        if self.value is None:
            return "not estimable"
        places = 0 if isinstance(self.value, int) else 3
        if self.low is None or self.high is None:
            return f"{self.value:.{places}f} (no interval)"
        return f"{self.value:.{places}f} ({self.low:.{places}f} to {self.high:.{places}f})"

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON; `Estimate(**those)` is the way back."""
        return asdict(self)


@dataclass(frozen=True)
class Fallback:
    """The interval to give where the bootstrap's has no width; `bounds` None: there is none."""

    bounds: tuple[float, float] | None
    method: str
    note: str = ""


@dataclass(frozen=True)
class Sample:
    """Predictions and how to resample them; makes every estimate of these predictions."""

    predictions: Predictions
    bootstrap: Bootstrap

    def estimated(
        self,
        value: float,
        resampled: NDArray[np.float64],
        groups: dict[str, NDArray[np.bool_]],
        fallback: Callable[[], Fallback],
    ) -> Estimate:
        """The estimate with its percentile interval, or with what stands in for it.

        Args:
            value: the metric of the images as they are.
            resampled: (resamples,), the metric of each resample; NaN where it has none.
            groups: which images the metric is about, by the words that name them. Each group
                must come from two patients at least, or nothing is known about its spread.
            fallback: what to say where no resample differs from another.
        """
        alone = self._alone(groups)
        kept = int(np.isfinite(resampled).sum())
        if alone or not kept:
            return self._estimate(value, None, "none", f"no interval: {alone or 'no resample'}")
        low, high = self.bootstrap.percentiles(resampled, self.predictions.patient_count)
        if high - low <= NO_WIDTH:
            other = fallback()
            return self._estimate(value, other.bounds, other.method, other.note)
        method = f"patient bootstrap, expanded percentile, {len(resampled)} resamples"
        return self._estimate(value, (low, high), method, _left_out(len(resampled), kept))

    def bounded(
        self, value: float, interval: Fallback, groups: dict[str, NDArray[np.bool_]]
    ) -> Estimate:
        """The estimate with an interval that was made otherwise; `groups` as in `estimated`."""
        alone = self._alone(groups)
        if alone:
            return self._estimate(value, None, "none", f"no interval: {alone}")
        return self._estimate(value, interval.bounds, interval.method, interval.note)

    def not_estimable(self, why: str) -> Estimate:
        """The estimate of a metric that these images cannot give."""
        return self._estimate(None, None, "none", f"not estimable: {why}")

    def of_total(self, rate: Estimate, total: int, missed: bool = False) -> Estimate:
        """How many of `total` images a rate means; `missed` counts those that the rate does not."""
        bounds = None
        if rate.low is not None and rate.high is not None:
            ends = (1 - rate.high, 1 - rate.low) if missed else (rate.low, rate.high)
            bounds = (ends[0] * total, ends[1] * total)
        share = 0.0 if rate.value is None else rate.value
        count = round((1 - share if missed else share) * total)
        method = f"{rate.method}, of the rate" if bounds else "none"
        return self._estimate(count, bounds, method, rate.note)

    def _alone(self, groups: dict[str, NDArray[np.bool_]]) -> str:
        for name, chosen in groups.items():
            if self.predictions.patients_with(chosen) < 2:
                images = int(chosen.sum())
                return f"{images} {name}{'' if images == 1 else 's'}, of one patient only"
        return ""

    def _estimate(
        self, value: float | None, bounds: tuple[float, float] | None, method: str, note: str
    ) -> Estimate:
        low, high = bounds or (None, None)
        images, patients = len(self.predictions), self.predictions.patient_count
        return Estimate(
            value, low, high, method, images, patients, self.predictions.positives, note
        )


def _left_out(resamples: int, kept: int) -> str:
    lost = resamples - kept
    if not lost:
        return ""
    care = "; read the interval with care" if lost > resamples / 2 else ""
    return f"{lost} of {resamples} resamples could not give this number and were left out{care}"
