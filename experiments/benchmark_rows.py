"""The rows of a benchmark: what was asked, how it was measured, and what came out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MEASURED, UNAVAILABLE, FAILED = "measured", "not available", "failed"
SHARED = "Other work on the machine bears on every figure: see 'other load' in the table."
USE = "Research use only. Times of random or synthetic images say nothing of clinical use."


@dataclass(frozen=True)
class Cell:
    """What one process measures."""

    model: str
    backend: str
    device: str
    mode: str


@dataclass(frozen=True)
class Protocol:
    """How each cell is measured; the defaults are the least that may be called a benchmark."""

    batch_size: int = 64
    warm_up: int = 10
    steps: int = 40
    repetitions: int = 5
    precision: str = "float32"

    @property
    def is_benchmark(self) -> bool:
        """Whether there are steps enough to report."""
        return self.warm_up >= 10 and self.steps >= 40 and self.repetitions >= 5

    @property
    def title(self) -> str:
        """What its table and figure are called."""
        name = "Training and prediction by backend"
        return name if self.is_benchmark else f"Quick look, not a benchmark: {name.lower()}"


@dataclass(frozen=True)
class Row:
    """What is known of a cell; None where it could not be measured.

    Attributes:
        state: measured, not available or failed; `reason` says why.
        device: that was used; `device_asked` is what the command said.
        images_per_s: at the median step; p10 and p90 are those of all steps of all repetitions.
        ms_per_step: likewise.
        first_step_s: of the first step of all, which compiles.
        peak_memory_mb: of the worker from its start, framework and building included.
        largest_difference: of a probability on one batch at the initial weights, to the
            backend and device `compared_with`: the first; None where its weights are others.
        other_load_cores: cores that other programs kept busy just before or just after,
            whichever was more.
    """

    model: str
    backend: str
    device_asked: str
    mode: str
    state: str
    reason: str = ""
    device: str | None = None
    device_name: str | None = None
    batch_size: int | None = None
    input_shape: str | None = None
    images_per_s: float | None = None
    images_per_s_p10: float | None = None
    images_per_s_p90: float | None = None
    ms_per_step: float | None = None
    ms_per_step_p10: float | None = None
    ms_per_step_p90: float | None = None
    first_step_s: float | None = None
    peak_memory_mb: float | None = None
    parameters: int | None = None
    largest_difference: float | None = None
    compared_with: str | None = None
    threads: int | None = None
    precision: str | None = None
    jit_compile: bool | str | None = None
    device_of_weights: str | None = None
    other_load_cores: float | None = None
    started: str | None = None
    versions: str = ""


def speeds(seconds: Sequence[Sequence[float]], batch_size: int) -> dict[str, float]:
    """Median, p10 and p90 of single steps, of all repetitions together.

    Args:
        seconds: (repetitions, steps).
        batch_size: images a step.

    Returns:
        `ms_per_step` and `images_per_s`, each also with `_p10` and `_p90`. The images a second
        are those of the same steps: their p10 is what a step of the p90 duration gives.
    """
    low, middle, high = np.percentile(np.ravel(seconds), [10, 50, 90]).tolist()
    steps = {"": middle, "_p10": low, "_p90": high}
    rates = {"": middle, "_p10": high, "_p90": low}
    return {
        **{f"ms_per_step{end}": round(1000 * value, 3) for end, value in steps.items()},
        **{f"images_per_s{end}": round(batch_size / value, 2) for end, value in rates.items()},
    }
