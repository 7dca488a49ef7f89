"""Synthetic frontal chest radiographs: no patient was ever exposed to a ray.

They are for demonstrations, for pictures of the reading room, and for tests that need a known
truth: which findings there are, and where. Results on them say nothing about patients.
"""

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import DataError
from .. import chest_anatomy, chest_findings, chest_patients, chest_phantom, digests
from ..chest_patients import FINDINGS, Visit
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("finding", *FINDINGS)
AP_SHARE = 0.35
BESIDE = 0.12  # share of patients with a finding that have each of the others too
PERSISTENCE = 0.8  # correlation of the wish to have a finding between films of a patient
BOX_SIZE = 128  # pixels of the masks that boxes are measured on: drawing them finer takes longer


@dataset(
    source="synthetic: drawn by radzoo (preprocessing/chest_phantom.py), no patient was exposed",
    licence="MIT",
    synthetic=True,
)
def phantom_chest(
    images: int = 600,
    size: int = 256,
    difficulty: float = 0.5,
    finding_share: float = 0.5,
    seed: int = 0,
    target: str = "finding",
) -> Dataset:
    """Synthetic frontal chest radiographs with and without findings, drawn procedurally.

    A film is the sum of what rays meet: soft tissue, lungs with vessels, heart, diaphragm,
    bones. Any number of five findings may be there: a consolidation, a nodule of 1 to 3 cm, an
    effusion, an enlarged heart (wider than half the chest, and only then), a pneumothorax.
    Their strength varies, and any film may have a harmless sign that resembles one, so that
    none is told for sure. A patient has one to three films with the same body, on which findings
    tend to persist at their place. View, age and sex are drawn at random: they change how a
    film looks and tell nothing of the label.

    Args:
        images: how many films; at least 2.
        size: rows and columns, in pixels of 400 mm / `size`; at least 64.
        difficulty: from 0 (findings are gross, and nothing resembles them) to 1 (hardly there).
        finding_share: share of films with a finding, in (0, 1).
        seed: another seed is another population; the same one is the same everywhere.
        target: "finding", any of the five against none; or the finding to tell from all films
            without it: "nodule".

    Returns:
        Films in 256 levels. The table adds `view` (PA, AP), `age`, `sex`, a column of 0 and 1
        for each finding, `cardiothoracic_ratio` as drawn, and the box around what the mask
        marks, to 1/128 of the film. Masks mark the findings that the label speaks of; of
        an enlarged heart what lies outside the patient's usual heart. Films without a finding
        have no box and no mask.

    Raises:
        DataError: an option is outside its range, or no film, or every film, has the target.
    """
    _check(images, size, difficulty, finding_share, seed, target)
    truth = _draw_truth(images, difficulty, finding_share, seed)
    marked = FINDINGS if target == "finding" else (target,)
    visit = partial(_visit, truth, difficulty, seed)
    drawn = ("phantom_chest", chest_phantom.VERSION, images, size, difficulty, finding_share, seed)
    return Dataset(
        name="phantom_chest",
        classes=(f"no_{target}", target),
        table=_table(truth, visit, marked, size),
        read=partial(_read, visit, size),
        content=digests.combined(*drawn, target),
        levels=256,
        synthetic=True,
        notes=("The images are synthetic: a program drew them, they show no patient.",),
        masks=partial(_mask, visit, marked, size),
        image_digests=tuple(digests.combined(*drawn, row) for row in range(images)),
        findings=FINDINGS,
    )


class _Truth(NamedTuple):
    patients: np.ndarray  # (images,), numbered from 1
    severity: np.ndarray  # (images, findings); NaN where there is none
    supine: np.ndarray  # (images,), bool
    female: np.ndarray  # (images,), bool
    age: np.ndarray  # (images,), years


def _check(
    images: int, size: int, difficulty: float, finding_share: float, seed: int, target: str
) -> None:
    near = get_close_matches(target, TARGETS, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    rules = {
        f"images must be at least 2; got {images}": images >= 2,
        f"size must be at least 64 pixels; got {size}": size >= 64,
        f"difficulty must lie in [0, 1]; got {difficulty}": 0 <= difficulty <= 1,
        f"finding_share must lie between 0 and 1; got {finding_share}": 0 < finding_share < 1,
        f"seed must not be negative; got {seed}": seed >= 0,
        f"target must be one of {', '.join(TARGETS)}; got {target!r}{hint}": target in TARGETS,
    }
    problems = [problem for problem, kept in rules.items() if not kept]
    if problems:
        raise DataError("phantom_chest: " + "; ".join(problems) + ".")


def _draw_truth(images: int, difficulty: float, finding_share: float, seed: int) -> _Truth:
    draw = np.random.default_rng([seed, 1])
    patients = np.repeat(np.arange(images), draw.integers(1, 4, size=images))[:images]
    people = draw.standard_normal(images)[patients]  # an unused patient costs nothing
    wish = np.sqrt(PERSISTENCE) * people + np.sqrt(1 - PERSISTENCE) * draw.standard_normal(images)
    ill = min(max(round(images * finding_share), 1), images - 1)
    some = np.argsort(np.argsort(-wish)) < ill
    main = draw.integers(len(FINDINGS), size=images)[patients]
    others = draw.random((images, len(FINDINGS)))[patients] < BESIDE
    there = some[:, None] & (others | (main[:, None] == np.arange(len(FINDINGS))))
    lasting = draw.standard_normal((images, len(FINDINGS)))[patients]
    spread = 0.45 * lasting + 0.2 * draw.standard_normal((images, len(FINDINGS)))
    severity = np.where(there, (1.7 - 1.4 * difficulty) * np.exp(spread), np.nan)
    return _Truth(
        patients=patients + 1,
        severity=severity,
        supine=draw.random(images) < AP_SHARE,
        female=(draw.random(images) < 0.5)[patients],
        age=np.clip(np.rint(draw.normal(56, 16, images)), 18, 95)[patients],
    )


def _visit(truth: _Truth, difficulty: float, seed: int, row: int) -> Visit:
    severity = dict(zip(FINDINGS, truth.severity[row].tolist(), strict=True))
    return Visit(
        seed=seed,
        patient=int(truth.patients[row]),
        row=row,
        female=bool(truth.female[row]),
        age=float(truth.age[row]),
        supine=bool(truth.supine[row]),
        severity={name: value for name, value in severity.items() if not np.isnan(value)},
        lookalikes=0.4 * difficulty,
    )


def _table(
    truth: _Truth, visit: Callable[[int], Visit], marked: tuple[str, ...], size: int
) -> "pd.DataFrame":
    import pandas as pd

    count = len(truth.patients)
    there = dict(zip(FINDINGS, (~np.isnan(truth.severity)).astype(int).T, strict=True))
    label = np.max([there[name] for name in marked], axis=0)
    visits = [visit(row) for row in range(count)]
    _check_both(label, marked)
    columns = {
        "id": [f"film-{number:05d}" for number in range(1, count + 1)],
        "label": label,
        "patient": [f"phantom-{number:04d}" for number in truth.patients],
        "view": np.where(truth.supine, "AP", "PA"),
        "age": truth.age,
        "sex": np.where(truth.female, "F", "M"),
        **there,
        "cardiothoracic_ratio": [round(chest_patients.ratio(one), 3) for one in visits],
    }
    boxes = np.array([_box(one, marked, size) for one in visits]).T
    names = ("box_x0", "box_y0", "box_x1", "box_y1")
    return pd.DataFrame(columns | dict(zip(names, boxes, strict=True)))


def _check_both(label: np.ndarray, marked: tuple[str, ...]) -> None:
    if label.min() == label.max():
        raise DataError(
            f"phantom_chest: {'all' if label.min() else 'none'} of the {len(label)} films show "
            f"{' or '.join(marked)}. Ask for more images, or for another seed or finding_share."
        )


def _box(visit: Visit, marked: tuple[str, ...], size: int) -> tuple[float, ...]:
    fine = min(size, BOX_SIZE)
    mask = _marked(visit, marked, fine)
    if mask is None or not mask.any():
        return (np.nan,) * 4
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return tuple(round(float(edge) * size / fine, 2) for edge in edges)


def _read(visit: Callable[[int], Visit], size: int, row: int) -> np.ndarray:
    drawn = visit(row)
    return chest_phantom.radiograph(chest_patients.film(drawn), size, chest_patients.noise(drawn))


def _mask(
    visit: Callable[[int], Visit], marked: tuple[str, ...], size: int, row: int
) -> np.ndarray | None:
    return _marked(visit(row), marked, size)


def _marked(visit: Visit, marked: tuple[str, ...], size: int) -> np.ndarray | None:
    """Where the findings of these names lie: bool (size, size), or None without any."""
    if not set(marked) & set(visit.severity):
        return None
    film = chest_patients.film(visit)
    chest = chest_anatomy.chest(film.body, film.pose, film.ratio, size)
    mask = np.zeros((size, size), bool)
    for name, finding in chest_patients.local(visit).items():
        if name in marked:
            mask |= chest_findings.mask(chest, finding)
    if "cardiomegaly" in marked and "cardiomegaly" in visit.severity:
        mask |= chest_findings.excess(chest, chest_patients.usual_ratio(visit))
    return mask
