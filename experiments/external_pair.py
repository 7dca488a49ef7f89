"""A finished run and the images of other people, found to fit each other."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError
from ..preprocessing import Dataset
from . import data, finished, overlap
from .data import Cohort
from .finished import Finished
from .overlap import Overlap
from .plan import Plan, of_run

FOLDER = "external"


@dataclass(frozen=True)
class Asked:
    """What to validate, and how.

    Args:
        run: the directory of a finished run.
        test_only: whether to take only what the other dataset's own `split` calls test.
        backend: in place of the run's.
        device: in place of the run's.
        overlap_meant: whether shared patients or images are no error.
    """

    run: Path
    test_only: bool = False
    backend: str | None = None
    device: str | None = None
    overlap_meant: bool = False


@dataclass(frozen=True)
class Pair:
    """What is evaluated.

    Args:
        asked: by whoever wants to know.
        run: finished, with its weights as they were.
        plan: of the run; its backend and device are those that are asked for.
        cohort: the other images; those to test on are its side "test".
        overlap: who is in both.
    """

    asked: Asked
    run: Finished
    plan: Plan
    cohort: Cohort
    overlap: Overlap

    @property
    def title(self) -> str:
        """What this is, for every page and table."""
        dataset = self.cohort.dataset.name
        return f"External validation of run {self.run.name} on dataset {dataset}"

    @property
    def folder(self) -> Path:
        """Named by all that decides what is predicted and measured."""
        spec, dataset = self.plan.spec, self.cohort.dataset
        decisive = {
            "content": dataset.content,
            "test_only": self.asked.test_only,
            "backend": self.plan.backend,
            "weights": self.run.manifest["weights_sha256"],
            "evaluation": spec.evaluation.model_dump(mode="json"),
        }
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:8]
        name = re.sub(r"[^\w.-]+", "-", dataset.name)
        return self.run.folder / FOLDER / f"{name}-{digest}"


def prepare(asked: Asked, dataset: Dataset) -> Pair:
    """Read the run, compare the classes and count who is in both; predict nothing yet.

    Raises:
        RunError: it is not one finished run, or its weights are not those it was finished with.
        SpecError: its spec cannot be read any more.
        DataError: the dataset has other classes, or no side to test on.
    """
    run = finished.one(asked.run)
    cohort = data.outside(dataset, asked.test_only)
    if run.finding in dataset.findings:
        cohort = replace(cohort, findings=(run.finding,)).of(run.finding)
    _check_classes(run, cohort.dataset)
    run.checked_weights()
    plan = of_run(run.folder, asked.backend, asked.device)
    return Pair(asked, run, plan, cohort, overlap.count(run, dataset))


def _check_classes(run: Finished, dataset: Dataset) -> None:
    wanted, given = run.manifest["data"]["classes"], list(dataset.classes)
    if wanted == given:
        return
    mapping = ", ".join(f"{name}: [...]" for name in wanted)
    raise DataError(
        f"Dataset {dataset.name!r} has the classes {', '.join(given)}; the run tells "
        f"{' from '.join(wanted)}, in this order. Map them by the dataset's option `classes`, the "
        f"positive one last: --set 'classes={{{mapping}}}'. Where it has no such option, list its "
        "images in a CSV and take the dataset `table`."
    )
