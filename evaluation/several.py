"""Several findings told of the same images: the mean over them, and which come together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimate import NO_WIDTH, SAME, Estimate
from .intervals import Bootstrap
from .predictions import Predictions
from .ranking import rank


@dataclass(frozen=True, eq=False)
class Findings:
    """What was true and what was predicted of the images of one side.

    Args:
        names: of the k findings.
        truth: (n, k): 1, 0, or NaN where it is not known.
        probabilities: (n, k), in [0, 1].
        patients: (n,), who is on each image.
    """

    names: tuple[str, ...]
    truth: NDArray[np.floating]
    probabilities: NDArray[np.floating]
    patients: NDArray[np.str_]

    @property
    def measurable(self) -> tuple[str, ...]:
        """Those that are there on some images and known to be absent from others."""
        both = (self.truth == 1).any(axis=0) & (self.truth == 0).any(axis=0)
        return tuple(name for name, there in zip(self.names, both, strict=True) if there)

    def counts(self, name: str) -> dict[str, int]:
        """The images of which a finding is known, their patients, and the images that have it."""
        truth = self.truth[:, self.names.index(name)]
        known = ~np.isnan(truth)
        return {
            "images": int(known.sum()),
            "patients": len(np.unique(self.patients[known])),
            "positives": int((truth == 1).sum()),
        }

    def of(self, name: str) -> Predictions:
        """Of one finding, the images of which it is known; at least one."""
        place = self.names.index(name)
        truth = self.truth[:, place]
        known = ~np.isnan(truth)
        scores = self.probabilities[known, place]
        return Predictions(truth[known], scores, self.patients[known].tolist())


def mean_roc_auc(findings: Findings, bootstrap: Bootstrap) -> Estimate:
    """The mean over findings of the area under the ROC curve, with its interval over patients.

    Patients are drawn for all findings at once, since the same people have several: the areas
    of one resample belong together.

    Args:
        findings: of a side; those that are not `measurable` are left out of the mean.
        bootstrap: how patients are drawn.

    Returns:
        The estimate. A resample in which a finding has only one kind of label gives the mean of
        the others; the note says how many did.
    """
    kept = findings.measurable
    if not kept:
        return _estimate(findings, kept, None, None, "none", "not estimable: no finding has both")
    areas = _areas(findings, kept, bootstrap)
    value, resampled = float(areas[0].mean()), np.nanmean(areas[1:], axis=1)
    people = len(np.unique(findings.patients))
    if people < 2:
        why = "no interval: all images are of one patient"
        return _estimate(findings, kept, value, None, "none", why)
    low, high = bootstrap.percentiles(resampled, people)
    if high - low <= NO_WIDTH:
        return _estimate(findings, kept, value, None, "none", SAME)
    method = (
        f"patient bootstrap of all findings together, expanded percentile, "
        f"{bootstrap.resamples} resamples"
    )
    return _estimate(findings, kept, value, (low, high), method, _note(findings, kept, areas[1:]))


def _areas(findings: Findings, names: tuple[str, ...], bootstrap: Bootstrap) -> NDArray[np.float64]:
    """(1 + resamples, findings): of the images as they are, then of each resample."""
    people = np.unique(findings.patients)
    own = [findings.of(name) for name in names]
    ranks = [rank(one) for one in own]
    places = [np.searchsorted(people, np.unique(one.patients)) for one in own]
    draws = bootstrap.draws(len(people), len(findings.patients))
    found = [
        np.stack([one.areas(draw[at])[0] for one, at in zip(ranks, places, strict=True)], axis=1)
        for draw in (np.ones((len(people), 1)), *draws)
    ]
    return np.vstack(found)


def _estimate(
    findings: Findings,
    names: tuple[str, ...],
    value: float | None,
    bounds: tuple[float, float] | None,
    method: str,
    note: str,
) -> Estimate:
    """Of all images of which one of the findings is known; positive is who has any of them."""
    truth = findings.truth[:, [findings.names.index(name) for name in names]]
    known = (~np.isnan(truth)).any(axis=1)
    low, high = bounds or (None, None)
    patients = len(np.unique(findings.patients[known]))
    positives = int((truth == 1).any(axis=1).sum())
    return Estimate(value, low, high, method, int(known.sum()), patients, positives, note)


def _note(findings: Findings, names: tuple[str, ...], areas: NDArray[np.float64]) -> str:
    said = []
    if len(names) < len(findings.names):
        said.append(f"the mean of {len(names)} of {len(findings.names)} findings")
    lacking = int(np.isnan(areas).any(axis=1).sum())
    if lacking:
        said.append(
            f"{lacking} of {len(areas)} resamples lacked the positives or the negatives of a "
            "finding and give the mean of the others"
        )
    return "; ".join(said)


@dataclass(frozen=True, eq=False)
class Together:
    """Which findings come together.

    Args:
        counts: (k, k), images with the finding of the row and that of the column.
        of: (k, k), images with the finding of the row of which that of the column is known.
    """

    counts: NDArray[np.int_]
    of: NDArray[np.int_]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(k, k), of those with the row's finding the share with the column's; NaN of none."""
        nothing = np.full(self.of.shape, np.nan)
        return np.divide(self.counts, self.of, out=nothing, where=self.of > 0)


def together(truth: NDArray[np.floating]) -> Together:
    """Count which findings come together, of (n, k): 1, 0, or NaN where it is not known."""
    there, known = (truth == 1).astype(int), (~np.isnan(truth)).astype(int)
    return Together(there.T @ there, there.T @ known)
