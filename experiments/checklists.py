"""A run beside a reporting guideline: what it answers by itself, and what its authors must write.

Nothing here judges a study. A fact that the run does not hold is a blank with a name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import yaml

from ..errors import UnknownName
from . import checklist_facts as facts
from . import checklist_results as results
from . import finished, pages
from .checklist_facts import Evidence
from .run import RunDirectory

GUIDELINES = {"claim": "claim.yaml", "tripod-ai": "tripod_ai.yaml"}

FACTS: dict[str, Callable[[Evidence], str]] = {
    "accuracy": results.accuracy,
    "architecture": facts.architecture,
    "class_imbalance": facts.class_imbalance,
    "code": facts.code,
    "counts": facts.counts,
    "data_source": facts.data_source,
    "details": facts.details,
    "disjoint": facts.disjoint,
    "ensemble": facts.ensemble,
    "evaluation": results.evaluation,
    "external_test": results.external_test,
    "initialisation": facts.initialisation,
    "input": facts.input_values,
    "internal_test": results.internal_test,
    "measures": results.measures,
    "mistakes": results.mistakes,
    "model_building": facts.model_building,
    "output": results.output,
    "partition": facts.partition,
    "performance": results.performance,
    "performance_by_group": results.performance_by_group,
    "performance_by_site": results.performance_by_site,
    "prediction": results.prediction,
    "preprocessing": facts.preprocessing,
    "selection": facts.selection,
    "software": facts.software,
    "specification": facts.specification,
    "training": facts.training,
    "uncertainty": results.uncertainty,
}


@dataclass(frozen=True)
class Item:
    """One line of a guideline.

    Args:
        number: as the guideline counts: "12", "18a".
        section: of a paper.
        asks: in our words.
        filled_by: a key of `FACTS`; None where only the authors can answer.
        leaves: what the fact leaves open, if anything.
    """

    number: str
    section: str
    asks: str
    filled_by: str | None
    leaves: str = ""


@dataclass(frozen=True)
class Guideline:
    """A guideline, with where it stands and whose words these are."""

    title: str
    source: str
    doi: str
    version: str
    wording: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Line:
    """An item with what the run says to it (None: nothing) and what it leaves to the authors."""

    item: Item
    fact: str | None
    blank: str


@dataclass(frozen=True)
class Checklist:
    """A guideline, filled in for a run."""

    run: str
    guideline: Guideline
    synthetic: bool
    lines: tuple[Line, ...]

    @property
    def summary(self) -> str:
        """How many items the run fills, and how many it leaves."""
        filled = [line for line in self.lines if line.fact]
        partly = sum(bool(line.blank) for line in filled)
        left = len(self.lines) - len(filled)
        part = f" ({partly} of them in part)" if partly else ""
        done = f"{len(filled)} of {len(self.lines)} filled by the run{part}"
        return f"{done}, {left} left to the authors"

    @property
    def sections(self) -> dict[str, list[Line]]:
        """The lines by section, in order."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.item.section, []).append(line)
        return found


def guideline(name: str) -> Guideline:
    """Read a guideline.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in GUIDELINES:
        raise UnknownName("checklist", name, GUIDELINES)
    path = Path(__file__).parent / "guidelines" / GUIDELINES[name]
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Guideline(**{**found, "items": tuple(Item(**item) for item in found["items"])})


def fill(name: str, evidence: Evidence) -> Checklist:
    """Answer what can be answered by what a run holds.

    Raises:
        UnknownName: there is no such guideline.
    """
    asked = guideline(name)
    lines = tuple(_line(item, evidence) for item in asked.items)
    run = evidence.run.folder.resolve().name
    return Checklist(run, asked, evidence.metrics["synthetic"], lines)


def evidence(folder: Path) -> Evidence:
    """Read a run directory, and the external validations in it.

    Raises:
        RunError: it is not one finished run, or a file of it is damaged.
    """
    run = finished.one(folder)
    paths = sorted(run.folder.glob("external/*/metrics.json"))
    found = [RunDirectory(path.parent).read_json(path.name) for path in paths]
    return Evidence(run, tuple(found))


def write(name: str, folder: Path) -> tuple[Checklist, Path]:
    """Write `checklist-<name>.html` and `.md` into a run directory.

    Returns:
        The checklist, and the path of the page.

    Raises:
        UnknownName: there is no such guideline.
        RunError: the run cannot be read, or the files cannot be written.
    """
    filled = fill(name, evidence(folder))
    directory, page = RunDirectory(folder), f"checklist-{name}.html"
    directory.write(page, html(filled))
    directory.write(f"checklist-{name}.md", markdown(filled))
    return filled, directory / page


def html(filled: Checklist) -> str:
    """The checklist as a page that loads nothing."""
    return pages.render("checklist.html.j2", checklist=filled)


def markdown(filled: Checklist) -> str:
    """The checklist as Markdown, to be gone on with."""
    asked = filled.guideline
    lines = [f"# {asked.title}", "", f"Run {filled.run}: {filled.summary}.", ""]
    lines += [*_NOTICES, "SYNTHETIC DATA: made by a program." * filled.synthetic, ""]
    lines += [f"{asked.source}. doi:{asked.doi}. {asked.version} {asked.wording}", ""]
    for section, found in filled.sections.items():
        lines += [f"## {section}", ""]
        for line in found:
            lines += [*_entry(line), ""]
    return "\n".join(lines)


def _entry(line: Line) -> list[str]:
    blank = [f"- To be written by the authors: {line.blank}"] if line.blank else []
    if line.fact is None:
        return [f"**{line.item.number}.** To be written by the authors: {line.blank}"]
    fact = f"- From the run: {escape(line.fact, quote=False)}"
    return [f"**{line.item.number}.** {line.item.asks}", "", fact, *blank]


_NOTICES = (
    "Research use only. This page does not say that a study follows the guideline: it collects "
    "what the run knows, and names what it does not.",
)


def _line(item: Item, evidence: Evidence) -> Line:
    fact = _fact(item, evidence)
    return Line(item, fact, item.leaves if fact else item.asks)


def _fact(item: Item, evidence: Evidence) -> str | None:
    if item.filled_by is None:
        return None
    tell = FACTS[item.filled_by]
    try:
        return tell(evidence)
    except (KeyError, TypeError):  # the run does not hold it, or holds null in its place
        return None
