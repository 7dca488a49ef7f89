"""The images of a run: a dataset, the side of each image, and whose it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import DataError, SpecError
from ..preprocessing import Dataset, cleaning, findings, splits
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
        findings: those to tell, where an image may have several; empty for two classes.
    """

    dataset: Dataset
    sides: np.ndarray
    patients: np.ndarray
    by_patient: bool
    notes: tuple[str, ...]
    findings: tuple[str, ...] = ()

    def rows(self, side: str) -> np.ndarray:
        """Row numbers of the images on a side."""
        return np.flatnonzero(self.sides == side)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model tells: the findings, or the classes of the dataset."""
        return self.findings or self.dataset.classes

    @property
    def labels(self) -> np.ndarray:
        """(images,), index into the classes."""
        return self.dataset.table["label"].to_numpy(dtype="int64")

    @property
    def truth(self) -> np.ndarray:
        """(images, findings), float32: 1, 0, or NaN where it is not known."""
        return self.dataset.table[list(self.findings)].to_numpy(dtype="float32")

    @property
    def positive(self) -> np.ndarray:
        """(images,), whether it is of the positive class, or has any of the findings."""
        if self.findings:
            return (self.truth == 1).any(axis=1)
        return self.labels == len(self.dataset.classes) - 1

    def of(self, finding: str) -> "Cohort":
        """The same images as two classes: those with a finding, and those without.

        Images of which that is not known are on no side.
        """
        truth = self.truth[:, self.findings.index(finding)]
        known = ~np.isnan(truth)
        table = self.dataset.table.assign(label=np.where(known, truth, 0).astype(int))
        unknown = int((~known).sum())
        note = (
            f"Whether there is {finding} is not known of {unknown:,} of {len(table):,} images; "
            "they count on no side."
        )
        return replace(
            self,
            dataset=replace(self.dataset, classes=(f"no {finding}", finding), table=table),
            sides=np.where(known, self.sides, ""),
            notes=(*self.notes, note) if unknown else self.notes,
            findings=(),
        )

    def summary(self) -> dict[str, dict[str, int]]:
        """Images, patients and positive images of each side."""
        return {
            side: {
                "images": len(rows),
                "patients": len(np.unique(self.patients[rows])),
                "positives": int(self.positive[rows].sum()),
            }
            for side in SIDES
            for rows in [self.rows(side)]
        }


def load(section: Section) -> Cohort:
    """Load the dataset that a spec names, and split it.

    Raises:
        DataError: it cannot be read, has neither two classes nor the findings that are asked for,
            or cannot be split as asked; or the list of what is to be left out is of another
            dataset.
    """
    dataset = datasets.load(section.name, **section.options)
    if section.leave_out is not None:
        dataset = cleaning.leave_out(dataset, section.leave_out)
    by_patient = section.patient is not None
    if section.findings is not None:
        return _of_findings(section, dataset, by_patient)
    if len(dataset.classes) != 2:
        raise DataError(
            f"Dataset {dataset.name!r} has the classes {', '.join(dataset.classes)}. A run tells "
            f"two apart: merge them with dataset.options.classes."
        )
    if section.split == "given":
        sides = splits.given(dataset.table, by_patient, dataset.classes)
    else:
        shares = section.split.model_dump()
        sides = splits.split(dataset.table, shares, section.seed, by_patient, dataset.classes)
    return Cohort(
        dataset, sides, _patients(dataset, by_patient), by_patient, _notes(dataset, by_patient)
    )


def _of_findings(section: Section, dataset: Dataset, by_patient: bool) -> Cohort:
    assert section.findings is not None, "see `load`"
    names = findings.choose(dataset, section.findings)
    truth = dataset.table[list(names)].to_numpy(dtype="float32")
    if section.split == "given":
        sides = splits.given(dataset.table, by_patient, classes=None)
    else:
        shares, strata = section.split.model_dump(), findings.strata(truth)
        sides = splits.split(dataset.table, shares, section.seed, by_patient, strata=strata)
    patients, notes = _patients(dataset, by_patient), _notes(dataset, by_patient)
    cohort = Cohort(dataset, sides, patients, by_patient, notes, names)
    return replace(cohort, notes=(*notes, *_lacking(cohort)))


def _lacking(cohort: Cohort) -> Iterator[str]:
    """What no figure can be given of, or was not learned.

    Raises:
        DataError: a side has nothing to tell apart.
    """
    for side in SIDES:
        truth = cohort.truth[cohort.rows(side)]
        both = (truth == 1).any(0) & (truth == 0).any(0)
        if not both.any():
            raise DataError(
                f"No finding is there on some images of the side '{side}' and known to be absent "
                f"from others, so there is nothing to tell apart. The side has {len(truth)} "
                "images; use more, a larger share, or another seed."
            )
        lacking = [name for name, there in zip(cohort.findings, both, strict=True) if not there]
        if lacking:
            yield (
                f"On the side '{side}' these findings are on no image, or on all that are known: "
                f"{', '.join(lacking)}."
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
