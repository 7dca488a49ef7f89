"""The images of a run: a dataset, the side of each image, and whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, SpecError
from ..preprocessing import Dataset, cleaning, splits
from ..preprocessing import registry as datasets
from . import problems, source
from .options import OptionsInvalid, checked
from .spec import Dataset as Section

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Cohort:
    """A dataset, split.

    Attributes:
        dataset: the images and their table.
        sides: (images,), the side of each: one of `SIDES`.
        patients: (images,), whose it is; an image without a patient is its own.
        by_patient: whether no patient is on two sides.
        notes: sentences that the report must carry.
    """

    dataset: Dataset
    sides: np.ndarray
    patients: np.ndarray
    by_patient: bool
    notes: tuple[str, ...]

    def rows(self, side: str) -> np.ndarray:
        """Row numbers of the images on a side."""
        return np.flatnonzero(self.sides == side)

    @property
    def labels(self) -> np.ndarray:
        """(images,), index into the classes."""
        return self.dataset.table["label"].to_numpy(dtype="int64")

    def summary(self) -> dict[str, dict[str, int]]:
        """Images, patients and positive images of each side."""
        positive = len(self.dataset.classes) - 1
        return {
            side: {
                "images": len(rows),
                "patients": len(np.unique(self.patients[rows])),
                "positives": int((self.labels[rows] == positive).sum()),
            }
            for side in SIDES
            for rows in [self.rows(side)]
        }


def load(section: Section) -> Cohort:
    """Load the dataset that a spec names, and split it.

    Raises:
        DataError: it cannot be read, has not two classes, or cannot be split as asked; or the
            list of what is to be left out is of another dataset.
    """
    dataset = datasets.load(section.name, **section.options)
    if section.leave_out is not None:
        dataset = cleaning.leave_out(dataset, section.leave_out)
    if len(dataset.classes) != 2:
        raise DataError(
            f"Dataset {dataset.name!r} has the classes {', '.join(dataset.classes)}. A run tells "
            f"two apart: merge them with dataset.options.classes."
        )
    by_patient = section.patient is not None
    if section.split == "given":
        sides = splits.given(dataset.table, by_patient, dataset.classes)
    else:
        shares = section.split.model_dump()
        sides = splits.split(dataset.table, shares, section.seed, by_patient, dataset.classes)
    return Cohort(
        dataset, sides, _patients(dataset, by_patient), by_patient, _notes(dataset, by_patient)
    )


def outside(dataset: Dataset, test_only: bool = False) -> Cohort:
    """Images to test a finished run on, as one side: "test".

    Args:
        dataset: of two classes.
        test_only: whether to take those that its own column `split` calls test; else all.

    Raises:
        DataError: there is no such column, or it cannot be used.
    """
    known = dataset.table["patient"].notna().to_numpy()
    sides = np.full(len(known), "test")
    if test_only:
        # whoever is on two of its sides is new to the model all the same
        sides = splits.given(dataset.table, patients=False, classes=dataset.classes)
    notes = dataset.notes
    if not known.all():
        notes += (
            f"The patients of {(~known).sum():,} of {len(known):,} images are not known: each of "
            "these images counts as a patient, so the intervals are too narrow.",
        )
    return Cohort(dataset, sides, _patients(dataset, by_patient=True), bool(known.all()), notes)


def from_words(name: str, words: Sequence[str]) -> Dataset:
    """Load a dataset from the command line.

    Args:
        name: a registered name, or `module:function`.
        words: `option=value` each, the value in YAML.

    Raises:
        UnknownName: there is no such dataset.
        SpecError: an option is unknown or of another type.
        DataError: it cannot be read.
    """
    return datasets.load(name, **options_of(name, words))


def options_of(name: str, words: Sequence[str]) -> dict[str, Any]:
    """The options of a dataset from the command line, with defaults.

    Args:
        name: as for `from_words`.
        words: as for `from_words`.

    Raises:
        UnknownName: there is no such dataset.
        SpecError: an option is unknown or of another type.
    """
    text = source.Source({}, {(): "--set"})
    for word in words:
        text = source.overridden(text, word)
    try:
        return checked(datasets.get(name).factory, text.data)
    except OptionsInvalid as error:
        lines = problems.lines(error.error, error.model, text)
        raise SpecError(f"Dataset {name!r} cannot be read:\n" + "\n".join(lines)) from error


def _patients(dataset: Dataset, by_patient: bool) -> np.ndarray:
    images = ("image " + dataset.table["id"].astype(str)).to_numpy(dtype=str)
    if not by_patient:
        return images
    known = dataset.table["patient"].notna().to_numpy()
    return np.where(known, dataset.table["patient"].astype(str).to_numpy(dtype=str), images)


def _notes(dataset: Dataset, by_patient: bool) -> tuple[str, ...]:
    if by_patient:
        return dataset.notes
    return (
        *dataset.notes,
        "Patients are not known (`patient: null`): images of one patient may be on both sides "
        "of the split, so the figures may be too good, and the intervals too narrow.",
    )
