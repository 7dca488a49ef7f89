"""The worklist as a table: CSV that no spreadsheet takes for a program."""

import datetime as dt
import re
from collections.abc import Iterable
from csv import QUOTE_MINIMAL, DictWriter
from dataclasses import dataclass
from io import StringIO

from .facts import plain
from .result import ModelName

COLUMNS = (
    *("study_id", "name", "upload_sha256", "created", "state", "probability", "threshold"),
    *("above_threshold", "verdict", "note", "model_title", "model_version", "weights_sha256"),
    "notice",
)
_NOTICE = "research use only; not a medical device"
# A formula, or the blanks that hide one, at the start; and a formula after what a spreadsheet in
# Spanish takes for the end of a cell, also within our quotes: a semicolon, a tab, a new line.
_FORMULA = re.compile(r"^(?=[=+\-@\t\n＝＋－＠])|(?<=[;\t\n])(?=[=+\-@＝＋－＠])")  # noqa: RUF001


@dataclass(frozen=True)
class Row:
    """A film of the worklist.

    Attributes:
        study: its id.
        name: of its file.
        upload: SHA-256 of the file.
        created: when it came, UTC.
        state: in words.
        probability: of the positive class, raw; None where there is no result to show.
        threshold: at or above it a film is called positive.
        above: whether it is; None as for the probability.
        verdict: the doctor's: `finding`, `no_finding`, `uncertain`, or None where there is none.
        note: the doctor's.
        model: which was asked.
    """

    study: str
    name: str
    upload: str
    created: dt.datetime
    state: str
    probability: float | None
    threshold: float
    above: bool | None
    verdict: str | None
    note: str
    model: ModelName


def csv(results: Iterable[Row]) -> str:
    """A table with a line a film, after RFC 4180.

    Args:
        results: in the order of the table.

    Returns:
        Lines end in CR LF. Numbers have a decimal point, moments are ISO 8601 in UTC, what is
        unknown is empty. A text that a spreadsheet would run gets an apostrophe before it. Write
        it as UTF-8 with a byte order mark, or a spreadsheet may take it for another encoding.
    """
    text = StringIO(newline="")
    writer = DictWriter(text, COLUMNS, quoting=QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_cells(row) for row in results)
    return text.getvalue()


def _cells(row: Row) -> dict[str, str]:
    caution = "; does not rule out disease" if row.above is False else ""
    synthetic = "; model trained on synthetic images" if row.model.synthetic else ""
    return {
        "study_id": _defused(row.study),
        "name": _defused(row.name),
        "upload_sha256": _defused(row.upload),
        "created": row.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "state": _defused(row.state),
        "probability": _number(row.probability),
        "threshold": _number(row.threshold),
        "above_threshold": "" if row.above is None else str(row.above).lower(),
        "verdict": _defused(row.verdict or ""),
        "note": _defused(row.note),
        "model_title": _defused(row.model.title),
        "model_version": _defused(row.model.version),
        "weights_sha256": _defused(row.model.weights),
        "notice": _NOTICE + caution + synthetic,
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _defused(text: str) -> str:
    return _FORMULA.sub("'", plain(text))
