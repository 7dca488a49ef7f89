"""What a run knows of its tests, as sentences for a checklist; as in checklist_facts.py."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..evaluation import Estimate
from . import external_tables
from .checklist_facts import Evidence, side
from .report_tables import LABELS

Values = Mapping[str, Any]
_MAIN = ("roc_auc", "sensitivity", "specificity", "accuracy")


def measures(evidence: Evidence) -> str:
    """Which metrics there are, and at which threshold."""
    metrics = evidence.metrics["splits"]["test"]["metrics"]
    names = [LABELS[name] for name in metrics if name in LABELS]
    return f"{', '.join(names)}. {thresholds(evidence)}"


def thresholds(evidence: Evidence) -> str:
    """How each threshold was set."""
    points = [
        f"{point['name']} is {point['threshold']:.4g}, {_origin(point)}"
        for point in evidence.metrics["operating_points"]
    ]
    return f"Thresholds: {'; '.join(points)}. None was chosen on test images."


def uncertainty(evidence: Evidence) -> str:
    """How intervals were made."""
    metrics = evidence.metrics
    unit = "patients" if metrics["patients_known"] else "images (patients are not known)"
    return (
        f"{metrics['confidence']:.0%} intervals by the bootstrap over {unit}, expanded percentile, "
        f"{metrics['resamples']:,} resamples; score intervals (Wilson, Newcombe) where every "
        "resample is alike. No hypothesis was tested."
    )


def evaluation(evidence: Evidence) -> str:
    """Measures, uncertainty and plots."""
    plots = sorted(path.stem for path in (evidence.run.folder / "plots").glob("*.svg"))
    drawn = f" Plots: {', '.join(plots)}." if plots else ""
    return f"{measures(evidence)} {uncertainty(evidence)}{drawn}"


def internal_test(evidence: Evidence) -> str:
    """The held-back side of the same dataset."""
    name = evidence.manifest["data"]["name"]
    return (
        f"On images of {name} that were held back from training and from choosing thresholds: "
        f"{side(evidence, 'test')}."
    )


def external_test(evidence: Evidence) -> str:
    """Each external validation with its overlap and its differences."""
    if not evidence.external:
        raise KeyError("external")
    return " ".join(map(_external, evidence.external))


def performance(evidence: Evidence) -> str:
    """The main metrics on every side, and the calibration of the test side where it is known."""
    splits = evidence.metrics["splits"]
    told = " ".join(f"{name}: {_figures(side['metrics'])}." for name, side in splits.items())
    return f"{told} {_confidence(evidence)}{_calibration(evidence.metrics)}"


def performance_by_group(evidence: Evidence) -> str:
    """The same, and for each group of test images that is large enough."""
    groups = evidence.metrics["subgroups"]
    told = [_groups(column, found) for column, found in groups.items()]
    return " ".join([performance(evidence), *told])


def performance_by_site(evidence: Evidence) -> str:
    """For each site, where the run was asked to take them apart."""
    return _groups("site", evidence.metrics["subgroups"]["site"])


def accuracy(evidence: Evidence) -> str:
    """Sensitivity and specificity of the test images at each threshold."""
    points = [
        f"{point['name']}: {_figures(point['test'], ('sensitivity', 'specificity', 'ppv', 'npv'))}"
        for point in evidence.metrics["operating_points"]
    ]
    return f"{'; '.join(points)}. {_confidence(evidence)}"


def mistakes(evidence: Evidence) -> str:
    """How many test images were called wrongly; examples are in the report."""
    split = evidence.metrics["splits"]["test"]
    missed, alarms = (
        split["metrics"][name]["value"] for name in ("false_negatives", "false_positives")
    )
    negative, positive = evidence.metrics["classes"]
    return (
        f"Of {split['positives']:,} '{positive}' images {missed:,} were missed, of "
        f"{split['images'] - split['positives']:,} '{negative}' images {alarms:,} were false "
        "alarms. report.html shows examples; predictions.csv lists them all."
    )


def prediction(evidence: Evidence) -> str:
    """What gave the probabilities that were tested."""
    manifest = evidence.manifest
    return (
        f"By the weights of SHA-256 {manifest['weights_sha256']} on {manifest['backend']} "
        f"({manifest['device']['used']}), after the same preprocessing as in training; every "
        "probability is in predictions.csv."
    )


def output(evidence: Evidence) -> str:
    """Probability and thresholds."""
    positive = evidence.metrics["positive_class"]
    return f"The probability of '{positive}', from 0 to 1. {thresholds(evidence)}"


def _origin(point: Values) -> str:
    if point["chosen_on"] == "beforehand":
        return "set beforehand"
    return f"chosen on {point['chosen_on']} images ({point['rule']})"


def _external(found: Values) -> str:
    beside, split = found["external"], found["splits"]["test"]
    known = found["patients_known"]
    people = f"{split['patients']:,} patients" if known else "patients unknown"
    synthetic = ", SYNTHETIC" if found["synthetic"] else ""
    apart = ", ".join(
        " ".join((LABELS[name], *external_tables.signed(values)))
        for name, values in beside["differences"].items()
    )
    meant = " This was said to be meant." if beside["overlap"]["meant"] else ""
    return (
        f"{beside['title']} ({split['images']:,} images, {people}, {split['positives']:,} "
        f"'{found['positive_class']}'{synthetic}): {_figures(split['metrics'])}. Less the internal "
        f"test: {apart}. {beside['overlap']['sentence']}{meant}"
    )


def _groups(column: str, groups: Values) -> str:
    each = [
        f"{name} ({group['images']:,} images): "
        + ("too few" if group["too_few"] else _figures(group["metrics"]))
        for name, group in groups.items()
    ]
    return f"By {column}: {'; '.join(each)}."


def _calibration(metrics: Values) -> str:
    found = metrics.get("calibration")
    if not found:
        return ""
    told = {"ece": "expected calibration error", "slope": "slope", "intercept": "intercept"}
    raw = found["raw"]["metrics"]
    each = [f"{words} {Estimate(**raw[name])}" for name, words in told.items()]
    return f" Calibration on test: {', '.join(each)}."


def _figures(metrics: Values, names: Iterable[str] = _MAIN) -> str:
    return ", ".join(f"{LABELS[name]} {Estimate(**metrics[name])}" for name in names)


def _confidence(evidence: Evidence) -> str:
    return f"In brackets: {evidence.metrics['confidence']:.0%} intervals."
