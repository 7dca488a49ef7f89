"""The checks of a dataset's images, a function each; every limit says what it was measured on.

'Measured' means the images of docs/data.md: 3,017 of five sets, and faults put into copies.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...errors import UnknownName
from ..registry import Dataset
from .looks import Looks

FRAME = 0.1  # share of the image; 4 in 100 NIH films have more, 1 in 100 more than 0.17
CONTRAST = 0.1  # of the whole scale; the flattest of 3,017 real images has 0.22
ENDS = 0.4  # share of the pixels; the most of 3,017 real images is 0.29
STROKES = 3  # two letters: "AP"; below, wires and rib edges begin
UPSIDE = -0.2  # correlation; the least of 2,284 real films is -0.01
ALIKE = 0.5  # median correlation: films 0.69 to 0.87, patches of CT 0.21
ENOUGH = 20  # images: a median of fewer is no measure
PROPORTION = 1.75  # times the usual; the most of 3,017 real images is 1.4
LATERAL = ("l", "ll", "rl", "lat", "llat", "rlat", "lateral", "left_lateral", "right_lateral")


class Proposal(NamedTuple):
    """An image that somebody should look at, and perhaps leave out.

    Attributes:
        row: of the dataset's table.
        check: which check found it.
        value: what was measured; NaN where nothing is.
        limit: which value would have been let pass; NaN where there is none.
        reason: one sentence.
    """

    row: int
    check: str
    value: float
    limit: float
    reason: str


Found = list[Proposal] | str  # or why the check cannot say anything of this dataset
Check = Callable[[Looks, Dataset], Found]

_CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register the decorated function, whose name becomes the check's name."""
    _CHECKS[function.__name__] = function
    return function


def names() -> list[str]:
    """Every check, in the order in which they are done."""
    from . import copies  # noqa: F401  it registers its own

    return list(_CHECKS)


def get(name: str) -> Check:
    """Look up a check.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in names():
        raise UnknownName("check", name, _CHECKS)
    return _CHECKS[name]


@check
def unreadable(looks: Looks, dataset: Dataset) -> Found:
    """Files that cannot be decoded; a run would stop at them."""
    nothing = float("nan")
    return [
        Proposal(row, "unreadable", nothing, nothing, f"cannot be read: {why}")
        for row, why in looks.faults.items()
    ]


@check
def border(looks: Looks, dataset: Dataset) -> Found:
    """A black or white frame; what is inside it is told, to crop to."""
    seen = looks.seen
    top, left, bottom, right = seen["box"].T
    pixels = np.maximum(seen["rows"] * seen["columns"], 1)
    share = 1 - (bottom - top) * (right - left) / pixels
    return [
        Proposal(
            row, "border", float(share[row]), FRAME,
            f"{share[row]:.0%} of it is a black or white frame; the picture is in rows "
            f"{top[row]} to {bottom[row]} and columns {left[row]} to {right[row]}.",
        )
        for row in _where(looks, (share > FRAME) & (bottom > top))
    ]  # fmt: skip


@check
def proportions(looks: Looks, dataset: Dataset) -> Found:
    """A bad crop: a strip, among images that are none."""
    seen = looks.seen
    ratio = np.log(np.maximum(seen["columns"], 1) / np.maximum(seen["rows"], 1))
    off = np.exp(np.abs(ratio - np.median(ratio[looks.readable])))
    return [
        Proposal(
            row, "proportions", float(off[row]), PROPORTION,
            f"{seen['rows'][row]} x {seen['columns'][row]} pixels: its proportions are "
            f"{off[row]:.1f} times off the usual.",
        )
        for row in _where(looks, off > PROPORTION)
    ]  # fmt: skip


@check
def blank(looks: Looks, dataset: Dataset) -> Found:
    """Nothing to see: next to no contrast."""
    contrast = looks.seen["contrast"]
    return [
        Proposal(
            row, "blank", float(contrast[row]), CONTRAST,
            f"96 of 100 pixels lie within {contrast[row]:.3f} of the grey scale.",
        )
        for row in _where(looks, contrast < CONTRAST)
    ]  # fmt: skip


@check
def saturated(looks: Looks, dataset: Dataset) -> Found:
    """Much of the picture is at the ends of the grey scale, where detail is lost."""
    seen = looks.seen
    return [
        Proposal(
            row, "saturated", float(seen["ends"][row]), ENDS,
            f"{seen['ends'][row]:.0%} of the pixels are quite black or quite white.",
        )
        for row in _where(looks, (seen["ends"] > ENDS) & (seen["contrast"] >= CONTRAST))
    ]  # fmt: skip


@check
def lateral(looks: Looks, dataset: Dataset) -> Found:
    """Side views among frontal ones, by the column `view` alone; pixels are not asked."""
    if "view" not in dataset.table:
        return "the dataset has no column view, and side views cannot be told without"
    words = dataset.table["view"].astype(str).str.strip().str.lower().str.replace(" ", "_")
    sideways = words.isin(LATERAL).to_numpy()
    if sideways.sum() > (dataset.table["view"].notna().to_numpy() & ~sideways).sum():
        return "most images are side views"
    nothing = float("nan")
    return [
        Proposal(int(row), "lateral", nothing, nothing, "a side view among frontal ones.")
        for row in np.flatnonzero(sideways)
    ]


@check
def inverted(looks: Looks, dataset: Dataset) -> Found:
    """Bone black: the image is the negative of what the others look like."""
    rows = looks.readable
    if len(rows) < ENOUGH:
        return f"a usual image cannot be told from fewer than {ENOUGH}"
    small = standardised(looks.seen["thumbnail"][rows])
    usual = standardised(np.median(small, axis=0)[None])[0]
    like = small @ usual
    if np.median(like) < ALIKE:
        return (
            f"the images are too unlike each other: the median correlation with the usual one is "
            f"{np.median(like):.2f}, and {ALIKE} is needed"
        )
    return [
        Proposal(
            int(rows[place]), "inverted", float(like[place]), UPSIDE,
            f"its correlation with the usual image is {like[place]:.2f}: bone may be black.",
        )
        for place in np.flatnonzero(like < UPSIDE)
    ]  # fmt: skip


@check
def text(looks: Looks, dataset: Dataset) -> Found:
    """Words burned in: they may name a patient or a ward, and a network can read them."""
    letters = looks.seen["letters"]
    if np.isnan(letters[looks.readable]).all():
        return "the images are too small for text to be told"
    return [
        Proposal(
            row, "text", float(letters[row]), STROKES,
            f"a line of text, or what looks like it, of {letters[row]:.0f} strokes.",
        )
        for row in _where(looks, letters >= STROKES)
    ]  # fmt: skip


def standardised(small: np.ndarray) -> np.ndarray:
    """Each of (images, rows, columns) or (images, pixels) as a vector of mean 0 and length 1.

    Those without any contrast become 0.
    """
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat = flat - flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _where(looks: Looks, wanted: np.ndarray) -> Iterator[int]:
    yield from (int(row) for row in np.flatnonzero(wanted & looks.seen["readable"]))
