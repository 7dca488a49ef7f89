"""Would leaving images out change the classes? Counts before and after, and a test."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..registry import Dataset

UNLIKELY = 0.05  # below it, leaving out is said to depend on the class


@dataclass(frozen=True)
class Balance:
    """Images by class, before and after some are left out.

    Attributes:
        classes: their names.
        before: images of each.
        out: how many of each would be left out.
        p: of a test that leaving out does not depend on the class: Fisher's exact one of two
            classes, chi-square of more; None if nothing, or everything, is left out.
    """

    classes: tuple[str, ...]
    before: tuple[int, ...]
    out: tuple[int, ...]
    p: float | None

    def __str__(self) -> str:
        """One sentence."""
        if self.p is None:
            return "Nothing is left out." if not sum(self.out) else "Everything is left out."
        shares = ", ".join(
            f"{out:,} of {of:,} {name} ({out / of:.1%})"
            for name, of, out in zip(self.classes, self.before, self.out, strict=True)
        )
        told = f"{'Fisher' if len(self.classes) == 2 else 'chi-square'} p {_p(self.p)}"
        if self.p < UNLIKELY:
            return f"Removal depends on the class: {shares}; {told}."
        return f"No sign that removal depends on the class: {shares}; {told}."


def balance(dataset: "Dataset", rows: Iterable[int]) -> Balance:
    """Count the classes before and after `rows` are left out, and test for independence."""
    label = dataset.table["label"].to_numpy(dtype=int)
    out = np.bincount(label[sorted(set(rows))], minlength=len(dataset.classes))
    before = np.bincount(label, minlength=len(dataset.classes))
    p = _independence(before, out)
    return Balance(dataset.classes, tuple(before.tolist()), tuple(out.tolist()), p)


def _independence(before: np.ndarray, out: np.ndarray) -> float | None:
    from scipy import stats

    if out.sum() in (0, before.sum()) or len(before) < 2:
        return None
    counts = np.stack([out, before - out])
    if len(before) == 2:
        return float(stats.fisher_exact(counts).pvalue)
    return float(stats.chi2_contingency(counts).pvalue)


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
