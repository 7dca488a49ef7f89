"""All that an export may say of one film."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bounds = tuple[float, float, float]


@dataclass(frozen=True)
class ModelName:
    """Which model spoke.

    Attributes:
        title: of its spec.
        version: the name of its run directory.
        weights: SHA-256 of its weights.
        synthetic: whether it was trained on images that a program drew.
        finding: which of its findings it speaks of; empty for a model of two classes.
    """

    title: str
    version: str
    weights: str
    synthetic: bool
    finding: str = ""


@dataclass(frozen=True)
class Check:
    """One check of the input: `level` is `good`, `note` or `warning`; `text` is a sentence."""

    level: str
    text: str


@dataclass(frozen=True, eq=False)
class Result:
    """One film, read by a model and perhaps by a doctor, in the language of who asks.

    Attributes:
        study: its id.
        name: of the file, as it was given.
        upload: SHA-256 of the file.
        size: (rows, columns) of the file's image.
        made: when the export is made, UTC.
        user: who asks for it.
        language: `es` or `en`.
        model: which spoke.
        classes: names of the classes as the reader sees them, the positive one last.
        probabilities: one a class, raw.
        calibrated: of the positive class after temperature scaling; None if not measured.
        threshold: at or above it the film is called positive.
        sensitivity, specificity: at that threshold: value, lower and upper bound; None where the
            run could not measure it.
        measured_on: (images, patients) of the test set they come from.
        checks: of the input.
        map_worth: a sentence on what the audit of the heatmaps found, or that there is none.
        method: the heatmap method, as it is written for people.
        verdict: `finding`, `no_finding`, `uncertain`, or None where the doctor has not read it.
        note: the doctor's.
        read_at: when, UTC.
        picture: (rows, columns) uint8, as the file's own window shows it, bone white.
        maps: (classes, rows, columns) of any size, in [0, 1]; they cover the whole picture. Those
            of `labels` are shown.
        header: of a DICOM file, without its pixels: a pydicom Dataset; None for a picture file.
        orientation: of rows and columns as DICOM writes it, such as ("L", "F"); None if unknown.
    """

    study: str
    name: str
    upload: str
    size: tuple[int, int]
    made: dt.datetime
    user: str
    language: str
    model: ModelName
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    calibrated: float | None
    threshold: float
    sensitivity: Bounds | None
    specificity: Bounds | None
    measured_on: tuple[int, int]
    checks: tuple[Check, ...]
    map_worth: str
    method: str
    verdict: str | None
    note: str
    read_at: dt.datetime | None
    picture: NDArray[np.uint8]
    maps: NDArray[np.float32]
    header: Any | None
    orientation: tuple[str, str] | None

    @property
    def probability(self) -> float:
        """Of the positive class."""
        return self.probabilities[-1]

    @property
    def labels(self) -> range:
        """Of the classes whose maps are shown: nothing is drawn against one of several findings."""
        return range(1 if self.model.finding else 0, len(self.classes))

    @property
    def is_above(self) -> bool:
        """Whether the film is called positive."""
        return self.probability >= self.threshold
