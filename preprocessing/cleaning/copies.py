"""The same image twice, the same image in two places, and the same patient on two sides."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ..registry import Dataset
from ..splits import SPELLINGS
from .checks import CONTRAST, Found, Proposal, check, standardised
from .looks import Looks

BITS = 6  # of 64 that may differ: 99 in 100 re-encoded or shrunk copies have 0 to 6
LIKE = 0.985  # correlation of thumbnails: copies have 0.985 and more, other films 0.982 at most
BANDS = 4  # of 16 bits: if 7 bits differ or fewer, some band differs in 1 at most
AT_ONCE = 4096  # hashes that are looked up together: bounds the memory


@check
def duplicate(looks: Looks, dataset: Dataset) -> Found:
    """A further copy of an image, of the same patient and on the same side."""
    return [one for one in _copies(looks, dataset) if one.check == "duplicate"]


@check
def leak(looks: Looks, dataset: Dataset) -> Found:
    """A copy of an image that is also on another side, or also another patient's."""
    return [one for one in _copies(looks, dataset) if one.check == "leak"]


@check
def patient_on_two_sides(looks: Looks, dataset: Dataset) -> Found:
    """Images of a patient on another side of the given split than most of his or hers."""
    table = dataset.table
    if "split" not in table:
        return "the dataset has no column split"
    if table["patient"].isna().all():
        return "no patient is known"
    sides, found = _sides(dataset), []
    for rows in table.groupby("patient").groups.values():
        here, counts = np.unique(sides[rows], return_counts=True)
        if len(here) > 1:
            most = str(here[counts.argmax()])
            found += [_elsewhere(row, sides[row], most) for row in rows if sides[row] != most]
    return found


def near(hashes: np.ndarray) -> np.ndarray:
    """All pairs of 64-bit hashes of which at most `BITS` bits differ; none is missed.

    Where at most 7 of 64 bits differ, at least one of four bands of 16 differs in at most one.
    So each band is looked up in a sorted list, as it is and with each bit turned: 68 look-ups a
    hash, whatever the number of hashes, and what is found is counted in full.

    Args:
        hashes: (n,) uint64.

    Returns:
        (pairs, 2), places in `hashes`, the smaller first, sorted.

    Source:
        Norouzi, Punjani, Fleet, Fast search in Hamming space with multi-index hashing, CVPR 2012.
    """
    found = [pairs for band in range(BANDS) for pairs in _in_band(hashes, np.uint64(16 * band))]
    return np.unique(np.concatenate([np.empty((0, 2), np.int64), *found]), axis=0)


@lru_cache(maxsize=1)  # two checks ask for the same
def groups(looks: Looks) -> np.ndarray:
    """The number of the group of copies that each image is in, (images,): alone in most."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    seen, total = looks.seen, len(looks.seen)
    _, first, which = np.unique(seen["digest"], return_index=True, return_inverse=True)
    same = first[which]
    same[~seen["readable"]] = np.flatnonzero(~seen["readable"])
    pairs = np.concatenate([np.column_stack([np.arange(total), same]), _look_alike(looks, first)])
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (total, total))
    return connected_components(links, directed=False)[1]


def likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation of thumbnails (pairs, rows, columns): as they are, or their histograms even."""
    import cv2

    def even(small: np.ndarray) -> np.ndarray:
        return np.stack([cv2.equalizeHist(one) for one in small])

    plain = (standardised(first) * standardised(second)).sum(1)
    return np.maximum(plain, (standardised(even(first)) * standardised(even(second))).sum(1))


def _in_band(hashes: np.ndarray, shift: np.uint64) -> Iterator[np.ndarray]:
    keys = ((hashes >> shift) & np.uint64(0xFFFF)).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    for turned in (0, *(1 << bit for bit in range(16))):
        for start in range(0, len(keys), AT_ONCE):
            wanted = keys[start : start + AT_ONCE] ^ turned
            low, high = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
            count = high - low
            one = np.repeat(np.arange(start, start + len(wanted)), count)
            within = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
            other = order[np.repeat(low, count) + within]
            close = np.bitwise_count(hashes[one] ^ hashes[other]) <= BITS
            kept = (one < other) & close
            yield np.column_stack([one[kept], other[kept]])


def _look_alike(looks: Looks, first: np.ndarray) -> np.ndarray:
    """Pairs of rows whose images are near and look alike; a flat image is like no other."""
    seen = looks.seen
    rows = np.sort(first)
    rows = rows[seen["readable"][rows] & (seen["contrast"][rows] >= CONTRAST)]
    pairs = rows[near(seen["hash"][rows])]
    if not len(pairs):
        return pairs.reshape(0, 2)
    small = seen["thumbnail"]
    return pairs[likeness(small[pairs[:, 0]], small[pairs[:, 1]]) >= LIKE]


def _copies(looks: Looks, dataset: Dataset) -> Iterator[Proposal]:
    """Of each group all but the first; all of it where the labels disagree."""
    numbers, sides = groups(looks), _sides(dataset)
    order = np.argsort(numbers, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        if len(rows) > 1:
            yield from _of_group(looks, dataset, rows, len(set(sides[rows])))


def _of_group(looks: Looks, dataset: Dataset, rows: np.ndarray, sides: int) -> Iterator[Proposal]:
    table = dataset.table.iloc[rows]
    one_label = table["label"].nunique() == 1
    patients = table["patient"].nunique()
    kind = "leak" if patients > 1 or sides > 1 else "duplicate"
    said = [f"{len(rows)} copies"]
    said += [f"of {patients} patients"] * (patients > 1) + [f"on {sides} sides"] * (sides > 1)
    end = "." if one_label else ", with different labels, so that none is kept."
    for row in rows[1 if one_label else 0 :]:
        twin = rows[0] if row != rows[0] else rows[1]
        exact = looks.seen["digest"][row] == looks.seen["digest"][twin]
        small = looks.seen["thumbnail"]
        value = 1.0 if exact else float(likeness(small[[row]], small[[twin]])[0])
        how = "pixel for pixel" if exact else f"nearly, with correlation {value:.3f},"
        reason = f"{how} the same as {dataset.table['id'].iloc[twin]}: {' '.join(said)}{end}"
        yield Proposal(int(row), kind, value, LIKE, reason)


def _sides(dataset: Dataset) -> np.ndarray:
    """The side that each row's column `split` names; one and the same where there is none."""
    if "split" not in dataset.table:
        return np.full(len(dataset.table), "")
    words = dataset.table["split"].fillna("").astype(str).str.strip().str.lower()
    return words.map(lambda word: SPELLINGS.get(word, word)).to_numpy(dtype=str)


def _elsewhere(row: int, side: object, most: str) -> Proposal:
    nothing = float("nan")
    reason = f"on the side '{side}'; most images of this patient are on '{most}'."
    return Proposal(int(row), "patient_on_two_sides", nothing, nothing, reason)
