"""What a lower threshold buys, and at what price: missed images and false alarms by threshold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confusion import called_positive
from .intervals import Bootstrap
from .predictions import Predictions

_GRID = np.arange(101) / 100
_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Errors:
    """How many images are called wrongly, by threshold, each (101,), with a pointwise band.

    The band is that of the rate, times the images of the class. It is NaN where the class has
    no image.
    """

    count: _Array
    low: _Array
    high: _Array


@dataclass(frozen=True, eq=False)
class TradeOff:
    """Errors of both kinds at the thresholds 0 to 1; `note` says what a reader must know."""

    thresholds: _Array
    false_negatives: Errors
    false_positives: Errors
    note: str


def error_counts(
    predictions: Predictions, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> TradeOff:
    """Count false negatives and false positives at every threshold, with bands over patients.

    A class without an image has no errors and no band. Nothing is chosen here: a threshold
    read off the test images would flatter them.
    """
    bootstrap, codes = Bootstrap(resamples, confidence, seed), predictions.patient_codes
    called, patients = called_positive(predictions, _GRID), predictions.patient_count
    well, ill = (np.bincount(codes[predictions.labels == k], minlength=patients) for k in (0, 1))
    missed = ill[:, None] - called[:, 1]
    return TradeOff(
        _GRID,
        _errors(bootstrap, missed, ill.astype(float)),
        _errors(bootstrap, called[:, 0], well.astype(float)),
        _note(predictions),
    )


def _errors(bootstrap: Bootstrap, wrong: _Array, images: _Array) -> Errors:
    sums = bootstrap.sums(np.hstack([wrong, images[:, None]]))
    drawn = sums[:, -1:]
    rates = np.divide(sums[:, :-1], drawn, out=np.full(sums[:, :-1].shape, np.nan), where=drawn > 0)
    low, high = bootstrap.band(rates, len(images))
    return Errors(wrong.sum(axis=0), low * images.sum(), high * images.sum())


def _note(predictions: Predictions) -> str:
    for name, label in (("positive", 1), ("negative", 0)):
        patients = predictions.patients_with(predictions.labels == label)
        if patients < 2:
            seen = "there is none" if not patients else "they come from one patient only"
            return f"the band of the {name} images means nothing: {seen}"
    return ""
