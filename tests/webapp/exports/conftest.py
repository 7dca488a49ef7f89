"""Results that no patient stands behind: films drawn by arithmetic."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from radzoo.webapp.exports.result import Check, ModelName, Result

_WEIGHTS, _UPLOAD = "0123456789ab" + "c" * 52, "fedcba987654" + "3" * 52
_CHECKS = (
    Check("good", "Like the films the model was trained on."),
    Check("warning", "The film may be inverted."),
)


def _phantom(rows: int, columns: int) -> NDArray[np.uint8]:
    """Two dark ovals on grey: what is needed to see which way is up."""
    down, across = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    grey = 150 + 60 * down
    for middle in (0.28, 0.72):
        inside = ((across - middle) / 0.17) ** 2 + ((down - 0.45) / 0.33) ** 2
        grey = np.where(inside < 1, 40 + 50 * inside, grey)
    return grey.astype(np.uint8)


def _spot(row: float, column: float) -> NDArray[np.float32]:
    """A map with one hill, 1 at its top."""
    down, across = np.mgrid[0:1:33j, 0:1:33j]
    hill = np.exp(-((down - row) ** 2 + (across - column) ** 2) / 0.02)
    return (hill / hill.max()).astype(np.float32)


@pytest.fixture
def phantom() -> Callable[[int, int], NDArray[np.uint8]]:
    """Draws a film of so many rows and columns."""
    return _phantom


@pytest.fixture
def spot() -> Callable[[float, float], NDArray[np.float32]]:
    """Draws a map that is strongest at a row and a column, both in [0, 1]."""
    return _spot


@pytest.fixture
def make() -> Callable[..., Result]:
    """Makes a result: a film above the threshold, in English, with what is given changed."""
    result = Result(
        study="study-7",
        name="phantom.dcm",
        upload=_UPLOAD,
        size=(480, 400),
        made=dt.datetime(2026, 11, 22, 20, 29, 31),
        user="Dr Ruiz",
        language="en",
        model=ModelName("Baseline CNN", "tensorflow-cpu-1a2b3c4d", _WEIGHTS, False),
        classes=("No finding", "Finding"),
        probabilities=(0.3661, 0.6339),
        calibrated=0.412,
        threshold=0.4,
        sensitivity=(0.86, 0.80, 0.91),
        specificity=(0.64, 0.58, 0.70),
        measured_on=(2048, 1021),
        checks=_CHECKS,
        map_worth="The audit found the lesion inside the map in 31% of films.",
        method="Grad-CAM",
        verdict="uncertain",
        note="Opacity at the right base.",
        read_at=dt.datetime(2026, 11, 22, 20, 15),
        picture=_phantom(480, 400),
        maps=np.stack([_spot(0.5, 0.5), _spot(0.6, 0.3)]),
        header=None,
        orientation=("L", "F"),
    )
    return lambda **changes: replace(result, **changes)


@pytest.fixture
def hostile() -> dict[str, Any]:
    """What a name and a note may hold if someone means harm, or just pastes."""
    return {
        "name": '<b>&"x"\'</para>' + "\N{RIGHT-TO-LEFT OVERRIDE}\x00\ud800" + "w" * 240 + ".dcm",
        "note": ("<script>alert('ñ')</script> & " + "u" * 300 + "\n=1+1\n\n") * 6,
        "user": '"><img src=x>',
    }
