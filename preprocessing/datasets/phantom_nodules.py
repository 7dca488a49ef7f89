"""Synthetic CT patches of lung nodules: no patient was ever scanned.

They let every part of the project run, be tested and be compared anywhere, and they have
what real data lacks: a known truth. Results on them say nothing about patients.
"""

import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import DataError
from .. import phantom
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd

PIXEL_MM = 0.7  # as in a chest CT of 360 mm across 512 pixels
SPICULES = 14

# How far apart the classes lie at difficulty 0.5, in standard deviations of each sign. Size
# alone then has a ROC AUC of Phi(1.63 / sqrt 2) = 0.875; all signs together lie sqrt(sum of
# squares) = 2.8 apart, an AUC of 0.976 for a reader who sees them without error.
SIGNS = {"size": 1.63, "spiculation": 1.65, "lobulation": 1.0, "calcification": -0.9, "haze": 0.7}


@dataset(
    source="synthetic: drawn by radzoo (preprocessing/phantom.py), no patient was scanned",
    licence="MIT",
    synthetic=True,
)
def phantom_nodules(
    images: int = 1200,
    malignant_share: float = 0.45,
    difficulty: float = 0.5,
    size: int = 64,
    seed: int = 0,
) -> Dataset:
    """Synthetic CT patches of benign and malignant lung nodules, drawn procedurally.

    A patch shows aerated lung with vessels, a nodule near its centre, and in one of four
    the chest wall. Malignant nodules tend to be larger, spiculated, lobulated and hazy at
    the margin; benign ones small, smooth, round, and now and then calcified. The signs
    overlap, so that none decides alone. A patient has one to four nodules; age and sex
    are drawn at random and tell nothing.

    Args:
        images: how many patches; at least 2.
        malignant_share: share of malignant nodules, in (0, 1).
        difficulty: from 0 (the signs hardly overlap) to 1 (hardly separable).
        size: rows and columns of a patch, in pixels of 0.7 mm; at least 48.
        seed: another seed is another population; the same one is the same everywhere.

    Returns:
        Patches in 256 levels of the window -1000 to 400 HU, with boxes and masks of the
        nodules' bodies (without spicules); the table adds `diameter_mm`.

    Raises:
        DataError: an option is outside its range.

    Source:
        The signs are those that McWilliams et al. (N Engl J Med 2013;369:910, table 2) and
        the Fleischner Society (MacMahon et al., Radiology 2017;284:228) discuss as raising
        or lowering the risk of cancer. Their strengths here are ours, not the papers'.
    """
    _check(images, malignant_share, difficulty, size, seed)
    truth = _draw_truth(images, malignant_share, difficulty, seed)
    nodules = _draw_nodules(truth.signs, size, seed)
    options = (phantom.VERSION, images, malignant_share, difficulty, size, seed)
    return Dataset(
        name="phantom_nodules",
        classes=("benign", "malignant"),
        table=_table(truth, nodules, size, seed),
        read=partial(_read, nodules, size, seed),
        content=hashlib.sha256(repr(("phantom_nodules", *options)).encode()).hexdigest(),
        levels=256,
        synthetic=True,
        notes=("The images are synthetic: a program drew them, they show no patient.",),
        masks=partial(_mask, nodules, size),
    )


class _Truth(NamedTuple):
    labels: np.ndarray  # (images,), 1 is malignant
    signs: np.ndarray  # (images, signs), in standard deviations
    patients: np.ndarray  # (images,), numbered from 1


def _check(images: int, malignant_share: float, difficulty: float, size: int, seed: int) -> None:
    rules = {
        f"images must be at least 2; got {images}": images >= 2,
        f"malignant_share must lie between 0 and 1; got {malignant_share}": 0 < malignant_share < 1,
        f"difficulty must lie in [0, 1]; got {difficulty}": 0 <= difficulty <= 1,
        f"size must be at least 48 pixels; got {size}": size >= 48,
        f"seed must not be negative; got {seed}": seed >= 0,
    }
    problems = [problem for problem, kept in rules.items() if not kept]
    if problems:
        raise DataError("phantom_nodules: " + "; ".join(problems) + ".")


def _draw_truth(images: int, malignant_share: float, difficulty: float, seed: int) -> _Truth:
    draw = np.random.default_rng([seed, 1])
    malignant = min(max(round(images * malignant_share), 1), images - 1)
    labels = draw.permutation(np.arange(images) < malignant).astype(int)
    apart = np.array(list(SIGNS.values())) * (1.95 - 1.9 * difficulty)  # 1 at 0.5
    signs = draw.standard_normal((images, len(SIGNS))) + (labels[:, None] - 0.5) * apart
    per_patient = draw.integers(1, 5, size=images)
    patients = np.repeat(np.arange(images), per_patient)[:images] + 1
    return _Truth(labels, signs, patients)


def _draw_nodules(signs: np.ndarray, size: int, seed: int) -> phantom.Nodule:
    """What each nodule looks like given its signs: one row of every field a nodule."""
    draw = np.random.default_rng([seed, 2])
    count, lobes = len(signs), len(phantom.LOBES)
    extent, spiculation, lobulation, calcification, haze = signs.T
    radius = np.clip(9.0 * np.exp(0.34 * extent), 3.0, 0.55 * size * PIXEL_MM) / 2 / PIXEL_MM
    waves = draw.standard_normal((count, lobes)) / phantom.LOBES
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    shown = draw.random((count, SPICULES)) < _logistic(2.2 * spiculation - 0.5)[:, None]
    length = (2.5 + 1.8 * np.sqrt(radius) * draw.random((SPICULES, count))).T
    calcified = np.where(calcification > 1.0, draw.uniform(0.4, 0.85, count), 0.0)
    return phantom.Nodule(
        radius=radius,
        centre=size / 2 + draw.uniform(-3, 3, (count, 2)),
        amplitude=waves * (0.04 + 0.17 * _logistic(2.2 * lobulation - 0.4))[:, None],
        phase=draw.uniform(0, 2 * np.pi, (count, lobes)),
        spicule_length=shown * length * (0.5 + _logistic(spiculation))[:, None],
        spicule_angle=draw.uniform(0, 2 * np.pi, (count, SPICULES)),
        calcified=calcified,
        margin=1.0 + 2.5 * _logistic(1.5 * haze),
    )


def _logistic(sign: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-sign))


def _table(truth: _Truth, nodules: phantom.Nodule, size: int, seed: int) -> "pd.DataFrame":
    import pandas as pd

    draw = np.random.default_rng([seed, 3])
    people = truth.patients.max()
    age = np.clip(np.rint(draw.normal(62, 10, people)), 30, 90)[truth.patients - 1]
    sex = np.where(draw.random(people) < 0.5, "F", "M")[truth.patients - 1]
    columns = {
        "id": [f"nodule-{number:05d}" for number in range(1, len(truth.labels) + 1)],
        "label": truth.labels,
        "patient": [f"phantom-{number:04d}" for number in truth.patients],
        "age": age,
        "sex": sex,
        "diameter_mm": np.round(2 * nodules.radius * PIXEL_MM, 1),
    }
    return pd.DataFrame(columns | _boxes(nodules, size))


def _boxes(nodules: phantom.Nodule, size: int) -> dict[str, np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, 181)
    edge = phantom.outline(nodules.radius, nodules.amplitude, nodules.phase, angle)
    rows = np.clip(nodules.centre[:, :1] + edge * np.sin(angle), 0, size).round(2)
    columns = np.clip(nodules.centre[:, 1:] + edge * np.cos(angle), 0, size).round(2)
    return {
        "box_x0": columns.min(1),
        "box_y0": rows.min(1),
        "box_x1": columns.max(1),
        "box_y1": rows.max(1),
    }


def _read(nodules: phantom.Nodule, size: int, seed: int, row: int) -> np.ndarray:
    draw = np.random.default_rng([seed, 4, row])
    return phantom.patch(_nodule(nodules, row), size, draw)


def _mask(nodules: phantom.Nodule, size: int, row: int) -> np.ndarray:
    return phantom.mask(_nodule(nodules, row), size)


def _nodule(nodules: phantom.Nodule, row: int) -> phantom.Nodule:
    return phantom.Nodule(*(field[row] for field in nodules))
