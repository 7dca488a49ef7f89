"""From a study to what an export may say of it."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import telling
from .card import Card
from .database import now
from .exports.result import Bounds, ModelName, Result
from .exports.worklist import Row
from .seen import Seen
from .service import Room
from .wording import say

METHODS = {"gradcam": "Grad-CAM", "gradcam_plus_plus": "Grad-CAM++", "layercam": "LayerCAM"}


def result(language: str, room: Room, who: str, seen: Seen, card: Card, threshold: float) -> Result:
    """All that an export of a study says.

    Args:
        language: of its sentences.
        room: where the study lies.
        who: the name of the user who asks.
        seen: as `Room.shown` gives it.
        card: of the model.
        threshold: where the user cuts its probabilities.
    """
    study, analysis, reading = seen.study, seen.analysis, seen.reading
    assert analysis is not None, "`Room.shown` gives what was analysed"
    facts = study.facts or {}
    folder = room.films.folder(study.film)
    probabilities = tuple(analysis.probabilities)
    at = card.operating(threshold)
    metrics = card.facts["metrics"]["sensitivity"]
    return Result(
        study=study.id,
        name=study.name,
        upload=study.upload,
        size=(facts["rows"], facts["columns"]),
        made=now(),
        user=who,
        language=language,
        model=model_name(card),
        classes=tuple(
            telling.class_name(language, card, label) for label in range(len(card.classes))
        ),
        probabilities=probabilities,
        calibrated=card.calibrated(probabilities[-1]),
        threshold=threshold,
        sensitivity=_bounds(at["sensitivity"]),
        specificity=_bounds(at["specificity"]),
        measured_on=(metrics["images"], metrics["patients"]),
        checks=tuple(telling.checks(language, room, seen, card)),
        map_worth=telling.map_worth(language, card, analysis.method),
        method=method_name(analysis.method),
        verdict=reading.verdict if reading else None,
        note=reading.note if reading else "",
        read_at=reading.created if reading else None,
        picture=picture(folder, facts),
        maps=room.films.maps(study.film, card.key, len(probabilities)),
        header=_header(folder / "header.json"),
        orientation=tuple(facts["orientation"]) if facts["orientation"] else None,
    )


def line(language: str, seen: Seen, card: Card, threshold: float) -> Row:
    """A study as a line of the worklist's table."""
    study, analysis, reading = seen.study, seen.analysis, seen.reading
    probability = analysis.probabilities[-1] if analysis else None
    state = "withheld" if seen.withheld else study.state
    return Row(
        study=study.id,
        name=study.name,
        upload=study.upload,
        created=study.created,
        state=say(language, f"page.state_{state}"),
        probability=probability,
        threshold=threshold,
        above=None if probability is None else probability >= threshold,
        verdict=reading.verdict if reading else None,
        note=reading.note if reading else "",
        model=model_name(card),
    )


def model_name(card: Card) -> ModelName:
    """Which model speaks."""
    facts, finding = card.facts, card.finding or ""
    return ModelName(facts["title"], facts["version"], card.weights, facts["synthetic"], finding)


def method_name(method: str) -> str:
    """A heatmap method as it is written for people."""
    return METHODS.get(method, method)


def picture(folder: Path, facts: dict[str, Any]) -> NDArray[np.uint8]:
    """A film as its own window shows it: (rows, columns) uint8."""
    depth = np.dtype("<u2") if facts["depth"] == 16 else np.dtype("u1")
    raw = gzip.decompress((folder / "pixels.gz").read_bytes())
    values = np.frombuffer(raw, depth).reshape(facts["shown_rows"], facts["shown_columns"])
    centre, width = facts["window"]
    shares = (values.astype(np.float32) - (centre - width / 2)) / width
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _bounds(found: list[float] | None) -> Bounds | None:
    return None if found is None else (found[0], found[1], found[2])


def _header(path: Path) -> Any:
    if not path.exists():
        return None
    from pydicom.dataset import Dataset

    return Dataset.from_json(json.loads(path.read_text(encoding="utf-8")))
