"""The tables of a report on what a probability is worth: calibration, decisions, extremes."""

from collections.abc import Mapping
from typing import Any

from ..evaluation import Estimate
from .report_tables import Table

Values = Mapping[str, Any]
_CALIBRATION = {
    "ece": "Expected calibration error (0 is best)",
    "brier": "Brier score (lower is better)",
    "slope": "Calibration slope (1 is right)",
    "intercept": "Calibration in the large (0 is right)",
}


def calibration(summary: Values) -> Table | None:
    """Raw and calibrated probabilities side by side; None where nothing was measured."""
    found = summary.get("calibration")
    if not found:
        return None
    sides = [found["raw"]] + ([found["scaled"]] if found["scaled"] else [])
    table = Table(["", "raw probability", "calibrated probability"][: len(sides) + 1])
    for name, label in _CALIBRATION.items():
        table.add(label, *(Estimate(**side["metrics"][name]) for side in sides))
    return table


def temperature(summary: Values) -> str:
    """How the probabilities were calibrated, as a sentence."""
    found = summary.get("calibration", {}).get("temperature")
    if not found:
        return ""
    if found["value"] is None:
        return f"They could not be calibrated: {found['note'].removeprefix('not estimable: ')}."
    note = f" ({found['note']})" if found["note"] else ""
    people = f", {found['patients']:,} patients" if summary["patients_known"] else ""
    return (
        f"They are calibrated by a temperature of {found['value']:.3g}{note}, fitted on "
        f"{found['images']:,} validation images{people}."
    )


def decision(summary: Values) -> Table | None:
    """The net benefit at each operating point beside that of calling all images positive."""
    points = [point for point in summary.get("operating_points") or [] if "decision" in point]
    if not points:
        return None
    table = Table(["Operating point", "Threshold", "Net benefit", "Call all", "Call none"])
    for point in points:
        both = (Estimate(**point["decision"][name]) for name in ("model", "treat_all"))
        table.add(point["name"], f"{point['threshold']:.4g}", *both, "0")
    return table


def at_prevalence(summary: Values) -> Table | None:
    """The predictive values at the stated prevalence; None where none was stated."""
    points = [point for point in summary.get("operating_points") or [] if "at_prevalence" in point]
    if not points:
        return None
    table = Table(["Operating point", "Threshold", "PPV", "NPV"])
    for point in points:
        both = (Estimate(**point["at_prevalence"][name]) for name in ("ppv", "npv"))
        table.add(point["name"], f"{point['threshold']:.4g}", *both)
    return table


def extremes(summary: Values) -> Table | None:
    """The share right at both ends; None where no count fits."""
    found = summary.get("extremes")
    if not found or not found["counts"]:
        return None
    negative, positive = summary["classes"]
    table = Table(["Images", f"lowest: truly '{negative}'", f"highest: truly '{positive}'"])
    for count in found["counts"]:
        ends = (Estimate(**count[end]) for end in ("lowest", "highest"))
        table.add(f"{count['count']}", *ends)
    return table


def too_many(summary: Values) -> str:
    """Which counts do not fit, as a sentence; empty where all do."""
    counts = (summary.get("extremes") or {}).get("too_many")
    if not counts:
        return ""
    said = ", ".join(map(str, counts))
    return f"Too few test images for {said} at each end without counting one of them twice."
