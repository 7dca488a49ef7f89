"""A finished run as one page that can be sent by mail: what was measured, on what, and how surely.

The page holds its figures and style, loads nothing from anywhere and follows the reader's light
or dark setting. It reads the run directory only, so it can be made again at any time.
"""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import RunError, SpecError
from . import evidence_tables, external_tables, heatmap_tables, pages, several_tables, source
from . import report_tables as tables

FIGURES = {
    "roc": "ROC curve of the test images with a band over resampled patients",
    "confusion_matrix": "Confusion matrix of the test images with counts, shares and intervals",
    "precision_recall": "Precision-recall curve of the test images, with the prevalence",
    "areas": "ROC AUC of each finding on the test images, with intervals, and their mean",
    "together": "Which findings come together: true labels of all images, and calls on test",
    "learning_curves": "Learning curves by epoch; a dashed line marks the best epoch",
    "reliability": "Reliability of the raw and the calibrated probabilities of the test images",
    "decision_curve": "Decision curve of the test images beside calling all of them, or none",
    "errors_by_threshold": "Missed images and false alarms of the test images by threshold",
    "extremes": "Errors among the surest calls, and the share right at both ends of the order",
    "sample_predictions": "Example test images with truth, probability and verdict",
}


def write(
    folder: Path,
    metrics: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> Path:
    """Write `report.html` into a run directory.

    Args:
        folder: the run directory; `spec.yaml` and `plots/` are used where they are there.
        metrics: as `evaluation.summarise` gives them, or `several.summarise`; `metrics.json` if
            not given. A run passes them, for it writes that file last.
        manifest: what `manifest.json` will hold; that file if not given.
        spec: what `spec.yaml` will hold; that file if not given.

    Returns:
        The path of the report.

    Raises:
        RunError: a file that is needed is not there or cannot be read, or the report cannot
            be written.
    """
    measured = _read_json(folder, "metrics.json") if metrics is None else metrics
    about = _read_json(folder, "manifest.json") if manifest is None else manifest
    page = render(folder, measured, about, spec)
    draft, path = folder / f".report.html.{os.getpid()}", folder / "report.html"
    try:
        draft.write_text(page, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def render(
    folder: Path,
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    spec: Mapping[str, Any] | None = None,
) -> str:
    """The page of a run as HTML; arguments as for `write`, metrics and manifest given."""
    spec = _spec(folder) if spec is None else spec
    summary = {**metrics, "patients_known": _patients_known(metrics, manifest)}
    common = _common(folder, summary, manifest, spec)
    if "findings" in metrics:
        table, links = several_tables.findings(summary), several_tables.links(summary)
        mean = several_tables.mean(summary)
        return pages.render("several.html.j2", **common, findings=table, links=links, mean=mean)
    return pages.render(
        "report.html.j2",
        **common,
        headline=tables.headline(summary),
        metrics=external_tables.metrics(summary) or tables.metrics(summary),
        reported=tables.reported(summary, spec.get("reported") or {}),
        points=tables.operating_points(summary),
        subgroups=tables.subgroups(summary),
        evidence=_evidence(summary),
        audits=_audits(folder),
    )


def _common(
    folder: Path,
    summary: Mapping[str, Any],
    manifest: Mapping[str, Any],
    spec: Mapping[str, Any],
) -> dict[str, Any]:
    """What every report has, whatever was told apart."""
    return {
        "run": folder.name,
        "title": manifest.get("title") or spec.get("title") or folder.name,
        "summary": summary,
        "figures": dict(_figures(folder / "plots")),
        "data": tables.data(manifest),
        "training": tables.training(manifest, spec),
        "warnings": _all_warnings(summary, manifest, summary["patients_known"]),
        "notes": _notes(summary, manifest),
        "command": _command(manifest),
        "spec": yaml.safe_dump(spec, sort_keys=False, allow_unicode=True) if spec else "",
    }


def _evidence(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a probability is worth: the tables, and the sentences beside them."""
    return {
        "calibration": evidence_tables.calibration(summary),
        "temperature": evidence_tables.temperature(summary),
        "decision": evidence_tables.decision(summary),
        "at_prevalence": evidence_tables.at_prevalence(summary),
        "extremes": evidence_tables.extremes(summary),
        "too_many": evidence_tables.too_many(summary),
    }


def _audits(folder: Path) -> list[dict[str, Any]]:
    """Of each heatmap method that was audited: what it is called here, and the table."""
    return [
        {
            "method": f"{audit['method']} (layer {audit['layer']}, grid {audit['grid']})",
            "table": heatmap_tables.table(audit),
        }
        for audit in heatmap_tables.audits(folder)
    ]


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder / name} cannot be read: {error}. A report needs a finished run."
        ) from error


def _spec(folder: Path) -> dict[str, Any]:
    path = folder / "spec.yaml"
    if not path.exists():
        return {}
    try:
        return source.read(path).data or {}
    except SpecError as error:
        raise RunError(f"{folder} cannot be used: {error}") from error


def _figures(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for name, words in FIGURES.items():
        source = pages.picture(folder, name)
        if source:
            yield name, {"source": source, "words": words}


def _patients_known(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    by_patient = manifest.get("split", {}).get("by_patient")
    return metrics.get("patients_known", True) and by_patient is not False


def _all_warnings(
    metrics: Mapping[str, Any], manifest: Mapping[str, Any], patients_known: bool
) -> list[str]:
    return [*external_tables.warnings(metrics), *_warnings(manifest, patients_known)]


def _warnings(manifest: Mapping[str, Any], patients_known: bool) -> Iterator[str]:
    """What a reader must know before the first number."""
    if manifest.get("state") not in (None, "finished"):
        yield f"This run is not finished; its state is '{manifest['state']}'."
    if not patients_known:
        yield (
            "The patients are not known, so each image counts by itself: images of one patient "
            "may be on both sides. The results may be too good and the intervals too narrow."
        )
    if manifest.get("git", {}).get("dirty"):
        yield (
            "The code had changes that are in no commit; the commit alone does not repeat this run."
        )


def _notes(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    both = [*metrics.get("notes", []), *manifest.get("data", {}).get("notes", [])]
    return list(dict.fromkeys(both))


def _command(manifest: Mapping[str, Any]) -> str:
    command = manifest.get("command") or ""
    return command if isinstance(command, str) else shlex.join(map(str, command))
