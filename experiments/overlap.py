"""Who is in two collections of images: on whom a model was trained, and on whom it is tested."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..errors import DataError
from ..preprocessing import Dataset
from .finished import Finished

LEARNED = ("train", "validation")  # the weights and the thresholds were made on these
_NAMED = 3


@dataclass(frozen=True)
class Overlap:
    """What a run and another dataset share, by ids.

    Args:
        dataset: the name of the other dataset.
        patients: those of the run's train and validation sides; None where the patients of one
            of the two collections are not known.
        images: those of the run's train and validation sides.
        tested: how many patients (images, where patients are not known) of its test side.
        same_data: whether it is the dataset that the run itself was split from.
    """

    dataset: str
    patients: tuple[str, ...] | None
    images: tuple[str, ...]
    tested: int
    same_data: bool

    def __bool__(self) -> bool:
        """Whether the model may have learned from what it is to be tested on."""
        return bool(self.patients or self.images or self.same_data)

    def __str__(self) -> str:
        """One sentence, with the counts."""
        images = f"{len(self.images):,} images"
        if self.patients is None:
            return (
                f"Overlap with the images of training and validation: {images}; patients are not "
                "known on both sides, so patients could not be compared."
            )
        return (
            f"Overlap with training and validation: {len(self.patients):,} patients and {images}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Counts as plain values for JSON; no ids."""
        return {
            "patients": None if self.patients is None else len(self.patients),
            "images": len(self.images),
            "with_internal_test": self.tested,
            "same_data": self.same_data,
        }

    def refuse(self) -> None:
        """Stop here where anything was learned from.

        Raises:
            DataError: says how many, names up to three, and how to go on all the same.
        """
        if self:
            raise DataError(f"{' '.join(self._problems())} {_MEND}")

    def _problems(self) -> Iterator[str]:
        if self.same_data:
            yield (
                f"{self.dataset!r} with these options is the dataset that the run itself was "
                "trained on; its internal test is in metrics.json."
            )
        for kind, shared in (("patients", self.patients or ()), ("images", self.images)):
            if shared:
                more = " and others" if len(shared) > _NAMED else ""
                yield (
                    f"{len(shared):,} {kind} of {self.dataset!r} have ids that the run was "
                    f"trained or validated on: {', '.join(shared[:_NAMED])}{more}."
                )


_MEND = (
    "An external validation needs other people. Equal ids of two collections may be chance; if it "
    "is, or if the overlap is meant, say --overlap-meant, and the report will say so."
)


def count(run: Finished, dataset: Dataset) -> Overlap:
    """Compare the ids of a run's images and patients with those of another dataset.

    Raises:
        RunError: the run's predictions cannot be read.
    """
    ours, theirs = run.table, dataset.table
    learned = ours["split"].isin(LEARNED)
    images = _shared(ours["id"][learned], theirs["id"])
    same_data = run.manifest["data"]["content_sha256"] == dataset.content
    if (ours["patient"] == "").any() or theirs["patient"].isna().any():
        tested = _shared(ours["id"][~learned], theirs["id"])
        return Overlap(dataset.name, None, images, len(tested), same_data)
    patients = _shared(ours["patient"][learned], theirs["patient"])
    tested = _shared(ours["patient"][~learned], theirs["patient"])
    return Overlap(dataset.name, patients, images, len(tested), same_data)


def _shared(ours: "pd.Series[str]", theirs: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(set(ours) & set(map(str, theirs))))
