"""How a synthetic CT patch is drawn: lung, vessels, chest wall and nodule, in Hounsfield units.

Everything is float64 NumPy on a seeded generator and ends in 256 levels, so that machines
agree on every pixel. Coordinates are in pixels; a pixel's centre lies at its index + 0.5.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

VERSION = 1  # raise it with every change that alters a pixel
WINDOW_HU = (-1000.0, 400.0)
LUNG_HU, FAT_HU, VESSEL_HU, MUSCLE_HU = -865.0, -90.0, 20.0, 45.0
BONE_HU, CALCIUM_HU = 450.0, 420.0
MARGIN = 4  # pixels that are drawn around a patch and cut off again
LOBES = np.arange(2, 6)  # waves around a nodule's outline


class Nodule(NamedTuple):
    """One nodule, or many with a leading axis; lengths in pixels, angles in radians."""

    radius: np.ndarray
    centre: np.ndarray  # (2,): row, column
    amplitude: np.ndarray  # (lobes,), of the waves of the outline, relative to the radius
    phase: np.ndarray  # (lobes,)
    spicule_length: np.ndarray  # (spicules,), beyond the outline; 0 where there is none
    spicule_angle: np.ndarray  # (spicules,)
    calcified: np.ndarray  # share of the radius, 0 for none
    margin: np.ndarray  # how softly the edge fades


def outline(
    radius: np.ndarray, amplitude: np.ndarray, phase: np.ndarray, angle: np.ndarray
) -> np.ndarray:
    """Distance of a nodule's edge from its centre, in each direction.

    Args:
        radius: (...), amplitude and phase: (..., lobes).
        angle: (..., directions) or (directions,), in radians.

    Returns:
        (..., directions), in pixels.
    """
    edge = np.ones(1)
    for lobe, waves in enumerate(LOBES):
        swing = np.cos(waves * angle + phase[..., lobe, None])
        edge = edge + amplitude[..., lobe, None] * swing
    return np.asarray(radius)[..., None] * edge


def mask(nodule: Nodule, size: int) -> np.ndarray:
    """The body of the nodule, without spicules: bool (size, size)."""
    distance, edge = _polar(nodule, size)
    return distance <= edge


def patch(nodule: Nodule, size: int, draw: np.random.Generator) -> np.ndarray:
    """Draw the nodule and all around it: float32 (size, size), 256 levels in [0, 1]."""
    anatomy = np.full((size, size), LUNG_HU + draw.normal(0, 20))
    anatomy += _vessels(size, draw) * (VESSEL_HU - LUNG_HU)
    if draw.random() < 0.35:
        anatomy = _chest_wall(anatomy, size, draw)
    hounsfield = _scanned(_with_nodule(anatomy, nodule, size, draw), draw)
    low, high = WINDOW_HU
    share = np.clip((hounsfield - low) / (high - low), 0, 1)
    return (np.rint(share * 255) / 255).astype(np.float32)


@lru_cache(maxsize=4)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return rows, columns


def _scanned(anatomy: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Blur and noise of a scanner, and the mottle of lung too fine to resolve, by frequency."""
    anatomy = np.pad(anatomy, MARGIN, mode="edge")  # or the blur would wrap around
    size = len(anatomy)
    square = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size)[None] ** 2
    blur_px = draw.uniform(0.5, 0.85)
    sharpness = np.exp(-2 * (np.pi * blur_px) ** 2 * square)
    mottle = 70 * np.exp(-square / 0.07**2)
    grain = draw.uniform(25, 75) * np.exp(-square / 0.33**2)
    noise = np.fft.rfft2(draw.standard_normal((size, size))) * np.hypot(mottle, grain)
    noise[0, 0] = 0
    seen = np.fft.irfft2(np.fft.rfft2(anatomy) * sharpness + noise, s=(size, size))
    return seen[MARGIN:-MARGIN, MARGIN:-MARGIN]


def _soft(inside: np.ndarray, width: float | np.ndarray = 1.0) -> np.ndarray:
    """How far a pixel lies inside an edge that is `width` pixels wide: 0, 0.5 on it, 1."""
    return np.clip(0.5 + inside / width, 0, 1)


def _vessels(size: int, draw: np.random.Generator) -> np.ndarray:
    """Tapering vessels, most of them cut across or nearly so: coverage in [0, 1]."""
    rows, columns = _grid(size)
    count = int(draw.integers(7, 13))
    start = draw.uniform(0, size, (2, count, 1, 1))
    angle = draw.uniform(0, np.pi, (count, 1, 1))
    half = 0.4 + draw.exponential(3.5, (count, 1, 1))
    radius = draw.uniform(0.5, 1.6, (count, 1, 1))
    bend = draw.normal(0, 0.02, (count, 1, 1))
    down, right = rows - start[0], columns - start[1]
    along = right * np.cos(angle) + down * np.sin(angle)
    across = down * np.cos(angle) - right * np.sin(angle) - bend * along**2
    beyond = np.maximum(np.abs(along) - half, 0)
    taper = radius * (1 - 0.4 * np.clip(along / half, -1, 1))
    coverage = _soft(taper - np.sqrt(across**2 + beyond**2)) * np.minimum(1, 0.2 + 0.6 * radius)
    return coverage.max(0)


def _chest_wall(anatomy: np.ndarray, size: int, draw: np.random.Generator) -> np.ndarray:
    """Put pleura and muscle, fat, and a rib on one side of the patch."""
    rows, columns = _grid(size)
    angle = draw.uniform(0, 2 * np.pi)
    right, down = columns - size / 2, rows - size / 2
    along = down * np.cos(angle) - right * np.sin(angle)
    depth = right * np.cos(angle) + down * np.sin(angle) - size * draw.uniform(0.22, 0.42)
    depth += along**2 * draw.uniform(0.002, 0.008)
    fat = _soft(depth - draw.uniform(11, 13)) * _soft(draw.uniform(15, 20) - depth)
    wall = MUSCLE_HU + fat * (FAT_HU - MUSCLE_HU)
    half_length, half_width = draw.uniform(8, 16), draw.uniform(3.2, 4.6)
    rib_along = (along - draw.uniform(-24, 24)) / half_length
    off_rib = np.sqrt(rib_along**2 + ((depth - 6.5) / half_width) ** 2)
    rib = _soft(half_width * (1 - off_rib))
    marrow = _soft(half_width * (0.65 - off_rib))  # softer than the cortex around it
    wall += rib * (BONE_HU - 330 * marrow - wall)
    return anatomy + _soft(depth) * (wall - anatomy)


def _with_nodule(
    anatomy: np.ndarray, nodule: Nodule, size: int, draw: np.random.Generator
) -> np.ndarray:
    distance, edge = _polar(nodule, size)
    coverage = np.maximum(_soft(edge - distance, nodule.margin), _spicules(nodule, size))
    # A nodule of few millimetres fills its slice in part only.
    coverage = coverage * np.minimum(1.0, 0.55 + 0.09 * nodule.radius)
    density = draw.normal(20, 25)
    result = anatomy + coverage * np.maximum(density - anatomy, 0)
    core = _soft(nodule.calcified * edge - distance) if nodule.calcified else 0.0
    return result + core * (CALCIUM_HU - result)


def _polar(nodule: Nodule, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the nodule's centre, and of its edge in that direction."""
    rows, columns = _grid(size)
    down, right = rows - nodule.centre[0], columns - nodule.centre[1]
    angle = np.arctan2(down, right).ravel()
    edge = outline(nodule.radius, nodule.amplitude, nodule.phase, angle)
    return np.hypot(down, right), edge.reshape(size, size)


def _spicules(nodule: Nodule, size: int) -> np.ndarray | float:
    """Fine rays from the edge into the lung: coverage in [0, 1]."""
    shown = nodule.spicule_length > 0
    if not shown.any():
        return 0.0
    rows, columns = _grid(size)
    angle = nodule.spicule_angle[shown][:, None, None]
    down, right = rows - nodule.centre[0], columns - nodule.centre[1]
    along = right * np.cos(angle) + down * np.sin(angle)
    across = np.abs(down * np.cos(angle) - right * np.sin(angle))
    end = nodule.radius + nodule.spicule_length[shown][:, None, None]
    left = np.clip((end - along) / (end - 0.6 * nodule.radius), 0, 1)  # 0 at the tip
    rays = _soft(1.0 * left - across, 1.2) * np.sqrt(left) * (along > 0)
    return 0.75 * rays.max(0)
