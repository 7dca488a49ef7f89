"""The tables of a comparison: what stands in each cell."""

from dataclasses import dataclass

from ..evaluation import Replicated
from . import candidates
from .compare import Comparison, Row
from .comparison_words import SHOWN, label, reported, signed

_TELLING = ("Configuration", "ROC AUC", "Difference in", "p (Holm)", "Missed")


@dataclass(frozen=True)
class Cell:
    """A number or words, its interval or another detail, and whether it stands out."""

    text: str
    detail: str = ""
    bold: bool = False

    def __str__(self) -> str:
        return f"{self.text} {self.detail}".strip()


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head."""

    head: list[str]
    rows: list[list[Cell]]


def telling(table: Table) -> list[int]:
    """The columns to show where there is no room for all: name, AUC, difference, p, errors."""
    return [place for place, head in enumerate(table.head) if head.startswith(_TELLING)]


def main(comparison: Comparison) -> Table:
    """A row a configuration: metrics, the difference to the reference, errors, time, reports."""
    metric = comparison.metric
    shown = [*SHOWN, *([metric] if metric not in SHOWN else [])]
    sources = list(dict.fromkeys(filter(None, (_source(row) for row in comparison.rows))))
    head = [
        "Configuration",
        "Seeds",
        *(label(name) for name in shown),
        f"Difference in {label(metric)}",
        "p (Holm)",
        "Missed / false alarms",
        "Wall time",
        *sources,
    ]
    rows = [
        [
            Cell(row.name),
            Cell(str(len(row.candidate.runs))),
            *(_metric(row.metrics[name]) for name in shown),
            *_difference(row, comparison),
            _errors(row),
            Cell(duration(row.wall_time_s)),
            *(_reported(row, source) for source in sources),
        ]
        for row in comparison.rows
    ]
    return Table(head, rows)


def settings(comparison: Comparison) -> Table | None:
    """Every key of the specs that is not the same in all; None where nothing differs."""
    specs = [row.candidate.spec for row in comparison.rows]
    keys = candidates.differing(specs)
    if not keys:
        return None
    rows = [
        [Cell(row.name), *(Cell(candidates.text(row.candidate.spec.get(key))) for key in keys)]
        for row in comparison.rows
    ]
    return Table(["Configuration", *keys], rows)


def left_out(comparison: Comparison) -> Table | None:
    """The runs that could not be compared; None where there is none."""
    if not comparison.left_out:
        return None
    rows = [[Cell(one.name), Cell(one.state), Cell(one.why)] for one in comparison.left_out]
    return Table(["Run left out", "State", "Why"], rows)


def duration(seconds: float | None) -> str:
    """In the unit that fits."""
    if seconds is None:
        return "unknown"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _metric(found: Replicated) -> Cell:
    if found.value is None:
        return Cell("not estimable")
    spread = f"; seed SD {found.seed_sd:.3f}" if found.seed_sd is not None else ""
    if found.low is None or found.high is None:
        return Cell(f"{found.value:.3f}", f"(no interval{spread})")
    return Cell(f"{found.value:.3f}", f"({found.low:.3f} to {found.high:.3f}{spread})")


def _difference(row: Row, comparison: Comparison) -> list[Cell]:
    """The difference to the reference, and its corrected p value."""
    if row.name == comparison.reference:
        return [Cell("reference"), Cell("-")]
    found, p_value = row.differences[comparison.metric], row.corrected[comparison.metric]
    if found.value is None:
        return [Cell("not estimable"), Cell("-")]
    bounds = (
        "(no interval)" if found.low is None else f"({signed(found.low)} to {signed(found.high)})"
    )
    return [Cell(signed(found.value), bounds, found.excludes_zero), Cell(_p(p_value))]


def _errors(row: Row) -> Cell:
    missed, alarms = (row.metrics[name] for name in ("false_negatives", "false_positives"))
    negatives = missed.images - missed.positives
    return Cell(
        f"{_count(missed)} / {_count(alarms)}", f"(of {missed.positives:,} / {negatives:,})"
    )


def _count(found: Replicated) -> str:
    if found.value is None:
        return "none"
    return f"{found.value:.0f}" if found.seeds == 1 else f"{found.value:.1f}"


def _source(row: Row) -> str:
    return str(row.reported.get("source", "reported")) if row.reported else ""


def _reported(row: Row, source: str) -> Cell:
    if _source(row) != source:
        return Cell("")
    words = {name: f"{value:g}" for name, value in reported(row).items()}
    words |= {k: v for k, v in row.reported.items() if isinstance(v, str) and k != "source"}
    return Cell("; ".join(f"{label(name)} {text}" for name, text in words.items()))


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
