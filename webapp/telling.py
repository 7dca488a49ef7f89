"""What is said of a study, in the language of who reads: JSON values for the page and the API."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..evaluation import Estimate
from . import queries
from .card import Card
from .database import Analysis, Reading, Study
from .exports.result import Check
from .reference import Reference
from .seen import Seen
from .service import Room
from .wording import has, number, percent, say

SIMILAR = 4
INVERTED = -0.1  # correlation with the mean training image below which a film may be inverted
_WARNINGS = {"lateral", "not_chest", "not_radiograph", "clipped", "dark", "burned_in"}


def class_name(language: str, card: Card, label: int) -> str:
    """What a class is called: the dataset's word in that language where it is known."""
    name = card.classes[label]
    if card.finding is not None:
        word = finding_name(language, card.finding)
        return word if label else say(language, "general.without", name=_within(word))
    if has(f"classes.{name}"):
        return say(language, f"classes.{name}")
    positive = label == len(card.classes) - 1
    return f"{say(language, 'general.finding' if positive else 'general.no_finding')} ({name})"


def finding_name(language: str, name: str) -> str:
    """What one of several findings is called: the dataset's own word where we know no other."""
    key = f"classes.{name.lower()}"
    return say(language, key) if has(key) else name


def _within(word: str) -> str:
    """A word as it stands within a sentence; one with capitals further on stays as it is."""
    return word if word[1:] != word[1:].lower() else word[:1].lower() + word[1:]


def preset(language: str, point: Mapping[str, Any]) -> dict[str, Any]:
    """A threshold to choose, with how it was chosen in words; fixed ones have none."""
    name, _, target = str(point["name"]).partition(" >= ")
    words = {"target": number(language, float(target), 2)} if target else {}
    rule = say(language, f"page.rule_{name}", **words) if target else ""
    return {"threshold": point["threshold"], "rule": rule}


def row(language: str, seen: Seen) -> dict[str, Any]:
    """A line of the worklist."""
    study, facts = seen.study, seen.study.facts or {}
    return {
        "id": study.id,
        "name": study.name,
        "state": study.state,
        "created": study.created.isoformat(timespec="milliseconds") + "Z",
        "kind": " ".join(filter(None, (facts.get("kind", ""), facts.get("modality", "")))),
        "rows": facts.get("rows"),
        "columns": facts.get("columns"),
        "probability": seen.analysis.probabilities[-1] if seen.analysis else None,
        "unlike": bool(seen.analysis and (seen.analysis.distance or 0) > 1),
        "withheld": seen.withheld,
        "verdict": seen.reading.verdict if seen.reading else None,
        "refusal": _refusal(language, study),
    }


def detail(language: str, room: Room, user: str, seen: Seen, card: Card) -> dict[str, Any]:
    """All of one study that the page shows; what is withheld is not in it."""
    study, analysis = seen.study, seen.analysis
    told: dict[str, Any] = {
        **row(language, seen),
        "facts": study.facts,
        "reading": _reading(seen.reading),
        "model": card.key,
        "classes": [class_name(language, card, label) for label in range(len(card.classes))],
        "checks": [vars(check) for check in checks(language, room, seen, card)],
        "found": None,
    }
    if analysis is not None:
        told["found"] = {
            "probabilities": analysis.probabilities,
            "calibrated": card.calibrated(analysis.probabilities[-1]),
            "like": vars(card.like(analysis.probabilities[-1])),
            "method": analysis.method,
            "map_worth": map_worth(language, card, analysis.method),
            "similar": similar(room, user, study, analysis),
            "findings": findings(language, room, user, analysis) if card.finding else [],
        }
    return told


def findings(language: str, room: Room, user: str, analysis: Analysis) -> list[dict[str, Any]]:
    """What the network found in the same film, the likeliest finding first."""
    weights = room.card(analysis.model).weights
    cards = [one for one in room.cards.values() if one.weights == weights]
    keys = [one.key for one in cards]
    with room.database.session() as session:
        scores = queries.scores(session, analysis.study_id, keys)
        cuts = queries.thresholds(session, user, keys)
    told = [
        {
            "model": one.key,
            "name": finding_name(language, one.finding or ""),
            "probability": scores[one.key],
            "threshold": cuts.get(one.key, one.default_threshold),
        }
        for one in cards
        if one.key in scores
    ]
    return sorted(told, key=lambda one: -one["probability"])


def checks(language: str, room: Room, seen: Seen, card: Card) -> list[Check]:
    """The checks of the input, those that matter most first."""
    facts = seen.study.facts
    if facts is None:
        return []
    found = list(_likenesses(language, seen.analysis, room.reference(card.key)))
    for code in facts["notes"]:
        level = "warning" if code in _WARNINGS else "note"
        found.append(Check(level, say(language, f"film.{code}")))
    size = f"{facts['columns']} \N{MULTIPLICATION SIGN} {facts['rows']} px, {facts['bits']} bit"
    found.append(Check("good", f"{facts['kind']}, {size}"))
    order = ("warning", "note", "good")
    return sorted(found, key=lambda check: order.index(check.level))


def _likenesses(
    language: str, analysis: Analysis | None, known: Reference | None
) -> Iterator[Check]:
    if analysis is None:
        return
    if known is None or analysis.distance is None:
        yield Check("note", say(language, "checks.distance_not_measured"))
        return
    flagged, of = known.false_alarms.tolist()
    values = {
        "times": number(language, analysis.distance, 1),
        "flagged": flagged,
        "of": of,
        "share": percent(language, flagged / max(of, 1)),
    }
    far = analysis.distance > 1
    key = "checks.unlike" if far else "checks.like"
    yield Check("warning" if far else "good", say(language, key, **values))
    if analysis.likeness is not None and analysis.likeness < INVERTED:
        yield Check("warning", say(language, "checks.inverted"))


def map_worth(language: str, card: Card, method: str) -> str:
    """What the audit of a run found of its heatmaps, in one sentence."""
    audit = card.facts["audits"].get(method)
    found: Mapping[str, Any] = audit["localisation"] if audit else {"not_measured": ""}
    if "not_measured" in found or found["called"]["hit"]["value"] is None:
        return say(language, "checks.map_not_measured")
    hit = Estimate(**found["called"]["hit"])
    chance = found["called"]["area"]["value"]
    assert hit.value is not None, "asked above"
    return say(
        language,
        "checks.map_worth",
        share=percent(language, hit.value),
        interval=interval(language, (hit.value, hit.low, hit.high)),
        images=hit.images,
        chance=percent(language, chance),
    )


def interval(language: str, bounds: tuple[float, float | None, float | None]) -> str:
    """The bounds of a share, as `63 a 79 %`; empty where there are none."""
    _, low, high = bounds
    if low is None or high is None:
        return ""
    words = say(language, "general.to")
    return f"{number(language, 100 * low)} {words} {percent(language, high)}"


def similar(room: Room, user: str, study: Study, analysis: Analysis) -> list[dict[str, Any]]:
    """The most similar cases: of the model's own images with known truth, then the user's."""
    known = room.reference(analysis.model)
    embedding = np.frombuffer(analysis.embedding, "<f4")
    found: list[dict[str, Any]] = []
    if known is not None:
        for case in known.nearest(embedding, SIMILAR):
            found.append(
                {"case": case.place, "id": case.id, "label": case.label, "side": case.side}
            )
    for other, away in room.own_nearest(user, study.id, analysis, 2):
        found.append({"study": other.id, "name": other.name, "distance": away})
    return found


def _reading(reading: Reading | None) -> Mapping[str, Any] | None:
    if reading is None:
        return None
    at = reading.created.isoformat() + "Z"
    return {"verdict": reading.verdict, "note": reading.note, "blind": reading.blind, "at": at}


def _refusal(language: str, study: Study) -> str | None:
    if study.refusal is None:
        return None
    return refusal(language, study.refusal["code"], study.refusal["values"])


def refusal(language: str, code: str, values: Mapping[str, Any]) -> str:
    """Why a file was not taken, as a sentence."""
    told = {
        name: number(language, value, 1) if isinstance(value, float) else value
        for name, value in values.items()
    }
    return say(language, f"refused.{code}", **told)
