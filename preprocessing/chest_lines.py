"""What is long and thin in a drawn chest: ribs, collarbones, shoulder blades and vessels.

Each is a chain of points with a volume, laid on the film and spread by a round kernel: that of
a full cylinder for vessels, of a tube for bones, whose cortex is denser than what it holds.
"""

from typing import NamedTuple

import numpy as np

from . import chest_anatomy as anatomy
from .chest_anatomy import Body, Chest, Pose

RIB_RADIUS = 6.3  # mm, half the height of a rib on a film
TRUNKS = 11  # vessels that leave the root of each lung
RADII = (0.9, 2.2, 5.0)  # mm, of the kernels that vessels are spread by


class Line(NamedTuple):
    """Points in millimetres, each with a volume in cubic millimetres."""

    x: np.ndarray
    y: np.ndarray
    volume: np.ndarray


def bones(chest: Chest) -> np.ndarray:
    """Chord of bone of ribs, collarbones and the arches of vertebrae: (rows, columns), mm."""
    steps = 5 * len(chest.y) // 4  # more than one a pixel
    lines = [
        _ribs(chest.body, chest.pose, steps),
        *(_collarbone(chest.body, chest.pose, side, steps) for side in (-1, 1)),
        _arches(chest.body, chest.pose),
    ]
    shell = _disc(RIB_RADIUS / chest.pixel_mm)
    core = _disc((RIB_RADIUS - 1.7) / chest.pixel_mm, len(shell))
    tube = shell / shell.sum() - 0.55 * core / shell.sum()
    return chest.body.bone * _spread(chest, [(_merged(lines), tube / tube.sum())])


def vessels(chest: Chest, aerated: np.ndarray) -> np.ndarray:
    """Chord of the vessels in the lungs: (rows, columns), mm.

    Args:
        chest: whose vessels; the same patient always has the same.
        aerated: (rows, columns), how much of a vessel there is seen, in [0, 1].
    """
    lines, radii = _tree(chest.body, chest.pose, 8 + len(chest.y) // 24)
    rows, columns = _places(chest, lines.x, lines.y)
    last = len(chest.y) - 1
    seen = aerated[np.clip(rows, 0, last).astype(int), np.clip(columns, 0, last).astype(int)]
    place = np.interp(np.log(radii), np.log(RADII), np.arange(len(RADII)))
    spread = []
    for layer, radius in enumerate(RADII):
        share = np.maximum(1 - np.abs(place - layer), 0)  # between two kernels
        used = share > 0
        line = Line(lines.x[used], lines.y[used], (lines.volume * seen * share)[used])
        kernel = _disc(radius / chest.pixel_mm)
        spread.append((line, kernel / kernel.sum()))
    return _spread(chest, spread)


def strokes(chest: Chest, lines: list[Line], radius: float) -> np.ndarray:
    """Chord of chains of points spread to `radius` mm: (rows, columns), mm."""
    kernel = _disc(radius / chest.pixel_mm)
    return _spread(chest, [(_merged(lines), kernel / kernel.sum())])


def line(x: np.ndarray, y: np.ndarray, area: float | np.ndarray, length: np.ndarray) -> Line:
    """A chain of points along a way of `length` mm, with a cross-section of `area` mm2."""
    return Line(x, y, np.broadcast_to(area * length / len(x), x.shape))


def _merged(lines: list[Line]) -> Line:
    return Line(*(np.concatenate(field, axis=None) for field in zip(*lines, strict=True)))


def _places(chest: Chest, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of points, in pixels."""
    pose, size = chest.pose, len(chest.y)
    down = y - anatomy.FIELD_MM / 2
    right = (x + pose.lean * down) * pose.zoom + pose.shift[0]
    half = anatomy.FIELD_MM / 2
    scale = size / anatomy.FIELD_MM
    return (down * pose.zoom + pose.shift[1] + half) * scale - 0.5, (right + half) * scale - 0.5


def _spread(chest: Chest, lines: list[tuple[Line, np.ndarray]]) -> np.ndarray:
    """Lay points on the film, shared by the four pixels around each, spread by their kernel."""
    import cv2

    size, margin = len(chest.y), max(len(kernel) for _, kernel in lines)
    film = np.zeros((size + 2 * margin + 3, size + 2 * margin + 3))
    for line, kernel in lines:
        rows, columns = _places(chest, line.x, line.y)
        inside = (np.minimum(rows, columns) > -margin / 2) & (
            np.maximum(rows, columns) < size + margin / 2
        )
        if not inside.any():
            continue
        rows, columns = rows[inside] + margin, columns[inside] + margin
        top, left = int(rows.min()) - margin // 2, int(columns.min()) - margin // 2
        points = _laid(rows - top, columns - left, line.volume[inside] / chest.pixel_mm**2, margin)
        near = slice(top, top + len(points)), slice(left, left + points.shape[1])
        film[near] += cv2.filter2D(points, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return film[margin : margin + size, margin : margin + size]


def _laid(rows: np.ndarray, columns: np.ndarray, weight: np.ndarray, margin: int) -> np.ndarray:
    """Points on the smallest film that holds them and a margin."""
    row, column = rows.astype(int), columns.astype(int)
    high, wide = int(row.max()) + 2 + margin // 2, int(column.max()) + 2 + margin // 2
    lower, right = rows - row, columns - column
    first = row * wide + column
    places = np.concatenate([first, first + 1, first + wide, first + wide + 1])
    under = weight * lower
    above = weight - under
    shares = [above * (1 - right), above * right, under * (1 - right), under * right]
    return np.bincount(places, np.concatenate(shares), high * wide).reshape(high, wide)


def _disc(radius_px: float, side: int = 0) -> np.ndarray:
    """A disc with a soft edge, in an odd square of `side` pixels, or as small as it may be."""
    side = side or 2 * int(np.ceil(radius_px)) + 1
    places = np.arange(side) - side // 2
    return np.clip(radius_px + 0.5 - np.hypot(places[:, None], places), 0, 1)


def _ribs(body: Body, pose: Pose, steps: int) -> Line:
    """Twelve pairs, each on the ellipse of the chest wall, falling from back to front."""
    number = np.arange(12)[:, None, None]
    side = np.array([-1, 1])[:, None]
    start = 0.16
    end = np.interp(number, [0, 4, 8, 11], [2.7, 2.4, 2.05, 0.95])  # where cartilage begins
    angle = start + (end - start) * np.linspace(0, 1, steps)
    root = body.apex + 6 + number * 22.5
    drop = body.slope * np.interp(number, [0, 5, 11], [50, 92, 108])
    fall = (1 - np.cos(angle)) / 2
    rise = -5 * np.exp(-(((angle - 0.45) / 0.3) ** 2))  # the hump beside the spine
    y = root + drop * fall + rise
    narrow = np.interp(number, [0, 1, 2, 3], [0.68, 0.87, 0.97, 1.0])
    wall = (anatomy.wall_inside(body, np.maximum(y, body.apex + 30)) + 3) * narrow
    front = -np.cos(angle)  # -1 at the back, 1 at the front
    x = side * wall * np.sin(angle) + pose.turn * 0.5 * (front + 1)
    x = x + anatomy.spine_at(body, root) * (1 - fall)
    deep = body.depth / 2 * front
    y = np.broadcast_to(y, x.shape)
    length = np.sqrt(
        sum(np.gradient(field, axis=2) ** 2 for field in np.broadcast_arrays(x, y, deep))
    )
    area = np.interp(number, [0, 6, 11], [70, 84, 64]) * (1 - 0.35 * fall)  # thinner in front
    return Line(x, y, area * length)


def _collarbone(body: Body, pose: Pose, side: int, steps: int) -> Line:
    along = np.linspace(0, 1, steps)
    top = 2 if pose.supine else 14
    x = side * (15 + 150 * along) + pose.turn
    bend = 9 * np.sin(2 * np.pi * along)
    y = body.apex + top + 34 * (1 - along) ** 1.3 - bend * 0.55 - 4 * along
    return line(x, y, 110 * (1 + 0.5 * np.abs(along - 0.5)), np.asarray(158.0))


def _arches(body: Body, pose: Pose) -> Line:
    """Pedicles and spinous processes of the vertebrae, as short chains."""
    down = np.linspace(-5, 5, 9)
    y = (body.apex - 40 + 22.5 * np.arange(16))[:, None] + down
    middle = anatomy.spine_at(body, y)
    rows = [(0.0, 9.0, 190.0), (-11.0, 0.0, 130.0), (11.0, 0.0, 130.0)]
    return _merged(
        [Line(middle + x, y + low, np.full(y.shape, volume / 9)) for x, low, volume in rows]
    )


def _tree(body: Body, pose: Pose, first: int) -> tuple[Line, np.ndarray]:
    """Vessels that fork from the hila outwards, and the radius at each point."""
    draw = np.random.default_rng(body.seed)
    branches = _trunks(body, pose, draw)
    lines, radii = [], []
    for generation in range(6):
        x, y, angle, length, radius, bend = branches
        steps = max(4, int(first * 0.8**generation))  # the last ones are short
        along = np.linspace(0, 1, steps)
        turned = angle + bend * along
        taper = radius * (1 - 0.3 * along)
        ways_x = x + np.cumsum(np.cos(turned), axis=1) * length / steps
        ways_y = y + np.cumsum(np.sin(turned), axis=1) * length / steps
        lines.append(Line(ways_x, ways_y, np.pi * taper**2 * length / steps))
        radii.append(taper)
        branches = _forked(ways_x[:, -1:], ways_y[:, -1:], turned[:, -1:], (length, radius), draw)
    return _merged(lines), np.concatenate(radii, axis=None)


def _trunks(body: Body, pose: Pose, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Start, direction, length, radius and bend of the first vessels: (vessels, 1) each."""
    fans = []
    for side, below in ((-1, 118), (1, 106)):
        fan = np.linspace(-1.25, 1.4, TRUNKS) + draw.normal(0, 0.1, TRUNKS)
        angle = fan if side > 0 else np.pi - fan
        low = (fan > 0.1) * 1.0  # the lower lobes carry more blood
        x = side * 33 + pose.turn * 0.5 + draw.normal(0, 3, TRUNKS)
        y = body.apex + below + 16 * np.sin(fan) + draw.normal(0, 4, TRUNKS)
        length = (26 + 10 * low) * draw.uniform(0.8, 1.2, TRUNKS)
        radius = (4.9 + 1.4 * low) * draw.uniform(0.75, 1.15, TRUNKS)
        fans.append((x, y, angle, length, radius, draw.normal(0, 0.25, TRUNKS)))
    return tuple(np.concatenate(field)[:, None] for field in zip(*fans, strict=True))


def _forked(
    x: np.ndarray,
    y: np.ndarray,
    angle: np.ndarray,
    size: tuple[np.ndarray, np.ndarray],
    draw: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    """Two branches from the end of each vessel."""
    length, radius = (np.repeat(field, 2, axis=0) for field in size)
    count = len(length)
    side = np.tile([[-1.0], [1.0]], (count // 2, 1))
    spread = side * draw.uniform(0.12, 0.62, (count, 1))
    return (
        np.repeat(x, 2, axis=0),
        np.repeat(y, 2, axis=0),
        np.repeat(angle, 2, axis=0) + spread,
        length * draw.uniform(0.62, 0.98, (count, 1)),
        0.7 * radius * draw.uniform(0.8, 1.08, (count, 1)),
        draw.normal(0, 0.35, (count, 1)) - 0.4 * spread,
    )
