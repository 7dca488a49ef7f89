"""Configurations side by side on the same test images: which is better, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import evaluation
from ..errors import RunError, UnknownName
from ..evaluation import Bootstrap, Configuration, Difference, Measured, Replicated
from ..evaluation.replicates import COUNTS, METRICS
from . import candidates, finished
from .candidates import Candidate
from .finished import Finished, LeftOut

_LESS_IS_BETTER = ("brier",)


@dataclass(frozen=True)
class Asked:
    """What to compare.

    Args:
        runs: run directories, or folders of run directories.
        reference: the name of the configuration that the others are compared with; the first
            one if not given. It is set beforehand, never chosen by test figures.
        metric: what the differences, the p values and the ranking are of.
        point: the name of the operating point; the first threshold of each spec if not given.
    """

    runs: tuple[Path, ...]
    reference: str | None = None
    metric: str = "roc_auc"
    point: str | None = None


@dataclass(frozen=True)
class Threshold:
    """Where positives begin.

    Args:
        name: of the operating point.
        chosen_on: "validation", of each run, or "beforehand".
        values: of every run.
    """

    name: str
    chosen_on: str
    values: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """A configuration in the table.

    Args:
        candidate: its name and its runs.
        measured: its metrics, resampled.
        metrics: by name, those of `evaluation.replicates`.
        differences: to the reference, by metric; empty for the reference itself.
        corrected: the p values of `differences`, by Holm over the rows of each metric.
    """

    candidate: Candidate
    measured: Measured
    metrics: dict[str, Replicated]
    differences: dict[str, Difference]
    corrected: dict[str, float | None]

    @property
    def name(self) -> str:
        """Of the configuration."""
        return self.candidate.name

    @property
    def wall_time_s(self) -> float | None:
        """Of one run, on average over the seeds."""
        times = [run.manifest.get("wall_time_s") for run in self.candidate.runs]
        known = [time for time in times if time is not None]
        return float(np.mean(known)) if known else None

    @property
    def reported(self) -> dict[str, Any]:
        """What a paper gives for this configuration, and its source."""
        return self.candidate.runs[0].spec.get("reported") or {}


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that was found, for tables, figures and the page.

    Args:
        title: of the study.
        rows: a configuration each, in order.
        reference: the name of the one that the others are compared with.
        metric: what the ranking is of.
        threshold: of sensitivity, specificity and all that depends on it.
        bootstrap: how patients were resampled.
        left_out: runs that could not be compared.
    """

    title: str
    rows: tuple[Row, ...]
    reference: str
    metric: str
    threshold: Threshold
    bootstrap: Bootstrap
    left_out: tuple[LeftOut, ...]

    @property
    def first(self) -> Finished:
        """A run, for what all share: the test images."""
        return self.rows[0].candidate.runs[0]

    @property
    def synthetic(self) -> bool:
        """Whether the images were made by a program."""
        return bool(self.first.metrics["synthetic"])

    @property
    def patients_known(self) -> bool:
        """Whether the patients are people, and not images that stand for themselves."""
        return bool(self.first.metrics["patients_known"])

    @property
    def ranking(self) -> tuple[Row, Row, Difference] | None:
        """The best, the runner-up, and by how much they differ; None where there are no two."""
        known = [row for row in self.rows if row.metrics[self.metric].value is not None]
        if len(known) < 2:
            return None
        sign = 1 if self.metric in _LESS_IS_BETTER else -1
        best, second = sorted(known, key=lambda row: sign * (row.metrics[self.metric].value or 0))[
            :2
        ]
        return best, second, evaluation.difference(best.measured, second.measured, self.metric)


def compare(asked: Asked) -> Comparison:
    """Read runs, put the seeds of each configuration together, and measure the differences.

    Raises:
        RunError: a path holds no finished run, or one of several findings; or the runs were tested
            on different images.
        UnknownName: no configuration, metric or operating point is called so.
        DataError: the labels or patients of the test images are not the same.
    """
    if asked.metric not in METRICS:
        raise UnknownName("metric", asked.metric, METRICS)
    found = finished.find(asked.runs)
    finished.refuse_several(found.runs)
    entries = candidates.group(found)
    names = [one.name for one in entries]
    reference = names[0] if asked.reference is None else asked.reference
    if reference not in names:
        raise UnknownName("configuration", reference, names)
    bootstrap = _bootstrap(found.runs[0])
    measured = {one.name: _measured(one, asked.point, bootstrap) for one in entries}
    return Comparison(
        title=str(found.runs[0].manifest.get("title") or found.runs[0].folder.parent.name),
        rows=tuple(_rows(entries, measured, reference)),
        reference=reference,
        metric=asked.metric,
        threshold=_threshold(found.runs, asked.point),
        bootstrap=bootstrap,
        left_out=found.left_out,
    )


def _bootstrap(run: Finished) -> Bootstrap:
    return Bootstrap(run.metrics["resamples"], run.metrics["confidence"])


def _threshold(runs: Sequence[Finished], name: str | None) -> Threshold:
    points = [_point(run, name) for run in runs]
    values = tuple(float(point["threshold"]) for point in points)
    return Threshold(points[0]["name"], points[0]["chosen_on"], values)


def _point(run: Finished, name: str | None) -> dict[str, Any]:
    points = run.metrics["operating_points"]
    if name is None:
        return points[0]
    by_name = {point["name"]: point for point in points}
    if name not in by_name:
        raise UnknownName("operating point", name, by_name, f"Asked of {run.folder.name}.")
    return by_name[name]


def _measured(candidate: Candidate, point: str | None, bootstrap: Bootstrap) -> Measured:
    first = candidate.runs[0]
    for run in candidate.runs[1:]:
        if run.ids != first.ids:
            raise RunError(f"{run.folder} and {first.folder} were not tested on the same images.")
    predictions = tuple(run.predictions for run in candidate.runs)
    thresholds = tuple(float(_point(run, point)["threshold"]) for run in candidate.runs)
    configuration = Configuration(candidate.name, predictions, thresholds)
    return evaluation.measure_replicates(configuration, bootstrap)


def _rows(entries: Sequence[Candidate], measured: dict[str, Measured], reference: str) -> list[Row]:
    others = [one.name for one in entries if one.name != reference]
    differences = {
        name: {
            metric: evaluation.difference(measured[name], measured[reference], metric)
            for metric in METRICS
        }
        for name in others
    }
    corrected: dict[str, dict[str, float | None]] = {name: {} for name in others}
    for metric in METRICS:
        family = [differences[name][metric].p_value for name in others]
        for name, p_value in zip(others, evaluation.holm(family), strict=True):
            corrected[name][metric] = p_value
    return [
        Row(
            one,
            measured[one.name],
            {name: measured[one.name].metric(name) for name in (*METRICS, *COUNTS)},
            differences.get(one.name, {}),
            corrected.get(one.name, {}),
        )
        for one in entries
    ]
