"""Whom a synthetic chest radiograph shows: patients, their films and findings, drawn by lot.

Each draw has a stream of its own, named by the seed, what is drawn, and whose it is; so a film
can be drawn without those before it, and a patient's body is the same on all films.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import chest_findings as findings
from .chest_anatomy import Body, Pose
from .chest_findings import Finding
from .chest_phantom import Exposure, Film

FINDINGS = ("consolidation", "nodule", "effusion", "cardiomegaly", "pneumothorax")
LARGEST_USUAL = 0.495  # ratio of heart to chest; over 0.5 the heart counts as enlarged
BODY, FILM, SITE, LOOKALIKE, NOISE = range(10, 15)  # the streams


class Visit(NamedTuple):
    """What is known of a film before it is drawn."""

    seed: int
    patient: int
    row: int
    female: bool
    age: float
    supine: bool
    severity: dict[str, float]  # of the findings that there are; 1 is moderate
    lookalikes: float  # how often a harmless sign that resembles a finding is there, in [0, 1]


def film(visit: Visit) -> Film:
    """The film of a visit."""
    found = tuple(local(visit).values()) + _lookalikes(visit)
    return Film(body_of(visit), _pose(visit), _exposure(visit), ratio(visit), found)


def ratio(visit: Visit) -> float:
    """Width of the heart over that of the chest, as drawn: over 0.5 if, and only if, enlarged."""
    severity = visit.severity.get("cardiomegaly")
    return usual_ratio(visit) if severity is None else min(0.505 + 0.06 * severity, 0.66)


def usual_ratio(visit: Visit) -> float:
    """The same without a finding; a heart looks larger where the plate lies at the back."""
    return min(body_of(visit).ratio + (0.022 if visit.supine else 0.0), LARGEST_USUAL)


def body_of(visit: Visit) -> Body:
    """The patient's body: the same on every film."""
    draw = np.random.default_rng([visit.seed, BODY, visit.patient])
    female, old = visit.female, (visit.age - 55) / 20
    scale = draw.normal(1, 0.045) * (0.92 if female else 1.0)
    stout = draw.normal(0, 1)
    return Body(
        half_width=float(np.clip(138 * scale + 2 * stout, 108, 152)),
        apex=58 + 90 * (1 - scale),
        dome=266 - 30 * (1 - scale) + draw.normal(0, 6) - 3 * max(stout, 0),
        depth=163 * scale + 4 * old + draw.normal(0, 5),
        wall=float(np.clip(29 + 6 * stout, 18, 42)),
        breast=float(np.clip(26 + 8 * stout + draw.normal(0, 6), 8, 50)) if female else 0.0,
        ratio=float(np.clip(draw.normal(0.44, 0.025), 0.37, LARGEST_USUAL)),
        knob=float(np.clip(20 + 2.5 * old + draw.normal(0, 1.2), 15, 28)),
        bone=float(np.clip(1.02 - 0.08 * old + draw.normal(0, 0.07), 0.7, 1.3)),
        slope=float(np.clip(draw.normal(1, 0.08), 0.8, 1.25)),
        curve=draw.normal(0, 2 + max(old, 0)),
        seed=int(draw.integers(2**32)),
    )


def local(visit: Visit) -> dict[str, Finding]:
    """The findings that lie at a place, by name; the patient's next film has them there too."""
    kinds: tuple[tuple[str, Callable[[np.random.Generator, float], Finding]], ...] = (
        ("consolidation", _haze),
        ("nodule", _nodule),
        ("effusion", _fluid),
        ("pneumothorax", _gap),
    )
    found = {}
    for number, (name, drawn) in enumerate(kinds):
        if name in visit.severity:
            site = np.random.default_rng([visit.seed, SITE, visit.patient, number])
            found[name] = drawn(site, visit.severity[name])
    return found


def noise(visit: Visit) -> np.random.Generator:
    """What the grain of a film is drawn from."""
    return np.random.default_rng([visit.seed, NOISE, visit.row])


def _pose(visit: Visit) -> Pose:
    draw = np.random.default_rng([visit.seed, FILM, visit.row])
    supine = visit.supine
    return Pose(
        supine=supine,
        shift=(draw.normal(0, 4), draw.normal(0, 5)),
        zoom=float(np.clip(draw.normal(1.03 if supine else 1.0, 0.025), 0.92, 1.1)),
        lean=draw.normal(0, 0.022 if supine else 0.01),
        turn=draw.normal(0, 5 if supine else 2),
        breath=float(np.clip(draw.normal(14 if supine else 4, 6), -4, 34)),
    )


def _exposure(visit: Visit) -> Exposure:
    draw = np.random.default_rng([visit.seed, FILM, visit.row, 1])
    grid = 2.0 if visit.supine else 1.0  # a portable machine has none, and less power
    return Exposure(
        middle=draw.normal(140, 7),
        latitude=draw.normal(36, 2.5),
        fall=(draw.normal(0, 5 * grid), draw.normal(0, 5)),
        grain=draw.uniform(1.0, 2.0) * np.sqrt(grid),
        marker=int(draw.choice([-1, 1])),
        marker_at=(draw.uniform(150, 176), draw.uniform(14, 34)),
    )


def _lookalikes(visit: Visit) -> tuple[Finding, ...]:
    """Crowded vessels, a vessel seen end-on, an angle blunted by fat: on any film, ill or not."""
    draw = np.random.default_rng([visit.seed, LOOKALIKE, visit.row])
    shown = draw.random(3) < visit.lookalikes
    hazy = _haze(draw, 0.15)._replace(down=draw.uniform(0.6, 0.95))
    round_one = _nodule(draw, 0.9)._replace(radius=draw.uniform(2.5, 4.5))
    blunt = _fluid(draw, 1.0)._replace(height=draw.uniform(4, 14))
    signs: tuple[Finding, ...] = (hazy, round_one, blunt)
    return tuple(sign for sign, there in zip(signs, shown, strict=True) if there)


def _haze(draw: np.random.Generator, severity: float) -> findings.Haze:
    return findings.Haze(
        side=int(draw.choice([-1, 1])),
        across=draw.uniform(0.4, 0.75),
        down=draw.uniform(0.3, 0.9),
        wide=draw.uniform(26, 46),
        high=draw.uniform(22, 42),
        phase=tuple(draw.uniform(0, 2 * np.pi, len(findings.WAVES))),
        share=min(0.5 * severity, 0.95),
    )


def _nodule(draw: np.random.Generator, severity: float) -> findings.Nodule:
    down = draw.uniform(0.15, 0.85)
    return findings.Nodule(
        side=int(draw.choice([-1, 1])),
        across=draw.uniform(0.25 + 0.4 * down, 0.85),  # beside the heart, not behind it
        down=down,
        radius=draw.uniform(5, 15),  # 1 to 3 cm across
        share=float(np.clip(1.2 * severity, 0.3, 2)),
    )


def _fluid(draw: np.random.Generator, severity: float) -> findings.Fluid:
    return findings.Fluid(
        side=int(draw.choice([-1, 1])), height=float(np.clip(60 * severity, 12, 160)), share=0.95
    )


def _gap(draw: np.random.Generator, severity: float) -> findings.Gap:
    return findings.Gap(
        side=int(draw.choice([-1, 1])),
        top=float(np.clip(25 * severity * draw.uniform(0.7, 1.3), 5, 70)),
        beside=float(np.clip(15 * severity * draw.uniform(0.7, 1.3), 3, 55)),
    )
