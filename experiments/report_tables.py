"""The tables of a report: what `metrics.json` and `manifest.json` hold, in a reader's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from string import ascii_lowercase
from typing import Any

from ..evaluation import Estimate

Values = Mapping[str, Any]
LABELS = {
    "roc_auc": "ROC AUC",
    "sensitivity": "Sensitivity (recall)",
    "specificity": "Specificity",
    "pr_auc": "PR AUC (average precision)",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1 score",
    "ppv": "Positive predictive value (precision)",
    "npv": "Negative predictive value",
    "mcc": "Matthews correlation (-1 to 1)",
    "lr_positive": "Positive likelihood ratio",
    "lr_negative": "Negative likelihood ratio",
    "brier": "Brier score (lower is better)",
    "true_positives": "Found (true positives)",
    "false_negatives": "Missed (false negatives)",
    "false_positives": "False alarms (false positives)",
    "true_negatives": "Cleared (true negatives)",
}
_ALIASES = {"recall": "sensitivity", "auc": "roc_auc", "precision": "ppv"}
_SPLITS = ("train", "validation", "test")
_POINT_COLUMNS = (
    ("validation", "sensitivity"),
    ("validation", "specificity"),
    ("test", "sensitivity"),
    ("test", "specificity"),
    ("test", "false_negatives"),
    ("test", "false_positives"),
)
_POINT_HEADS = {
    "sensitivity": "sensitivity (recall)",
    "specificity": "specificity",
    "false_negatives": "missed",
    "false_positives": "false alarms",
}
_MEASURED = {entry.name for entry in fields(Estimate)}


@dataclass
class Table:
    """Rows of cells under a head; `notes` are its footnotes, lettered in order.

    A cell is a text, its interval in brackets or nothing, and the letters of its footnotes.
    """

    head: list[str]
    rows: list[list[tuple[str, str, str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: Any) -> None:
        """Add a row of texts and estimates."""
        self.rows.append([self._cell(cell) for cell in cells])

    @property
    def footnotes(self) -> list[tuple[str, str]]:
        """Each footnote with its letter."""
        return [(_letter(place), note) for place, note in enumerate(self.notes)]

    def _cell(self, cell: Any) -> tuple[str, str, str]:
        if not isinstance(cell, Estimate):
            return str(cell), "", ""
        value, bracket, interval = str(cell).partition("(")
        return value.strip(), bracket + interval, self.mark(cell.method, cell.note)

    def mark(self, *said: str) -> str:
        """The letters of the footnotes that say these things; "none" is nothing to say."""
        told = [text for text in said if text and text != "none"]
        self.notes += [text for text in dict.fromkeys(told) if text not in self.notes]
        return " ".join(_letter(self.notes.index(text)) for text in told)


@dataclass(frozen=True)
class Headline:
    """What a reader takes away: three numbers, and how many were missed."""

    split: str
    counts: str
    threshold: str
    numbers: list[tuple[str, str, str]]
    missed: str
    missed_patients: str
    alarms: str


def headline(summary: Values) -> Headline | None:
    """The test split's verdict; None where nothing was measured on test images."""
    split = summary.get("splits", {}).get("test")
    if split is None:
        return None
    found, (negative, positive) = split["metrics"], summary["classes"]
    numbers = [_number(name, found) for name in ("roc_auc", "sensitivity", "specificity")]
    ill, well = split["positives"], split["images"] - split["positives"]
    missed, alarms = (_count(found, name) for name in ("false_negatives", "false_positives"))
    people = split.get("missed") if summary["patients_known"] else None
    return Headline(
        split="test",
        counts=_counts(split, positive, summary["patients_known"]),
        threshold=f"{split['threshold']:.4g}",
        numbers=numbers,
        missed=f"{missed:,} of {ill:,} '{positive}' images {_were(missed)} missed",
        missed_patients=_missed_patients(people, positive),
        alarms=f"{alarms:,} of {well:,} '{negative}' images {_were(alarms)} false alarms",
    )


def metrics(summary: Values) -> Table:
    """Every metric of every split, at the threshold that was set beforehand."""
    splits = {name: summary["splits"][name] for name in _SPLITS if name in summary["splits"]}
    positive = summary["positive_class"]
    known = summary["patients_known"]
    heads = [f"{name}: {_counts(split, positive, known)}" for name, split in splits.items()]
    table = Table(["", *heads])
    for name, label in LABELS.items():
        found = [split["metrics"].get(name) for split in splits.values()]
        if all(found):  # a run of an older version has measured less
            table.add(label, *map(_estimate, found))
    return table


def reported(summary: Values, figures: Values) -> Table | None:
    """The figures that a paper gives beside ours; None where the spec has none."""
    named = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    test = summary.get("splits", {}).get("test")
    if not named or test is None:
        return None
    table = Table(["", f"reported ({figures.get('source', 'no source given')})", "test"])
    for key, value in named.items():
        name = _ALIASES.get(key, key)
        measured = test["metrics"].get(name)
        ours = _estimate(measured) if measured else "not measured"
        table.add(LABELS.get(name, name), f"{value:g}", ours)
    return table


def operating_points(summary: Values) -> Table | None:
    """The thresholds with what they give on validation and on test; None without any."""
    points = summary.get("operating_points") or []
    if not points:
        return None
    columns = [(split, name) for split, name in _POINT_COLUMNS if split in points[0]]
    heads = [f"{split}: {_POINT_HEADS[name]}" for split, name in columns]
    table = Table(["Operating point", "Threshold", *heads, "Chosen"])
    for point in points:
        chosen = point["chosen_on"]
        origin = chosen if chosen == "beforehand" else f"on {chosen}: {point['rule']}"
        cells = [_estimate(point[split][name]) for split, name in columns]
        table.add(point["name"], f"{point['threshold']:.4g}", *cells, origin)
    return table


def subgroups(summary: Values) -> dict[str, Table]:
    """A table for each column of the dataset by which the test images were grouped."""
    return {
        column: _groups(column, groups, summary)
        for column, groups in (summary.get("subgroups") or {}).items()
    }


def _groups(column: str, groups: Values, summary: Values) -> Table:
    shown = ("roc_auc", "sensitivity", "specificity", "false_negatives")
    heads = [LABELS[name] for name in shown]
    table = Table([column, "Images", "Patients", summary["positive_class"], *heads])
    for name, group in groups.items():
        counts = _side(group, summary["patients_known"])
        if group.get("too_few"):
            table.add(name, *counts, *["too few"] * len(shown))
        else:
            table.add(name, *counts, *(_estimate(group["metrics"][key]) for key in shown))
    return table


def data(manifest: Values) -> tuple[Table, dict[str, str]]:
    """The sides of the split, and the facts of the dataset."""
    facts, split = manifest.get("data", {}), manifest.get("split", {})
    table = Table(["Side", "Images", "Patients", "Positives"])
    for name, side in split.get("sides", {}).items():
        table.add(name, *_side(side, split.get("by_patient") is not False))
    said = {
        "Dataset": facts.get("name"),
        "Source": facts.get("source"),
        "Licence": facts.get("licence"),
        "Split": _split_words(split.get("by_patient")),
        "Content (SHA-256)": facts.get("content_sha256"),
        "Split (SHA-256)": split.get("sha256"),
    }
    return table, _present(said)


def training(manifest: Values, spec: Values) -> dict[str, str]:
    """How the model was made, and on what."""
    device = manifest.get("device", {})
    git, model = manifest.get("git", {}), spec.get("model", {})
    asked, used = device.get("asked"), device.get("used")
    said = {
        "Architecture": model.get("architecture"),
        "Weights to start from": model.get("weights"),
        "Backend": manifest.get("backend"),
        "Device used": used and f"{used} ({device.get('name') or 'no name'}); asked for: {asked}",
        "Precision": manifest.get("precision"),
        "Threads": manifest.get("threads"),
        "Seed": manifest.get("seed"),
        "Wall time": _time(manifest.get("wall_time_s")),
        "Peak memory": _unit(manifest.get("peak_memory_mb"), "MB"),
        "Started, finished": _joined(manifest.get("started"), manifest.get("finished")),
        "Weights (SHA-256)": manifest.get("weights_sha256"),
        "Code": git.get("commit")
        and git["commit"] + (", with changes" if git.get("dirty") else ""),
        "Versions": ", ".join(f"{k} {v}" for k, v in manifest.get("versions", {}).items()),
    }
    return _present(said)


def _estimate(values: Values) -> Estimate:
    return Estimate(**{name: value for name, value in values.items() if name in _MEASURED})


def _number(name: str, found: Values) -> tuple[str, str, str]:
    text = str(_estimate(found[name]))
    value, _, rest = text.partition(" (")
    if found[name]["value"] is None:
        return LABELS[name], "-", found[name]["note"]
    return LABELS[name], value, rest.rstrip(")")


def _count(found: Values, name: str) -> int:
    return int(found[name]["value"] or 0)


def _counts(split: Values, positive: str, patients_known: bool) -> str:
    people = "1 patient" if split["patients"] == 1 else f"{split['patients']:,} patients"
    people = people if patients_known else "patients unknown"
    images = "1 image" if split["images"] == 1 else f"{split['images']:,} images"
    return f"{images}, {people}, {split['positives']:,} '{positive}'"


def _side(counts: Values, patients_known: bool) -> list[str]:
    images, patients, positives = (
        f"{counts[key]:,}" for key in ("images", "patients", "positives")
    )
    return [images, patients if patients_known else "unknown", positives]


def _missed_patients(people: Values | None, positive: str) -> str:
    if not people:
        return ""
    return (
        f"{people['patients']:,} of {people['of']:,} patients with '{positive}' images had none of "
        f"them called '{positive}'"
    )


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _split_words(by_patient: bool | None) -> str | None:
    words = {True: "by patient: no patient is on two sides", False: "by image: patients unknown"}
    return None if by_patient is None else words[by_patient]


def _present(said: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in said.items() if value not in (None, "")}


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, hours = round(seconds / 60), int(seconds // 3600)
    return f"{minutes} min" if minutes < 120 else f"{hours} h {minutes - 60 * hours} min"


def _unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value:,.0f} {unit}"


def _joined(*values: str | None) -> str:
    return ", ".join(_kept(values))


def _kept(values: tuple[str | None, ...]) -> Iterator[str]:
    return (value for value in values if value)


def _letter(place: int) -> str:
    rounds, rest = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[rest] * (rounds + 1)
