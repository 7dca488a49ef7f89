"""From a dataset to proposals: one look at every image, then every check."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import DataError
from ..registry import Dataset
from . import checks
from .balance import UNLIKELY, Balance, balance
from .checks import Proposal
from .looks import Progress, look_at


@dataclass(frozen=True)
class Cleaning:
    """What the checks found.

    Attributes:
        dataset: what was looked at.
        checked: the checks that were done.
        proposals: by check, then by row; an image may be proposed by several.
        skipped: why a check could say nothing, by its name.
    """

    dataset: Dataset
    checked: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    skipped: dict[str, str]

    def of(self, check: str) -> tuple[Proposal, ...]:
        """What one check found."""
        return tuple(one for one in self.proposals if one.check == check)

    def balance(self, check: str | None = None) -> Balance:
        """The classes before and after, if all is left out that one check, or any, proposes."""
        found = self.proposals if check is None else self.of(check)
        return balance(self.dataset, (one.row for one in found))


def propose(
    dataset: Dataset, only: Sequence[str] = (), progress: Progress | None = None
) -> Cleaning:
    """Look at every image once and say which should be looked at, or left out.

    Time grows linearly with the images; what is kept is 1.1 KB an image.

    Args:
        dataset: whose images are read; nothing is written.
        only: names of checks; all if empty.
        progress: called with (images done, images in all) as the work goes on.

    Raises:
        UnknownName: there is no such check.
        DataError: not one image can be read.
    """
    chosen = {name: checks.get(name) for name in only or checks.names()}
    looks = look_at(dataset, progress)
    if not len(looks.readable):
        raise DataError(
            f"Not one image of {dataset.name!r} can be read; the first: {looks.faults[0]}"
        )
    proposals: list[Proposal] = []
    skipped = {}
    for name, check in chosen.items():
        found = check(looks, dataset)
        if isinstance(found, str):
            skipped[name] = found
        else:
            proposals += sorted(found)
    return Cleaning(dataset, tuple(chosen), tuple(proposals), skipped)


def rows(found: Cleaning) -> list[list[str]]:
    """A table of what was found: check, images, of each class before and after, p."""
    named = [(name.replace("_", " "), found.balance(name)) for name in found.checked]
    result = []
    for name, one in [*named, ("any of them", found.balance())]:
        if name in {check.replace("_", " ") for check in found.skipped}:
            continue
        kept = [f"{b:,} to {b - o:,}" for b, o in zip(one.before, one.out, strict=True)]
        result.append([name, f"{sum(one.out):,}", *kept, "" if one.p is None else f"{one.p:.3g}"])
    return result


def words(found: Cleaning) -> list[str]:
    """Sentences: which check's removal depends on the class, and what was not checked."""
    depends = [
        f"{name.replace('_', ' ')}: {one}"
        for name in found.checked
        for one in [found.balance(name)]
        if one.p is not None and one.p < UNLIKELY
    ]
    skipped = [
        f"Not checked: {name.replace('_', ' ')}: {why}." for name, why in found.skipped.items()
    ]
    return [*depends, f"All of it: {found.balance()}", *skipped]
