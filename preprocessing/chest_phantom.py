"""How a synthetic frontal chest radiograph is drawn: the way of the rays, summed.

Every organ is a chord: how many millimetres of it a ray crosses. Their sum in millimetres of
water is what a film blackens by, through its curve. Float64 on a seeded generator, ending in
256 levels, so that machines agree on every pixel. No organ was ever scanned for this.
"""

from typing import NamedTuple

import numpy as np

from . import chest_anatomy as anatomy
from . import chest_findings as findings
from . import chest_lines as lines
from .chest_anatomy import Body, Chest, Ellipsoid, Pose
from .chest_findings import AIR, Finding

VERSION = 1  # raise it with every change that alters a pixel
BONE = 1.0  # what a millimetre of bone adds to that of the tissue in its place


class Exposure(NamedTuple):
    """How a film was exposed and developed."""

    middle: float  # mm of water that come out as middle grey
    latitude: float  # mm of water from there to the shoulder of the film's curve
    fall: tuple[float, float]  # mm of water from edge to edge, to the right and down
    grain: float  # noise, mm of water
    marker: int  # the side that is marked: -1 'R', 1 'L'
    marker_at: tuple[float, float]  # x, counted outwards, and y, mm


class Film(NamedTuple):
    """All that decides a film."""

    body: Body
    pose: Pose
    exposure: Exposure
    ratio: float  # width of the heart over that of the chest
    found: tuple[Finding, ...]


def radiograph(film: Film, size: int, draw: np.random.Generator) -> np.ndarray:
    """Draw a film: float32 (size, size), 256 levels in [0, 1], bone white.

    Args:
        film: what is on it.
        size: rows and columns; the same film at another size shows the same, in finer grain.
        draw: noise.
    """
    chest = anatomy.chest(film.body, film.pose, film.ratio, size)
    path = _tissue(chest) - AIR * chest.lung
    path += AIR * lines.vessels(chest, findings.aerated(chest, film.found))
    path += BONE * (lines.bones(chest) + _flat_bones(chest) + _spine(chest))
    for finding in film.found:
        path += findings.added(chest, finding)
    path += _mottled(chest, draw)
    path += _marker(chest, film.exposure)
    return _developed(path, film.exposure, draw)


def _tissue(chest: Chest) -> np.ndarray:
    """Chord of the body as if its lungs held no air: trunk, neck, shoulders and breasts."""
    body, x, y = chest.body, chest.x, chest.y
    flank = body.half_width + body.wall + 4
    below = y - body.apex
    neck = 1 / (1 + np.exp(-(below + 18) / 8.5))  # 0 there, 1 from the shoulders on
    arms = 1 / (1 + np.exp((below - 105) / 14))  # 1 down to the armpit
    half = 58 + (flank - 58) * neck + 75 * neck * arms
    off = x / half
    off *= off
    trunk = (body.depth + 1.7 * body.wall) * np.sqrt(np.maximum(1 - off, 0))
    trunk *= 0.6 + 0.4 * np.clip((below + 40) / 110, 0, 1)
    tissue = trunk * (1 + 0.16 * np.clip((y - body.dome - 10) / 90, 0, 1))  # the belly is deeper
    if body.breast:  # the square of its chord: a breast is thin at its border
        breast = Ellipsoid(76, body.dome - 22, 60, 52, np.sqrt(body.breast))
        anatomy.add_pair(tissue, x, y, breast, power=2)
    _add_roots(tissue, chest)
    _take_air(tissue, chest)
    return tissue


def _add_roots(tissue: np.ndarray, chest: Chest) -> None:
    """What the roots of the lungs hold beside the vessels that are drawn one by one."""
    right = Ellipsoid(-36 + chest.pose.turn / 2, chest.body.apex + 122, 19, 34, 5.0, 0.2)
    left = Ellipsoid(38 + chest.pose.turn / 2, chest.body.apex + 110, 18, 31, 5.0, -0.25)
    for root in (right, left):
        anatomy.add_chord(tissue, chest.x, chest.y, root, power=2)


def _take_air(tissue: np.ndarray, chest: Chest) -> None:
    """Air outside the lungs: trachea, main bronchi and stomach."""
    body, x, y = chest.body, chest.x, chest.y
    top = anatomy.dome_top(body, chest.pose, left=True)
    air = np.zeros_like(x)
    anatomy.add_chord(air, x, y, Ellipsoid(66, top + 27, 25, 12, 5.5), power=2)
    anatomy.add_chord(air, x, y, Ellipsoid(-17, body.apex + 104, 24, 5.5, 8, -0.65))
    anatomy.add_chord(air, x, y, Ellipsoid(19, body.apex + 101, 26, 5, 7, 0.5))
    above = int(np.searchsorted(y[:, 0], body.apex + 96))
    off = x[:above] - anatomy.spine_at(body, y[:above]) * 0.5 - chest.pose.turn * 0.3
    tube = 2.2 * np.sqrt(np.maximum(8.2**2 - off * off, 0))
    air[:above] += tube * np.minimum((body.apex + 96 - y[:above]) / 8, 1)
    tissue -= air


def _flat_bones(chest: Chest) -> np.ndarray:
    """Chord of shoulder blades and upper arms."""
    body, x, y = chest.body, chest.x, chest.y
    edge = (0.72 if chest.pose.supine else 1.0) * body.half_width  # arms forward: blades aside
    head = Ellipsoid(edge + 84, body.apex + 40, 24, 25, 22)
    shaft = Ellipsoid(edge + 100, body.apex + 150, 14, 122, 16, -0.1)
    bone, shafts = np.zeros_like(x), np.zeros_like(x)
    anatomy.add_pair(bone, x, y, head)
    anatomy.add_pair(shafts, x, y, shaft)
    np.maximum(bone, shafts, out=bone)
    around = Ellipsoid(edge + 34, body.apex + 92, 70, 70, 1)
    for side in (-1, 1):
        near = anatomy.window(x, y, around._replace(x=side * around.x))
        bone[near] += _blade(side * x[near] - edge, y[near[0]] - body.apex)
    return body.bone * bone


def _blade(aside: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Chord of a shoulder blade: a thin triangle with thicker borders."""
    corners = [(2, 34), (26, 152), (66, 52)]
    rounded = np.zeros(aside.shape)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        across = (y1 - y0) * (aside - x0) - (x1 - x0) * (below - y0)
        rounded += np.exp(-across / np.hypot(x1 - x0, y1 - y0) / 5)
    inside = -5 * np.log(rounded)
    border = np.exp(-np.square((inside - 2) / 3))
    return np.clip(inside / 3, 0, 1) * (3 + 5 * border)


def _spine(chest: Chest) -> np.ndarray:
    """Chord of the bodies of the vertebrae, with the discs between them."""
    body, y = chest.body, chest.y
    bone = np.zeros_like(chest.x)
    columns = np.abs(chest.x).min(0) < 45
    off = (chest.x[:, columns] - anatomy.spine_at(body, y)) / (14 + 0.02 * y)
    off *= off
    within = np.maximum(1 - off * off, 0)
    level = ((y - body.apex) / 22.5) % 1 - 0.5
    bone[:, columns] = within * (1 - 0.4 * np.exp(-np.square(level / 0.14)))
    return 13 * body.bone * bone


def _mottled(chest: Chest, draw: np.random.Generator) -> np.ndarray:
    """Tissue too fine to draw: an irregularity of some millimetres, strongest in the lungs."""
    import cv2

    coarse = draw.standard_normal((72, 72))
    size = len(chest.y)
    fine = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return fine * (0.5 + 1.8 * np.minimum(chest.lung / 120, 1))


def _marker(chest: Chest, exposure: Exposure) -> np.ndarray:
    """The letter of lead: 'R' on the image's left, 'L' on its right."""
    along = np.linspace(0, 1, len(chest.y))
    stem = lines.line(0 * along, 13 * along, 60.0, np.asarray(13.0))
    turn = np.pi * (along - 0.5)
    if exposure.marker > 0:
        strokes = [stem, lines.line(7 * along, 13 + 0 * along, 60.0, np.asarray(7.0))]
    else:
        strokes = [
            stem,
            lines.line(3.5 + 4 * np.cos(turn), 3.3 + 3.3 * np.sin(turn), 60.0, np.asarray(12.0)),
            lines.line(3.5 * along, 0 * along, 60.0, np.asarray(3.5)),
            lines.line(3.5 * along, 6.6 + 0 * along, 60.0, np.asarray(3.5)),
            lines.line(3.5 + 4 * along, 6.6 + 6.4 * along, 60.0, np.asarray(7.5)),
        ]
    x, y = exposure.marker * exposure.marker_at[0], exposure.marker_at[1]
    moved = [stroke._replace(x=stroke.x + x, y=stroke.y + y) for stroke in strokes]
    return 6 * lines.strokes(chest, moved, 0.9)


def _developed(path: np.ndarray, exposure: Exposure, draw: np.random.Generator) -> np.ndarray:
    """Exposure to grey: unevenness, noise, the edges that a reader of plates lifts, the curve."""
    import cv2

    size = len(path)
    ramp = np.linspace(-0.5, 0.5, size)
    path = path + exposure.fall[0] * ramp + exposure.fall[1] * ramp[:, None]
    grain = cv2.GaussianBlur(draw.standard_normal(path.shape), (0, 0), 0.6)
    path = path + exposure.grain * (0.5 + path / 250) * grain
    path = cv2.GaussianBlur(path, (0, 0), 0.45)
    small = cv2.resize(path, (64, 64), interpolation=cv2.INTER_AREA)
    broad = cv2.resize(cv2.GaussianBlur(small, (0, 0), 6), (size, size))
    level = (path - 0.3 * (broad - exposure.middle) - exposure.middle) / exposure.latitude
    grey = 1 / (1 + np.exp(-level))
    return (np.rint(grey * 255) / 255).astype(np.float32)
