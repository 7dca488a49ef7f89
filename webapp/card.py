"""What the reading room knows of a model before any film: its card, worked out once a run."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..evaluation import Bootstrap, Estimate, Predictions, at_threshold, roc_curve
from ..evaluation.intervals import wilson
from ..experiments import finished, heatmap_tables, trust
from ..experiments.finished import Finished
from ..experiments.run import RunDirectory

VERSION = 2  # of the file's form
LIKE = 0.05  # validation films whose probability is this near are "with a score like this"
FEWEST = 20  # of them at least, the nearest where fewer are so near
THRESHOLDS = tuple(step / 100 for step in range(1, 100))


class OneClass(RunError):
    """Images are all of one class."""


@dataclass(frozen=True)
class Like:
    """Of `films` validation films with probabilities `low` to `high`, `positive` had the finding.

    `bounds` is Wilson's 95 % interval of that share.
    """

    films: int
    positive: int
    low: float
    high: float
    bounds: tuple[float, float]


@dataclass(frozen=True)
class Card:
    """A model as the reading room presents it; `facts` is what `make` wrote.

    A model of several findings has a card for each of them.
    """

    facts: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What it is asked for by: the SHA-256 of its weights; of these and the finding, if any."""
        if self.finding is None:
            return self.weights
        return hashlib.sha256(f"{self.weights} {self.finding}".encode()).hexdigest()

    @property
    def weights(self) -> str:
        """SHA-256 of its weights: which network it is."""
        return self.facts["weights"]

    @property
    def finding(self) -> str | None:
        """Which of the findings of its network it tells; None for a model of two classes."""
        return self.facts.get("finding")

    @property
    def stamp(self) -> dict[str, str]:
        """Which model it is, for a line of the audit log."""
        told = {"model": self.weights[:16]}
        return told if self.finding is None else {**told, "finding": self.finding}

    @property
    def classes(self) -> tuple[str, ...]:
        """As the dataset calls them, the positive one last."""
        return tuple(self.facts["classes"])

    @property
    def default_threshold(self) -> float:
        """Where films are cut until somebody chooses otherwise."""
        return self.facts["presets"][0]["threshold"]

    def operating(self, threshold: float) -> Mapping[str, Any]:
        """What the test set says at the nearest of `THRESHOLDS`: see `_operating`."""
        place = int(np.argmin(np.abs(np.array(THRESHOLDS) - threshold)))
        return self.facts["operating"][place]

    def calibrated(self, probability: float) -> float | None:
        """After temperature scaling; None where no temperature could be fitted."""
        temperature = self.facts["temperature"]
        if temperature is None:
            return None
        kept = min(max(probability, 1e-7), 1 - 1e-7)
        return float(1 / (1 + np.exp(-np.log(kept / (1 - kept)) / temperature)))

    def like(self, probability: float) -> Like:
        """The validation films with a score like this."""
        scores, labels = self._validation
        away = np.abs(scores - probability)
        chosen = away <= max(LIKE, np.sort(away)[min(FEWEST, len(away)) - 1])
        films, positive = int(chosen.sum()), int(labels[chosen].sum())
        ends = float(scores[chosen].min()), float(scores[chosen].max())
        return Like(films, positive, *ends, wilson(positive / films, films, 0.95))

    @cached_property
    def _validation(self) -> tuple[np.ndarray, np.ndarray]:
        found = self.facts["validation"]
        return np.array(found["scores"]), np.array(found["labels"])


def of_run(folder: Path, run: Finished) -> list[Card]:
    """Read or make the card of a run; of a run of several findings those of each.

    Findings of which the validation or the test images are all alike have none: `unserved` of the
    facts of the others names them.

    Args:
        folder: where cards are kept.
        run: finished.

    Raises:
        RunError: as for `read`; or no finding can be served.
    """
    if not run.several:
        return [read(folder / "card.json", run)]
    made, unserved = [], []
    for name, one in run.metrics["findings"].items():
        try:
            made.append(_of_finding(folder, run, one))
        except OneClass:
            unserved.append(name)
    if not made:
        raise RunError(
            f"{run.folder} cannot be served: no finding is on some of its validation and test "
            "images and absent from others. Serve a run with more images."
        )
    return [Card({**one.facts, "unserved": unserved}) for one in made]


def _of_finding(folder: Path, run: Finished, found: Mapping[str, Any]) -> Card:
    if "folder" not in found:
        raise OneClass(found["left_out"])
    own = finished.one(trust.inside(run.folder, found["folder"]))
    return read(folder / f"card-{own.folder.name}.json", own)


def read(path: Path, run: Finished) -> Card:
    """Read the card that was kept, or make it and keep it.

    Args:
        path: of the file.
        run: finished.

    Raises:
        RunError: it cannot be written, or the run has no test or validation predictions.
    """
    stamp = {"version": VERSION, "metrics": run.metrics, "weights": run.manifest["weights_sha256"]}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    if kept.get("stamp") != json.loads(json.dumps(stamp)):
        kept = {"stamp": stamp, "facts": make(run)}
        RunDirectory(path.parent).write_json(path.name, kept)
    audits = {audit["method"]: audit for audit in heatmap_tables.audits(run.folder)}
    return Card({**kept["facts"], "audits": audits})


def make(run: Finished) -> dict[str, Any]:
    """Work out the card of a run, as JSON values."""
    manifest, metrics, data = run.manifest, run.metrics, run.manifest["data"]
    test = _predictions(run, "test")
    validation = _predictions(run, "validation")
    curve = roc_curve(test)
    return {
        "title": manifest["title"],
        "version": run.weights.parent.name,
        "finding": run.finding,
        "finding_number": manifest.get("finding_number"),
        "weights": manifest["weights_sha256"],
        "architecture": run.spec["model"]["architecture"],
        "input_shape": list(run.spec["model"]["options"]["input_shape"]),
        "backend": manifest["backend"],
        "device": manifest["device"]["used"],
        "seed": manifest["seed"],
        "finished": manifest["finished"],
        "radzoo": manifest["versions"]["radzoo"],
        "classes": data["classes"],
        "data": data,
        "sides": manifest["split"]["sides"],
        "synthetic": data["synthetic"],
        "metrics": metrics["splits"]["test"]["metrics"],
        "threshold_of_metrics": metrics["splits"]["test"]["threshold"],
        "subgroups": metrics["subgroups"],
        "calibration": metrics["calibration"],
        "temperature": metrics["calibration"]["temperature"]["value"],
        "notes": metrics["notes"],
        "presets": list(_presets(metrics["operating_points"])),
        "operating": [_operating(test, threshold) for threshold in THRESHOLDS],
        "roc": {
            "rate": curve.false_positive_rate.tolist(),
            "sensitivity": _finite(curve.sensitivity),
        },
        "validation": {
            "scores": validation.probabilities.tolist(),
            "labels": validation.labels.tolist(),
        },
    }


def _predictions(run: Finished, side: str) -> Predictions:
    found = run.predictions_of(side)
    if not found.positives or not found.negatives:
        raise OneClass(
            f"{run.folder} cannot be served: its {side} images are of one class, so nobody can "
            "say how often it is wrong. Serve a run whose split has both."
        )
    return found


def _presets(points: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The thresholds to choose from; first what misses fewest of those chosen on validation.

    Rounded down to a step of the slider: a lower threshold misses no more.
    """
    chosen = [point for point in points if point["name"].startswith("sensitivity")]
    fixed = [point for point in points if point["chosen_on"] == "beforehand"]
    for point in [*chosen, *fixed]:
        threshold = max(math.floor(100 * point["threshold"] + 1e-9) / 100, THRESHOLDS[0])
        yield {"name": point["name"], "threshold": threshold, "chosen_on": point["chosen_on"]}


def _operating(test: Predictions, threshold: float) -> dict[str, Any]:
    found = at_threshold(test, threshold, Bootstrap())
    names = ("sensitivity", "specificity", "ppv", "npv")
    return {"threshold": threshold, **{name: _bounds(found[name]) for name in names}}


def _bounds(found: Estimate) -> list[float] | None:
    """[value, low, high], or None where one of them is not known."""
    if found.value is None or found.low is None or found.high is None:
        return None
    return [found.value, found.low, found.high]


def _finite(values: np.ndarray) -> list[float]:
    return np.nan_to_num(values).tolist()
