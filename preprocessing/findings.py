"""Findings: labels of which an image may have any number, and some of which nobody knows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ..errors import DataError, UnknownName
from .labels import text_of

if TYPE_CHECKING:
    import pandas as pd

    from .registry import Dataset

ANY, NONE = "finding", "no_finding"  # the two classes of images that have findings alone
VALUES = {"1": 1.0, "0": 0.0, "": np.nan, "-1": np.nan}
UNCERTAIN = "-1"


class Read(NamedTuple):
    """Columns of a CSV read as findings.

    Attributes:
        table: a column of 1, 0 and NaN for each finding, as the CSV's rows are numbered.
        problems: with the first line of each.
        notes: what a report must say.
    """

    table: "pd.DataFrame"
    problems: list[str]
    notes: list[str]


def read(rows: "pd.DataFrame", columns: dict[str, str]) -> Read:
    """Read columns of text: 1, 0, nothing where it is not known, -1 where it is not certain.

    Args:
        rows: of a CSV, all text, numbered by its lines.
        columns: the CSV's columns by the names that the findings are to have.
    """
    import pandas as pd

    table, problems, notes = pd.DataFrame(index=rows.index), [], []
    for name, column in columns.items():
        if column not in rows:
            problems.append(f"findings.{name}: line 1 has no column {column!r}.")
            continue
        texts = rows[column].map(text_of)
        strange = texts[~texts.isin(VALUES)]
        if len(strange):
            problems.append(
                f"findings.{name}: line {strange.index[0]}: {strange.iloc[0]!r} ({len(strange)} "
                "rows hold such); expected 1, 0, nothing (not known) or -1 (not certain)."
            )
        table[name] = texts.map(VALUES).astype(float)
        uncertain = int((texts == UNCERTAIN).sum())
        if uncertain:
            notes.append(
                f"{name} is uncertain (-1) on {uncertain} of {len(rows)} rows, which count as "
                "not known."
            )
    return Read(table, problems, notes)


def choose(dataset: "Dataset", asked: Literal["all"] | Sequence[str]) -> tuple[str, ...]:
    """The findings of a dataset that a spec names.

    Raises:
        DataError: it has none, or not these, or one is named twice; each unknown name is told with
            the nearest.
    """
    if not dataset.findings:
        raise DataError(
            f"Dataset {dataset.name!r} names no findings. Take one that does, or say which columns "
            "are findings by the option `findings` of the dataset `table`."
        )
    if asked == "all":
        return dataset.findings
    twice = [name for name in dict.fromkeys(asked) if list(asked).count(name) > 1]
    if twice:
        raise DataError(f"The findings name {', '.join(twice)} more than once. Name each once.")
    unknown = [name for name in asked if name not in dataset.findings]
    if unknown:
        told = "\n".join(str(UnknownName("finding", one, dataset.findings)) for one in unknown)
        raise DataError(told)
    return tuple(asked)


def strata(truth: np.ndarray) -> np.ndarray:
    """What a split is stratified by: who has each finding, and who is known not to.

    Args:
        truth: (images, findings): 1, 0, or NaN where it is not known.

    Returns:
        Bool (images, 2 * findings).
    """
    return np.hstack([truth == 0, truth == 1])
