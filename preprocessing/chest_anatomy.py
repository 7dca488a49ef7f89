"""Where the organs of a drawn chest lie: the shapes behind `chest_phantom`, in millimetres.

Coordinates: x from the midline, positive towards the patient's left, which is the image's
right; y downwards from the top of a film of 400 x 400 mm. A chord is the length of a ray's way
through an organ. The figures are those of adults at full inspiration, rounded.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

FIELD_MM = 400.0
LONG_AXIS = 0.66  # of the heart, in radians below the horizontal
DOME_RADIUS = 68.0  # from a dome's top to the costophrenic angle, sideways


class Body(NamedTuple):
    """What one patient is like on every film; lengths in millimetres."""

    half_width: float  # of the chest inside, where it is widest
    apex: float  # y of the tips of the lungs
    dome: float  # y of the right diaphragm at full inspiration
    depth: float  # of the lungs, from front to back
    wall: float  # thickness of the chest wall
    breast: float  # thickness of a breast, 0 for none
    ratio: float  # width of the heart over that of the chest, without a finding
    knob: float  # radius of the aortic arch
    bone: float  # density of bone, about 1
    slope: float  # how steeply ribs fall, about 1
    curve: float  # of the spine, to the side
    seed: int  # of the branching of the vessels


class Pose(NamedTuple):
    """How one film was taken; lengths in millimetres."""

    supine: bool  # AP, by a portable machine; else PA, upright
    shift: tuple[float, float]  # right and down
    zoom: float
    lean: float  # shear, about the tangent of the body's tilt
    turn: float  # how far the front of the chest lies to the left of the back
    breath: float  # how far the diaphragm stands above that of full inspiration


class Ellipsoid(NamedTuple):
    """An ellipsoid seen from the front; lengths in millimetres, the angle in radians."""

    x: float
    y: float
    wide: float  # half axis along `angle`
    high: float  # half axis across it
    depth: float  # chord through the centre
    angle: float = 0.0  # clockwise on the film


class Chest(NamedTuple):
    """One patient on one film, pixel by pixel; arrays (rows, columns) unless said otherwise."""

    body: Body
    pose: Pose
    x: np.ndarray
    y: np.ndarray  # (rows, 1)
    lateral: np.ndarray  # (rows, 1): |x| of the chest wall inside
    cavity: np.ndarray  # chord of the two halves of the chest, whatever fills them
    lung: np.ndarray  # chord of lung
    heart: np.ndarray  # bool: its outline

    @property
    def pixel_mm(self) -> float:
        """Side of a pixel, in the patient."""
        return FIELD_MM / len(self.y) / self.pose.zoom


def chest(body: Body, pose: Pose, ratio: float, size: int) -> Chest:
    """Lay out a patient's chest on a film of `size` x `size` pixels, the heart at `ratio`."""
    centres = (np.arange(size) + 0.5) * FIELD_MM / size - FIELD_MM / 2
    down = ((centres - pose.shift[1]) / pose.zoom)[:, None]
    x = (centres - pose.shift[0]) / pose.zoom - pose.lean * down
    y = down + FIELD_MM / 2
    lateral = wall_inside(body, y)
    cavity, lung, heart = (np.zeros(x.shape) for _ in range(3))
    first, last = np.searchsorted(y[:, 0], (body.apex, body.dome + 150))
    rows = slice(first, last)  # above and below there is no lung, and time to save
    cavity[rows] = _cavity(body, x[rows], y[rows], lateral[rows])
    heart[rows] = _joined(x[rows], y[rows], heart_of(body, pose, ratio))
    # Organs hide each other: what lies in front of a dome takes no second share of the ray.
    solid = _mediastinum(body, pose, x[rows], y[rows])
    solid += heart[rows] + _below_domes(body, pose, x[rows], y[rows]) ** 2
    np.maximum(cavity[rows] - np.sqrt(np.sqrt(solid)), 0, out=lung[rows])
    return Chest(body, pose, x, y, lateral, cavity, lung, heart > 0)


def depth_at(body: Body, y: np.ndarray) -> np.ndarray:
    """How far down the lungs `y` lies: 0 at the apex, 1 at the costophrenic angle."""
    return np.clip((y - body.apex) / (body.dome + 50 - body.apex), 0, 1)


def medial_at(depth: np.ndarray) -> np.ndarray:
    """Distance of a lung from the midline, were there no heart and no great vessels."""
    return 12 + 28 * np.exp(-np.sqrt(depth / 0.02))  # the tip is round


def wall_inside(body: Body, y: np.ndarray) -> np.ndarray:
    """Distance of the chest wall's inside from the midline at `y`."""
    rest = 1 - depth_at(body, y)
    return 40 + (body.half_width - 40) * np.maximum(1 - rest**3, 0) ** 0.6


def dome_top(body: Body, pose: Pose, left: bool) -> float:
    """The y of the top of a diaphragm's dome; the left one stands lower."""
    return body.dome - pose.breath + (12.0 if left else 0.0)


def heart_of(body: Body, pose: Pose, ratio: float) -> tuple[Ellipsoid, Ellipsoid]:
    """Right atrium and left ventricle of a heart that is `ratio` times as wide as the chest."""
    width = ratio * 2 * body.half_width
    long, short = 0.52 * width, 0.35 * width
    reach = np.hypot(long * np.cos(LONG_AXIS), short * np.sin(LONG_AXIS))
    y = dome_top(body, pose, left=True) - 0.17 * width
    atrium = Ellipsoid(pose.turn - 0.06 * width, y - 6, 0.28 * width, 0.42 * width, 100)
    ventricle = Ellipsoid(pose.turn + 0.66 * width - reach, y, long, short, 115, LONG_AXIS)
    return atrium, ventricle


def add_chord(
    total: np.ndarray, x: np.ndarray, y: np.ndarray, of: Ellipsoid, power: int = 1
) -> None:
    """Add the chord of an ellipsoid to `total`, in place, and only where it is not 0.

    Args:
        total: (rows, columns).
        x: (rows, columns), rising along each row.
        y: (rows, 1), rising.
        of: the ellipsoid.
        power: of the chord: from 2 on it has no sharp edge; 4 lets ellipsoids run into each
            other without a crease, if the fourth root of their sum is taken.
    """
    near = window(x, y, of)
    total[near] += _squared(x, y, of, near) ** (power / 2)


def add_pair(
    total: np.ndarray, x: np.ndarray, y: np.ndarray, of: Ellipsoid, power: int = 1
) -> None:
    """The same with an ellipsoid of the patient's left side and its mirror image."""
    add_chord(total, x, y, of, power)
    add_chord(total, x, y, of._replace(x=-of.x, angle=-of.angle), power)


def window(x: np.ndarray, y: np.ndarray, of: Ellipsoid) -> tuple[slice, slice]:
    """The rows and columns that hold an ellipsoid, and few others."""
    reach = max(of.wide, of.high)
    first, last = np.searchsorted(y[:, 0], (of.y - reach, of.y + reach))
    if first == last:
        return slice(0, 0), slice(0, 0)
    left = min(np.searchsorted(x[row], of.x - reach) for row in (first, last - 1))
    right = max(np.searchsorted(x[row], of.x + reach) for row in (first, last - 1))
    return slice(first, last), slice(left, right)


def spine_at(body: Body, y: np.ndarray) -> np.ndarray:
    """The x of the spine's middle."""
    return body.curve * np.sin((y - 40) / 75)


def _cavity(body: Body, x: np.ndarray, y: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    aside, depth = np.abs(x), depth_at(body, y)
    medial = medial_at(depth)
    half = np.maximum((lateral - medial) / 2, 1e-6)
    off = (aside - medial - half) / half
    off *= off
    off = np.where(aside < medial + half, off * off * off, off)  # steep towards the midline
    inner = body.depth * np.sqrt(np.maximum(1 - (1 - depth) ** 2.2, 0))
    return inner * np.sqrt(np.maximum(1 - off, 0)) * (y > body.apex)


def _below_domes(body: Body, pose: Pose, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Square of the chord of what lies under the diaphragm."""
    tops = [dome_top(body, pose, left) for left in (False, True)]
    squared = np.zeros(x.shape)
    low = y[:, 0] > min(tops)
    x, y = x[low], y[low]
    off = (np.abs(x) - 62) / DOME_RADIUS
    away = np.square(np.maximum(off, -0.3 * off))  # it falls to the side, hardly to the heart
    below = (y - np.where(x > 0, tops[1], tops[0])) / 50 - away * (0.5 + 0.5 * away)
    squared[low] = (1.1 * body.depth) ** 2 * np.maximum(below, 0)
    return squared


def _mediastinum(body: Body, pose: Pose, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fourth power of the chord of the great vessels: caval veins, arch, trunk and aorta."""
    centre = pose.turn * 0.5
    half = 25 + 6 * np.exp(-np.square((y - body.apex) / 40)) + 4 * np.sin(y / 23)
    off = (x - centre) / half
    column = 140**2 * np.maximum(1 - off * off, 0)
    knob = Ellipsoid(centre + 17, body.apex + 74, body.knob, body.knob * 1.15, 85)
    trunk = Ellipsoid(centre + 14, body.apex + 112, 24, 36, 80)
    aorta = Ellipsoid(14, body.apex + 165, 19, 125, 45)
    return column * column + _joined(x, y, (knob, trunk, aorta))


def _joined(x: np.ndarray, y: np.ndarray, parts: Iterable[Ellipsoid]) -> np.ndarray:
    """Fourth power of the chord of ellipsoids that run into each other without a crease."""
    total = np.zeros(x.shape)
    for part in parts:
        add_chord(total, x, y, part, power=4)
    return total


def _squared(x: np.ndarray, y: np.ndarray, of: Ellipsoid, near: tuple[slice, slice]) -> np.ndarray:
    """Square of the chord of an ellipsoid in a window."""
    right, down = x[near] - of.x, y[near[0]] - of.y
    along = (right * np.cos(of.angle) + down * np.sin(of.angle)) / of.wide
    across = (down * np.cos(of.angle) - right * np.sin(of.angle)) / of.high
    return of.depth**2 * np.maximum(1 - along * along - across * across, 0)
