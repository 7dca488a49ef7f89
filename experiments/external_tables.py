"""What an external validation puts into a report: two tests side by side, and who is in both."""

from collections.abc import Iterator, Mapping
from typing import Any

from . import report_tables as tables
from .report_tables import LABELS, Table

Values = Mapping[str, Any]


def metrics(summary: Values) -> Table | None:
    """Each metric of the internal and of the external test, and their difference where it is one.

    Returns:
        None where the summary is not of an external validation.
    """
    beside = summary.get("external")
    if beside is None:
        return None
    sides = {"validation": beside["internal"], "test": summary["splits"]["test"]}
    table = tables.metrics({**summary, "splits": sides})
    internal = _counts(summary, beside["internal"], beside["internal_patients_known"])
    external = _counts(summary, sides["test"], summary["patients_known"])
    table.head = ["", f"internal test: {internal}", f"external: {external}", "difference"]
    apart = {LABELS[name]: values for name, values in beside["differences"].items()}
    for row in table.rows:
        row.append(_cell(table, apart[row[0][0]]) if row[0][0] in apart else ("", "", ""))
    return table


def warnings(summary: Values) -> Iterator[str]:
    """What a reader must know of the overlap before the first number."""
    found = summary.get("external", {}).get("overlap")
    if found is None:
        return
    yield f"{summary['external']['title']}. {found['sentence']}"
    if found["same_data"]:
        yield (
            "These are the data that the run was trained on. It was said that this is meant; the "
            "figures say nothing about other people."
        )
    elif found["patients"] or found["images"]:
        yield (
            "It was said that this overlap is meant, or that equal ids are chance. If these are "
            "the same people, the figures are too good."
        )
    if found["with_internal_test"]:
        yield (
            f"{found['with_internal_test']:,} ids are also in the internal test: if these are the "
            "same people, the two tests are not independent, as the intervals of the differences "
            "take them to be."
        )


def signed(difference: Values) -> tuple[str, str]:
    """A difference as a table writes it, and its interval; the second may be empty."""
    value, low, high = (difference[name] for name in ("value", "low", "high"))
    if value is None:
        return "not estimable", ""
    if low is None:
        return f"{value:+.3f}", "(no interval)"
    return f"{value:+.3f}", f"({low:+.3f} to {high:+.3f})"


def _counts(summary: Values, split: Values, patients_known: bool) -> str:
    one = {**summary, "splits": {"test": split}, "patients_known": patients_known}
    return tables.metrics(one).head[1].removeprefix("test: ")


def _cell(table: Table, difference: Values) -> tuple[str, str, str]:
    return (*signed(difference), table.mark(difference["method"], difference["note"]))
