"""How often the patient bootstrap's 95 % interval holds the truth, and how long it takes.

    python benchmarks/coverage.py [--simulations 2000] [--resamples 1000] [--processes 2]

Every simulation draws patients with 1 to 4 images each from a binormal model with a patient
effect, whose areas and sensitivity are known in closed form, and asks the code that all reports
use for its intervals. Printed are the coverage with its Monte Carlo error, and how many truths
lay below and above the intervals. Then the time of 2,000 resamples of the AUC of 5,000 images.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PATIENTS = (60, 120, 300)
SHIFTS = 1.6, 1.2  # how far the positive images of each model lie above the negative ones
PATIENT_SHARE = 0.4  # of the variance of a score, between patients
MODEL_SHARE = 0.5  # of the variance of a score, common to both models
THRESHOLD = 0.8  # on the scale of the scores
DEMANDED = 0.93, 0.97
TRUTHS = {
    "ROC AUC": norm.cdf(SHIFTS[0] / np.sqrt(2)),
    "sensitivity": norm.cdf(SHIFTS[0] - THRESHOLD),
    "paired AUC difference": norm.cdf(SHIFTS[0] / np.sqrt(2)) - norm.cdf(SHIFTS[1] / np.sqrt(2)),
}


class Cohort(NamedTuple):
    """Made-up images: whose, of which class, and the scores of both models (2, images)."""

    patients: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


def main() -> None:
    """Print the coverage of every interval and size, and the time of a large one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.simulations} simulations of {asked.resamples} resamples, 95 % intervals")
    print("| metric | patients | truth | coverage | +- | truth below | truth above | 93 to 97 % |")
    print("|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(asked.processes) as pool:
        for patients in PATIENTS:
            one = partial(_sides, patients=patients, resamples=asked.resamples)
            sides = np.array(list(pool.map(one, range(asked.simulations), chunksize=20)))
            for (name, truth), column in zip(TRUTHS.items(), sides.T, strict=True):
                _print_row(name, patients, truth, column)
    print(f"\n2,000 resamples of the AUC of 5,000 images: {_large():.2f} s (goal: 3.5 s)")


def _print_row(name: str, patients: int, truth: float, sides: np.ndarray) -> None:
    """Of sides (simulations,): -1 where the truth lay below the interval, 1 above, 0 within."""
    coverage = (sides == 0).mean()
    error = 1.96 * np.sqrt(coverage * (1 - coverage) / len(sides))
    kept = "yes" if DEMANDED[0] <= coverage <= DEMANDED[1] else "NO"
    below, above = (sides == -1).mean(), (sides == 1).mean()
    print(
        f"| {name} | {patients} | {truth:.3f} | {coverage:.1%} | {error:.1%} | {below:.1%} "
        f"| {above:.1%} | {kept} |",
        flush=True,
    )


def _sides(seed: int, patients: int, resamples: int) -> list[int]:
    """On which side of its interval each truth lay in one simulation."""
    from radzoo.evaluation import Bootstrap, comparison, replicates

    cohort = _draw(np.random.default_rng([patients, seed]), patients)
    bootstrap = Bootstrap(resamples, seed=seed)
    first, second = (
        replicates.measure_replicates(_configuration(cohort, scores), bootstrap)
        for scores in cohort.scores
    )
    found = (
        first.metric("roc_auc"),
        first.metric("sensitivity"),
        comparison.difference(first, second, "roc_auc"),
    )
    return [
        int(truth > one.high) - int(truth < one.low)  # type: ignore[operator]
        for one, truth in zip(found, TRUTHS.values(), strict=True)
    ]


def _draw(random: np.random.Generator, patients: int) -> Cohort:
    """Scores of variance 1 around 0 or the shift; a third of the patients have no positive."""
    owners = np.repeat(np.arange(patients), random.integers(1, 5, size=patients))
    may_be_ill = np.arange(patients) % 3 > 0
    labels = (random.random(len(owners)) < 0.6) & may_be_ill[owners]
    between = _correlated(random, patients)[:, owners]
    within = _correlated(random, len(owners))
    noise = np.sqrt(PATIENT_SHARE) * between + np.sqrt(1 - PATIENT_SHARE) * within
    return Cohort(owners, labels.astype(int), noise + np.outer(SHIFTS, labels))


def _correlated(random: np.random.Generator, count: int) -> np.ndarray:
    """(2, count): standard normal, correlated between the models."""
    common, own = random.normal(size=count), random.normal(size=(2, count))
    return np.sqrt(MODEL_SHARE) * common + np.sqrt(1 - MODEL_SHARE) * own


def _configuration(cohort: Cohort, scores: np.ndarray):  # type: ignore[no-untyped-def]
    """Scores as probabilities: the standard normal distribution function keeps their order."""
    from radzoo.evaluation import Predictions, replicates

    predictions = Predictions(cohort.labels, norm.cdf(scores), cohort.patients)
    cut = float(norm.cdf(THRESHOLD))
    return replicates.Configuration("made up", (predictions,), (cut,))


def _large() -> float:
    from radzoo.evaluation import Bootstrap, Predictions
    from radzoo.evaluation.ranking import rank

    random = np.random.default_rng(0)
    labels = np.arange(5000) % 3 == 0
    scores = norm.cdf(random.normal(size=5000) + labels)
    predictions = Predictions(labels, scores, np.arange(5000) // 2)
    began = time.monotonic()
    ranks = rank(predictions)
    areas = [ranks.areas(draw)[0] for draw in Bootstrap().draws(2500, 5000)]
    Bootstrap().percentiles(np.concatenate(areas), 2500)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
