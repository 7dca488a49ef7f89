"""What findings add to a drawn chest, in millimetres of water along the ray, and where.

Places are told by side (-1: the patient's right, the image's left; 1: the other one), how far
across the lung from the midline, and how far down it, both from 0 to 1.
"""

from typing import NamedTuple

import numpy as np

from . import chest_anatomy as anatomy
from .chest_anatomy import Chest

AIR = 0.74  # share of a lung's chord that is air
WAVES = np.arange(2, 7)  # around the border of a haze
TRACE_MM = 5.0  # of water: less is marked only if there is nowhere more than twice as much


class Haze(NamedTuple):
    """Lung that holds fluid instead of air, with an irregular border that fades."""

    side: int
    across: float
    down: float
    wide: float  # half, mm
    high: float  # half, mm
    phase: tuple[float, ...]  # of the waves of the border
    share: float  # of the air that is gone


class Nodule(NamedTuple):
    """A ball of tissue in a lung."""

    side: int
    across: float
    down: float
    radius: float  # mm
    share: float  # of the density of water


class Fluid(NamedTuple):
    """Fluid between lung and chest wall, above the diaphragm."""

    side: int
    height: float  # of the meniscus at the wall above the costophrenic angle, mm
    share: float  # of the lung's air that it displaces


class Gap(NamedTuple):
    """Air between a lung and the chest wall."""

    side: int
    top: float  # how far the tip has sunk, mm
    beside: float  # how far the lung has left the wall, mm


Finding = Haze | Nodule | Fluid | Gap


def added(chest: Chest, finding: Finding) -> np.ndarray:
    """What a finding adds to the path of the rays: (rows, columns), mm of water.

    The pleural line of a gap is drawn with it; the vessels that a gap hides are not: see `aerated`.
    """
    if isinstance(finding, Haze):
        return _haze(chest, finding)
    if isinstance(finding, Nodule):
        return _nodule(chest, finding)
    if isinstance(finding, Fluid):
        return AIR * finding.share * chest.lung * _below_meniscus(chest, finding)
    beyond, line = _gap(chest, finding)
    return (AIR - 1) * chest.lung * beyond + 5 * line * (chest.lung > 0)


def mask(chest: Chest, finding: Finding) -> np.ndarray:
    """Where a finding lies: bool (rows, columns)."""
    if isinstance(finding, Gap):
        return (_gap(chest, finding)[0] > 0.5) & (chest.lung > 0)
    path = added(chest, finding)
    return path > min(TRACE_MM, path.max() / 2)


def excess(chest: Chest, usual: float) -> np.ndarray:
    """Where the heart lies, and would not at its `usual` ratio: bool (rows, columns)."""
    without = anatomy.chest(chest.body, chest.pose, usual, len(chest.y))
    return chest.heart & (without.lung - chest.lung > TRACE_MM)


def aerated(chest: Chest, found: tuple[Finding, ...]) -> np.ndarray:
    """How much of the lungs' vessels is seen: (rows, columns) in [0, 1]."""
    seen = np.minimum(chest.lung / 45, 1)
    for finding in found:
        if isinstance(finding, Gap):
            seen = seen * (1 - _gap(chest, finding)[0])
    return seen


def _place(chest: Chest, finding: Haze | Nodule) -> tuple[float, float]:
    body = chest.body
    y = body.apex + finding.down * (
        anatomy.dome_top(body, chest.pose, finding.side > 0) - body.apex
    )
    wall = float(anatomy.wall_inside(body, np.asarray(y)))
    return finding.side * (24 + finding.across * (wall - 24)), y


def _haze(chest: Chest, haze: Haze) -> np.ndarray:
    x, y = _place(chest, haze)
    right, down = (chest.x - x) / haze.wide, (chest.y - y) / haze.high
    near = (np.abs(right) < 1.7) & (np.abs(down) < 1.7)  # the rest costs time for nothing
    right, down = right[near], np.broadcast_to(down, near.shape)[near]
    angle = np.arctan2(down, right)
    edge = 1 + sum(
        0.3 / wave * np.cos(wave * angle + phase)
        for wave, phase in zip(WAVES, haze.phase, strict=True)
    )
    patches = 0.82 + 0.18 * np.sin(5 * right + haze.phase[0]) * np.sin(4 * down + haze.phase[1])
    inside = np.clip((edge - np.hypot(right, down)) / 0.55, 0, 1)
    cover = np.zeros_like(chest.lung)
    cover[near] = inside * inside * (3 - 2 * inside) * patches
    cover *= chest.x * haze.side > 0  # the other lung is another lobe
    return AIR * haze.share * chest.lung * cover


def _nodule(chest: Chest, nodule: Nodule) -> np.ndarray:
    x, y = _place(chest, nodule)
    ball = anatomy.Ellipsoid(x, y, nodule.radius, 0.92 * nodule.radius, 2 * nodule.radius, 0.5)
    within = np.zeros_like(chest.lung)
    anatomy.add_chord(within, chest.x, chest.y, ball)
    return AIR * nodule.share * np.minimum(within, chest.lung)


def _below_meniscus(chest: Chest, fluid: Fluid) -> np.ndarray:
    """How far under the surface a pixel lies: 0 above it, 1 well below."""
    angle = anatomy.dome_top(chest.body, chest.pose, fluid.side > 0) + 50
    inwards = np.clip(1 - np.abs(chest.x) / np.maximum(chest.lateral, 1), 0, 1)
    surface = angle - fluid.height * (1 - 0.6 * np.sqrt(np.minimum(inwards / 0.45, 1)))
    share = np.clip((chest.y - surface) / (0.3 * fluid.height + 8), 0, 1)
    return share * (2 - share) * (chest.x * fluid.side > 0)


def _gap(chest: Chest, gap: Gap) -> tuple[np.ndarray, np.ndarray]:
    """How far a pixel lies beyond the lung's edge, and how much on it: 0 to 1 each."""
    body, y = chest.body, chest.y
    depth = anatomy.depth_at(body, y)
    sunk = y - gap.top * (1 - depth)
    edge = anatomy.wall_inside(body, sunk) - gap.beside * (1 - depth) ** 0.5
    edge = np.where(sunk > body.apex, edge, 0)
    slope = np.gradient(edge[:, 0], y[:, 0])[:, None]
    aside = np.abs(chest.x)
    inside = (edge - aside) / np.hypot(1, slope)  # across the edge, which is oblique
    medial = anatomy.medial_at(anatomy.depth_at(body, sunk))
    inside = np.minimum(inside, aside - medial + 40 * (depth > 0.25))
    this = (chest.x * gap.side > 0) * (y > body.apex)
    beyond = np.clip(0.5 - inside / chest.pixel_mm, 0, 1) * this
    line = np.exp(-(((inside - 0.5) / max(0.9, 0.7 * chest.pixel_mm)) ** 2)) * this
    return beyond, line
