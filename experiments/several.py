"""A run of several findings: each of them measured as a run of two classes is, and all at once.

`findings/<name>/` of the run directory holds what the directory of a two-class run holds of its
evaluation, made by the same code, so that whatever reads such a directory reads these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import evaluation
from ..errors import RunError
from ..evaluation import Bootstrap, Findings
from ..preprocessing import Store
from . import assessment, requests, several_plots
from .data import SIDES, Cohort
from .figures import caption
from .plots import learning_curves
from .run import RunDirectory
from .spec import Evaluation, Spec
from .trust import inside

FOLDER = "findings"
_TRUTH, _PROBABILITY = "truth: ", "probability: "


@dataclass(frozen=True, eq=False)
class Measured:
    """All that is known of the findings of a run.

    Attributes:
        sides: what was true and predicted on each side.
        of_each: what `metrics.json` of each measured finding holds.
        about: `dataset`, `classes`, `synthetic`, `patients_known` and `notes`.
        section: what was asked for.
    """

    sides: Mapping[str, Findings]
    of_each: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, Any]
    section: Evaluation


def assess(
    spec: Spec, cohort: Cohort, probabilities: np.ndarray, run: RunDirectory, images: Store
) -> dict[str, Any]:
    """Write predictions, plots and the folder of each finding, and work out `metrics.json`.

    Arguments are those of `assessment.assess`. The report and the manifest of each finding come
    with those of the run: `write_reports`.
    """
    run.write_csv("predictions.csv", _rows(cohort, probabilities))
    sides = {side: _side(cohort, probabilities, cohort.rows(side)) for side in SIDES}
    of_each = {
        name: _assess_one(spec, cohort, probabilities, run, images, name)
        for name in sides["test"].measurable
    }
    about = {
        "dataset": cohort.dataset.name,
        "classes": list(cohort.findings),
        "synthetic": cohort.dataset.synthetic,
        "patients_known": cohort.by_patient,
        "notes": list(cohort.notes),
    }
    measured = Measured(sides, of_each, about, spec.evaluation)
    metrics = summarise(measured)
    draw(measured, metrics, run.path / "plots")
    told = caption(metrics, ("train", "validation"))
    history = pd.read_csv(run / "history.csv")
    learning_curves(history, run.path / "plots", told, spec.training.monitor)
    return metrics


def folder_of(name: str) -> str:
    """Where a finding lies in the run directory."""
    return f"{FOLDER}/{re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('.')}"


def directories(run: RunDirectory, metrics: Mapping[str, Any]) -> dict[str, RunDirectory]:
    """That of each measured finding, by its name; errors as for `trust.inside`."""
    return {
        name: RunDirectory(inside(run.path, found["folder"]))
        for name, found in metrics["findings"].items()
        if "folder" in found
    }


def write_reports(
    run: RunDirectory, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> None:
    """Write the manifest and the report of each finding of a run."""
    for name, own in directories(run, metrics).items():
        found = own.read_json("metrics.json")
        data = {**manifest["data"], "classes": found["classes"], "notes": found["notes"]}
        sides = {
            side: {key: counts[key] for key in ("images", "patients", "positives")}
            for side, counts in found["splits"].items()
        }
        told = {
            **manifest,
            "title": f"{manifest['title']}: {name}",
            "finding": name,
            "finding_number": manifest["data"]["classes"].index(name),
            "data": data,
            "split": {**manifest["split"], "sides": sides},
        }
        assessment.write_report(own, told, found)
        own.write_json("manifest.json", told)


def read(run: RunDirectory) -> dict[str, Findings]:
    """The predictions of a run again, by side, from `predictions.csv`.

    Raises:
        RunError: it cannot be read.
    """
    try:
        table = pd.read_csv(run / "predictions.csv", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{run / 'predictions.csv'} cannot be read: {error}.") from error
    columns = [str(column) for column in table.columns]
    names = tuple(c.removeprefix(_TRUTH) for c in columns if c.startswith(_TRUTH))
    patients = table["patient"].where(table["patient"] != "", "image " + table["id"])
    found = {}
    for side in SIDES:
        here = (table["split"] == side).to_numpy()
        truth, scores = (
            table.loc[here, [kind + name for name in names]].replace("", "nan").to_numpy(float)
            for kind in (_TRUTH, _PROBABILITY)
        )
        found[side] = Findings(names, truth, scores, patients[here].to_numpy(dtype=str))
    return found


def summarise(measured: Measured) -> dict[str, Any]:
    """What `metrics.json` of the run holds; the folder of a finding holds all of that finding."""
    section, sides = measured.section, measured.sides
    how = Bootstrap(section.resamples, section.confidence)
    found = {name: _finding(measured, name) for name in sides["test"].names}
    whole = np.vstack([side.truth for side in sides.values()])
    test = sides["test"]
    thresholds = [one.get("point", {}).get("threshold", np.nan) for one in found.values()]
    called = np.where(np.isnan(thresholds), np.nan, test.probabilities >= np.array(thresholds))
    return {
        **measured.about,
        "confidence": section.confidence,
        "resamples": section.resamples,
        "prevalence": section.prevalence,
        "splits": {name: _counts(side, how) for name, side in sides.items()},
        "findings": found,
        "together": {"true": _plain(whole), "called_on_test": _plain(called)},
    }


def draw(measured: Measured, metrics: Mapping[str, Any], folder: Path) -> None:
    """Draw the areas of all findings, and which of them come together."""
    several_plots.areas(metrics, folder, caption(metrics, ("test",)))
    several_plots.together(metrics, folder, caption(metrics, tuple(measured.sides)))


def _assess_one(
    spec: Spec,
    cohort: Cohort,
    probabilities: np.ndarray,
    run: RunDirectory,
    images: Store,
    name: str,
) -> dict[str, Any]:
    own = RunDirectory(run.path / folder_of(name))
    own.path.mkdir(parents=True, exist_ok=True)
    told = spec.model_copy(update={"reported": {}})
    own.write("history.csv", (run / "history.csv").read_bytes())
    own.write("spec.yaml", requests.as_yaml(told.model_dump(mode="json")))
    score = probabilities[:, cohort.findings.index(name)]
    both = np.stack([1 - score, score], axis=1)
    metrics = assessment.assess(told, cohort.of(name), both, own, images)
    own.write_json("metrics.json", metrics)
    return metrics


def _rows(cohort: Cohort, probabilities: np.ndarray) -> list[dict[str, Any]]:
    table = cohort.dataset.table
    patients = table["patient"].astype(object).where(table["patient"].notna(), "")
    found: dict[str, Any] = {
        "split": cohort.sides,
        "id": table["id"].to_numpy(),
        "patient": patients.to_numpy() if cohort.by_patient else "",
    }
    for place, name in enumerate(cohort.findings):
        truth = cohort.truth[:, place]
        found[_TRUTH + name] = np.where(np.isnan(truth), "", np.nan_to_num(truth).astype(int))
        found[_PROBABILITY + name] = probabilities[:, place].tolist()
    rows = pd.DataFrame(found).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _side(cohort: Cohort, probabilities: np.ndarray, rows: np.ndarray) -> Findings:
    truth = cohort.truth[rows].astype(float)
    return Findings(cohort.findings, truth, probabilities[rows], cohort.patients[rows])


def _counts(side: Findings, how: Bootstrap) -> dict[str, Any]:
    return {
        "images": len(side.truth),
        "patients": len(np.unique(side.patients)),
        "positives": int((side.truth == 1).any(axis=1).sum()),
        "metrics": {"mean_roc_auc": evaluation.mean_roc_auc(side, how).as_dict()},
    }


def _finding(measured: Measured, name: str) -> dict[str, Any]:
    """What the table of findings shows of one; `point` is the operating point it leads with."""
    counts = {side: found.counts(name) for side, found in measured.sides.items()}
    if name not in measured.of_each:
        why = "it is on no test image, or on all of which it is known"
        return {"left_out": why, "splits": counts}
    found = measured.of_each[name]
    points = [_point(point) for point in found["operating_points"]]
    chosen = [point for point in points if point["chosen_on"] == "validation"]
    asked = chosen[1:]  # the first is Youden's, which nobody asked for
    splits = {
        side: {**counts[side], "metrics": {k: split["metrics"][k] for k in ("roc_auc", "pr_auc")}}
        for side, split in found["splits"].items()
    }
    return {
        "folder": folder_of(name),
        "splits": {**counts, **splits},
        "point": (asked or chosen or points)[0],
        "operating_points": points,
    }


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    rates = ("sensitivity", "specificity", "false_negatives", "false_positives")
    sides = {
        side: {name: point[side][name] for name in rates}
        for side in ("validation", "test")
        if side in point
    }
    return {key: point[key] for key in ("name", "rule", "threshold", "chosen_on")} | sides


def _plain(truth: np.ndarray) -> dict[str, list[list[int]]]:
    found = evaluation.together(truth)
    return {"counts": found.counts.tolist(), "of": found.of.tolist()}
