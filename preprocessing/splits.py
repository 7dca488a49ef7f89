"""Who is trained on, who is validated on, who is tested on: by patient, stratified, seeded."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("train", "validation", "test")
SPELLINGS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "validate"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split(
    table: "pd.DataFrame",
    shares: Mapping[str, float],
    seed: int = 0,
    patients: bool = True,
    classes: Sequence[str] = (),
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """Put each image on a side, all images of a patient on the same one.

    Patients are dealt out in turn, those with most images first and equals in an order that
    the seed decides, each to the side that is least full of that patient's labels. So every
    side gets its share of each class, and patients with few and with many images alike.
    Of findings that an image may have several of, each is stratified so.

    Args:
        table: of a dataset, with `label` and `patient`.
        shares: of the images, by side; any of train, validation, test; their sum is 1.
        seed: another seed is another split; the same one is the same everywhere.
        patients: False if the images have no known patient; each then counts for itself.
        classes: the names of the labels, for messages.
        strata: in place of the label, what is stratified: bool (images, k). A side may then lack
            some of the k.

    Returns:
        (images,), each "train", "validation" or "test".

    Raises:
        DataError: patients are missing, some side would lack a class, or the shares are no
            shares.
    """
    sides = _sides(shares)
    owner = _owners(table) if patients else np.arange(len(table))
    counts = _counts(owner, _one_hot(table["label"].to_numpy()) if strata is None else strata)
    wanted = np.array([shares[side] for side in sides])
    dealt = _deal(counts, wanted, seed)
    if _lacking(counts, dealt, len(sides)):  # something so rare that it must go everywhere first
        rare = _deal(counts, wanted, seed, first=0.05)
        dealt = min(dealt, rare, key=lambda one: _lacking(counts, one, len(sides)))
    result = np.array(sides)[dealt[owner]].astype("<U10")
    if strata is None:
        mend = "Use more patients, a larger share, or another seed."
        _check_classes(table, result, classes, mend)
    return result


def given(
    table: "pd.DataFrame", patients: bool = True, classes: Sequence[str] | None = ()
) -> np.ndarray:
    """Take the sides that the table's own column `split` names.

    Args:
        table: of a dataset; its `split` says train, valid, val, validation, test or alike.
        patients: whether a patient on two sides is refused.
        classes: the names of the labels, for messages; None if a side may lack one.

    Returns:
        (images,), each "train", "validation" or "test".

    Raises:
        DataError: no column `split`, an unknown word in it, a side without one of the
            classes, or a patient on two sides.
    """
    if "split" not in table:
        raise DataError("The table has no column 'split'. Map one, or split by `shares`.")
    words = table["split"].fillna("").astype(str).str.strip().str.lower()
    unknown = words[~words.isin(SPELLINGS)]
    if len(unknown):
        raise DataError(
            f"The column 'split' holds {sorted(set(unknown))[:5]} ({len(unknown)} rows, the first "
            f"is {table['id'].loc[unknown.index[0]]!r}); expected train, validation or test."
        )
    result = words.map(SPELLINGS).to_numpy().astype("<U10")
    if patients:
        _check_patients(table, result)
    if classes is not None:
        _check_classes(table, result, classes, "Split by `shares` instead.")
    return result


def salted(ids: Iterable[str], salt: str) -> list[str]:
    """Names that can be published: SHA-256 of the salt followed by each id, as hexadecimals."""
    return [hashlib.sha256((salt + identity).encode()).hexdigest() for identity in ids]


def _sides(shares: Mapping[str, float]) -> list[str]:
    unknown = [side for side in shares if side not in SIDES]
    if unknown or abs(sum(shares.values()) - 1) > 1e-6 or min(shares.values()) <= 0:
        raise DataError(
            f"shares must be positive, for any of {', '.join(SIDES)}, with the sum 1; "
            f"got {dict(shares)}."
        )
    return [side for side in SIDES if side in shares]


def _owners(table: "pd.DataFrame") -> np.ndarray:
    """The number of each row's patient."""
    import pandas as pd

    missing = int(table["patient"].isna().sum())
    if missing:
        raise DataError(
            f"{missing} of {len(table)} images have no patient, so a split by patient cannot be "
            "made. If the images really have no known patient, set `patient: null` under "
            "`dataset` in the spec; the report will say so."
        )
    return pd.factorize(table["patient"])[0]


def _one_hot(label: np.ndarray) -> np.ndarray:
    return label[:, None] == np.arange(label.max() + 1)


def _counts(owner: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Images by patient and by what was found, of bool (images, k)."""
    counts = np.zeros((owner.max() + 1, found.shape[1]), dtype=int)
    np.add.at(counts, owner, found)
    return counts


def _lacking(counts: np.ndarray, dealt: np.ndarray, sides: int) -> int:
    """How often a side has nothing of what there is."""
    there = counts.sum(0) > 0
    return sum(int((counts[dealt == side].sum(0) == 0)[there].sum()) for side in range(sides))


def _deal(counts: np.ndarray, shares: np.ndarray, seed: int, first: float = 0.5) -> np.ndarray:
    """The side of each patient: Sainte-Lague's rule (`first` is 0.5), by label.

    A `first` near 0 (Adams' rule) lets every side have one before any has two.
    """
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    filled = np.zeros((len(shares), counts.shape[1]))
    dealt = np.empty(len(counts), dtype=int)
    rarity = 1 / np.maximum(counts.sum(0), 1)  # a rare class counts as much as a common one
    for patient in order:
        weight = counts[patient] * rarity
        fullness = ((filled + counts[patient] * first) * weight).sum(1) / shares
        dealt[patient] = fullness.argmin()
        filled[dealt[patient]] += counts[patient]
    return dealt


def _check_classes(
    table: "pd.DataFrame", result: np.ndarray, classes: Sequence[str], mend: str
) -> None:
    label = table["label"].to_numpy()
    names = {number: classes[number] if classes else f"label {number}" for number in set(label)}
    lacking = [
        f"{side} has no image of {name!r}"
        for side in SIDES
        for number, name in sorted(names.items())
        if side in result and not ((result == side) & (label == number)).any()
    ]
    if lacking:
        people = table.groupby("label")["patient"].nunique()
        counted = ", ".join(f"{people[number]} with {name!r}" for number, name in names.items())
        raise DataError(
            f"The split cannot be used: {'; '.join(lacking)}. There are {len(table)} images, "
            f"and patients: {counted}. {mend}"
        )


def _check_patients(table: "pd.DataFrame", result: np.ndarray) -> None:
    import pandas as pd

    owner = _owners(table)
    sides = pd.Series(result).groupby(owner).nunique()
    names = table["patient"].drop_duplicates().to_numpy()
    both = sorted(names[(sides > 1).to_numpy()])
    if both:
        raise DataError(
            f"{len(both)} of {len(sides)} patients are on two sides of the given split, "
            f"{', '.join(both[:3])} among them; scores would be too good. Split by `shares` "
            "instead, or set `patient: null` under `dataset` to accept it."
        )
