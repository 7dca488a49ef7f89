"""What was true, what was predicted, and whose image it was: all that evaluation ever sees."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError


@dataclass(frozen=True, eq=False, init=False)
class Predictions:
    """One probability an image, beside its true label and its patient.

    Args:
        labels: (n,), 1 where the image is of the positive class and 0 where it is not.
        probabilities: (n,), of the positive class, in [0, 1].
        patients: (n,), who is on the image. Where patients are unknown, give each image an
            id of its own and say so in the report: the intervals are then too narrow.

    Raises:
        DataError: the lengths differ, a value is missing or out of range, or there is no image;
            the message lists every problem at once.
    """

    labels: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    patients: NDArray[np.str_]

    def __init__(
        self, labels: ArrayLike, probabilities: ArrayLike, patients: Iterable[Any]
    ) -> None:
        people = pd.Series(list(patients), dtype=object)
        problems = _problems(np.asarray(labels), np.asarray(probabilities), people)
        if problems:
            raise DataError("These predictions cannot be evaluated: " + " ".join(problems))
        self._keep("labels", np.array(labels, dtype=np.int8))
        self._keep("probabilities", np.array(probabilities, dtype=np.float64))
        self._keep("patients", np.array([str(person) for person in people], dtype=np.str_))

    def _keep(self, name: str, values: NDArray[Any]) -> None:
        values.setflags(write=False)
        object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def positives(self) -> int:
        """How many images are of the positive class."""
        return int(self.labels.sum())

    @property
    def negatives(self) -> int:
        """How many images are not of the positive class."""
        return len(self) - self.positives

    @cached_property
    def patient_codes(self) -> NDArray[np.intp]:
        """(n,): the patient of each image as a number from 0, in the order of the sorted ids."""
        return np.unique(self.patients, return_inverse=True)[1]

    @property
    def patient_count(self) -> int:
        """How many different patients there are."""
        return int(self.patient_codes.max()) + 1

    def patients_with(self, chosen: NDArray[np.bool_]) -> int:
        """How many patients have at least one of the chosen images; `chosen` is (n,)."""
        return len(np.unique(self.patient_codes[chosen]))

    def where(self, chosen: NDArray[np.bool_]) -> "Predictions":
        """The predictions of the chosen images alone; `chosen` is (n,)."""
        return Predictions(
            self.labels[chosen], self.probabilities[chosen], self.patients[chosen].tolist()
        )


def _problems(labels: NDArray[Any], probabilities: NDArray[Any], patients: pd.Series) -> list[str]:
    shapes = labels.shape, probabilities.shape, patients.shape
    if len(set(shapes)) > 1 or labels.ndim != 1:
        return [
            "labels, probabilities and patients must be three lists of the same length; got the "
            "shapes {}, {} and {}.".format(*shapes)
        ]
    if not len(labels):
        return ["there is no image."]
    found = _label_problems(labels), _probability_problems(probabilities), _missing(patients)
    return [problem for problem in found if problem]


def _label_problems(labels: NDArray[Any]) -> str:
    strange = [label for label in np.unique(labels.astype(object).astype(str))]
    strange = [label for label in strange if label not in {"0", "1", "0.0", "1.0", "True", "False"}]
    return f"labels must be 0 or 1; got {', '.join(strange[:3])}." if strange else ""


def _probability_problems(probabilities: NDArray[Any]) -> str:
    if probabilities.dtype.kind not in "biuf":
        return f"probabilities must be numbers; got {probabilities.dtype}."
    lost = int(np.isnan(probabilities).sum())
    outside = int(((probabilities < 0) | (probabilities > 1)).sum())
    if not lost and not outside:
        return ""
    return (
        f"probabilities must lie in [0, 1]; {lost} of {len(probabilities)} are not numbers "
        f"and {outside} lie outside."
    )


def _missing(patients: pd.Series) -> str:
    lost = int((patients.isna() | (patients.astype(str).str.strip() == "")).sum())
    if not lost:
        return ""
    return (
        f"{lost} of {len(patients)} images name no patient; give each of them an id of its own "
        "to treat it as independent."
    )
