"""The table of findings in the report of a run that tells several."""

from collections.abc import Mapping
from typing import Any

from ..evaluation import Estimate
from .report_tables import LABELS, Table

Values = Mapping[str, Any]


def findings(summary: Values) -> Table:
    """A row a finding: how often it is there, how well it is ranked and called on test images."""
    rates = ("sensitivity", "specificity")
    heads = ("ROC AUC", "PR AUC", "Threshold, chosen", *(LABELS[name] for name in rates), "Missed")
    table = Table(["Finding", "Test images: positive of known", *heads])
    for name, found in summary["findings"].items():
        side = found["splits"]["test"]
        there = f"{side['positives']:,} of {side['images']:,}"
        if "left_out" in found:
            table.add(name, there, "not measured: " + found["left_out"], *[""] * 5)
            continue
        areas = [Estimate(**side["metrics"][metric]) for metric in ("roc_auc", "pr_auc")]
        point = found["point"]
        cells = [Estimate(**point["test"][rate]) for rate in rates]
        missed = point["test"]["false_negatives"]["value"] or 0
        lost = f"{missed:,} of {side['positives']:,}"
        table.add(name, there, *areas, _origin(point), *cells, lost)
    return table


def links(summary: Values) -> dict[str, str]:
    """Where the report of each measured finding lies, from that of the run."""
    return {
        name: f"{found['folder']}/report.html"
        for name, found in summary["findings"].items()
        if "folder" in found
    }


def mean(summary: Values) -> dict[str, str]:
    """The mean ROC AUC of the test side: its value, its interval, how it was made, the counts."""
    side = summary["splits"]["test"]
    found = Estimate(**side["metrics"]["mean_roc_auc"])
    value, _, interval = str(found).partition(" (")
    people = f"{side['patients']:,} patients" if summary["patients_known"] else "patients unknown"
    return {
        "value": value,
        "interval": interval.rstrip(")"),
        "method": "; ".join(
            part for part in (found.method, found.note) if part not in ("", "none")
        ),
        "counts": f"{side['images']:,} images, {people}",
    }


def _origin(point: Values) -> str:
    if point["chosen_on"] == "beforehand":
        return f"{point['threshold']:.4g}, set beforehand"
    return f"{point['threshold']:.4g}, {point['name']} on {point['chosen_on']}"
