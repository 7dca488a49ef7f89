"""A finished run measured anew, as another `evaluation` section asks: nothing is trained again."""

from typing import Any

from .. import evaluation
from ..errors import DataError
from ..evaluation import Subject
from . import assessment, data, figures, finished, provenance, report, requests, several, trust
from .data import SIDES
from .finished import Finished
from .run import RunDirectory
from .source import Source
from .spec import Dataset, Evaluation


def remeasure(run: RunDirectory, section: Evaluation) -> dict[str, Any]:
    """Measure the saved predictions of a run, and write its metrics, plots and report anew.

    The example images and the learning curves stay as they are. `spec.yaml` is written last: as
    long as it has the old section, the run is not yet measured as the new one asks.

    Args:
        run: finished, and held by this process.
        section: what to work out.

    Returns:
        What `metrics.json` holds.

    Raises:
        RunError: the run is not finished, or a file of it is damaged or cannot be written.
        DataError: subgroups are asked for, and the dataset is not what it was.
    """
    (done,) = finished.find([run.path]).runs
    if done.several:
        return _of_findings(run, done, section)
    sides = {
        side: done.predictions_of(side) for side in SIDES if (done.table["split"] == side).any()
    }
    groups = _groups(done, section) if section.subgroups else {}
    metrics = evaluation.summarise(sides, _subject(done), assessment.options(section), groups)
    caption = figures.caption(metrics, ("test",))
    figures.draw(metrics, section, sides["test"], run.path / "plots", caption)
    _write(run, done, section, metrics)
    return metrics


def _write(run: RunDirectory, done: Finished, section: Evaluation, metrics: dict[str, Any]) -> None:
    spec = {**done.spec, "evaluation": section.model_dump(mode="json")}
    manifest = {**done.manifest, "measured_again": provenance.now()}
    report.write(run.path, metrics, manifest, spec)
    run.write_json("manifest.json", manifest)
    run.write_json("metrics.json", metrics)
    run.write("spec.yaml", requests.as_yaml(spec))


def _of_findings(run: RunDirectory, done: Finished, section: Evaluation) -> dict[str, Any]:
    """Each finding measured anew, then the run."""
    folders = several.directories(run, done.metrics)
    of_each = {name: remeasure(own, section) for name, own in folders.items()}
    known = ("dataset", "classes", "synthetic", "patients_known", "notes")
    about = {key: done.metrics[key] for key in known}
    measured = several.Measured(several.read(run), of_each, about, section)
    metrics = several.summarise(measured)
    several.draw(measured, metrics, run.path / "plots")
    _write(run, done, section, metrics)
    return metrics


def _subject(done: Finished) -> Subject:
    negative, positive = done.metrics["classes"]
    return Subject(
        done.metrics["dataset"],
        (negative, positive),
        done.metrics["synthetic"],
        tuple(done.manifest["data"]["notes"]),
        patients_known=done.metrics["patients_known"],
    )


def _groups(done: Finished, section: Evaluation) -> dict[str, list[Any]]:
    """What groups the test images is in the dataset's table alone."""
    trust.refuse_code(Source(done.spec, {(): str(done.folder / "spec.yaml")}))
    cohort = data.load(Dataset.model_validate(done.spec["dataset"]))
    if done.finding is not None:
        cohort = cohort.of(done.finding)
    ids = cohort.dataset.table["id"].astype(str).iloc[cohort.rows("test")].tolist()
    if cohort.dataset.content != done.manifest["data"]["content_sha256"] or ids != done.ids:
        raise DataError(
            f"Dataset {cohort.dataset.name!r} is not what it was when {done.folder} was run, so "
            "its subgroups cannot be told. Leave evaluation.subgroups out, or run it again."
        )
    return assessment.groups(section, cohort)
