"""The tables of a report on what heatmaps are worth, from the audits that a run directory holds."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..evaluation import Estimate
from .report_tables import Table

FOLDER = "explanations"
Values = Mapping[str, Any]


def name_of(method: str) -> str:
    """The file of an audit in `FOLDER`."""
    return f"audit-{method}.json"


def audits(folder: Path) -> list[dict[str, Any]]:
    """The audits of a run, of the methods that were audited.

    Raises:
        RunError: one cannot be read.
    """
    found = []
    for path in sorted((folder / FOLDER).glob(name_of("*"))):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}. Audit the run again.") from error
    return found


def table(audit: Values) -> Table:
    """An audit: the question, what was measured, on how many images, and what it says."""
    made = Table(["Question", "Measured", "Images (patients)", "For comparison"])
    for row in _rows(audit):
        made.add(*row)
    return made


def _rows(audit: Values) -> Iterator[tuple[Any, ...]]:
    yield from _localisation(audit)
    yield from _faithfulness(audit["faithfulness"])
    yield from _randomisation(audit["randomisation"])
    yield from _seeds(audit["seeds"])
    yield from _backends(audit["backends"])


def _localisation(audit: Values) -> Iterator[tuple[Any, ...]]:
    found, positive = audit["localisation"], audit["positive_class"]
    if "not_measured" in found:
        yield _not_measured("Does it lie on the lesion?", found)
        return
    for group, whose in ("all", f"all {positive}"), ("called", f"{positive}, called so"):
        of = {name: Estimate(**values) for name, values in found[group].items()}
        if of["hit"].value is None:
            continue
        chance = f"{of['area'].value:.3f} by chance, {of['middle'].value:.3f} at the middle always"
        yield f"Strongest point on the lesion ({whose})", of["hit"], _on(of["hit"]), chance
        share = f"{of['area'].value:.3f} by chance"
        yield f"Share of the map on the lesion ({whose})", of["mass"], _on(of["mass"]), share
        yield f"Overlap above half of the peak, IoU ({whose})", of["overlap"], _on(of["hit"]), ""


def _faithfulness(found: Values) -> Iterator[tuple[Any, ...]]:
    for name, question in (
        ("deletion", "Mean probability as the map's pixels are blurred (lower is better)"),
        ("insertion", "Mean probability as they are shown first (higher is better)"),
    ):
        value = Estimate(**found[name])
        than = Estimate(**found[f"{name}_less_blind"])
        yield question, value, _on(value), f"{than} less a random order's"


def _randomisation(found: Values) -> Iterator[tuple[Any, ...]]:
    question = "Likeness to the map of a network that learned nothing"
    if "not_measured" in found:
        yield _not_measured(question, found)
        return
    value = Estimate(**found["cascade"][-1]["likeness"])
    verdict = "passed" if found["passed"] else "FAILED"
    yield question, value, _on(value), f"{verdict}: below {found['passes_below']} is asked"


def _seeds(found: Values) -> Iterator[tuple[Any, ...]]:
    question = "Likeness to the maps of other seeds (1 is the same)"
    if "not_measured" in found:
        yield _not_measured(question, found)
        return
    value = Estimate(**found["likeness"])
    yield question, value, _on(value), f"seeds {', '.join(map(str, found['seeds']))}"


def _backends(found: Values) -> Iterator[tuple[Any, ...]]:
    question = "Largest difference to another backend's map"
    if "not_measured" in found:
        yield _not_measured(question, found)
        return
    for name, said in found["largest"].items():
        if "not_measured" in said:
            yield _not_measured(f"{question}: {name}", said)
            continue
        worst = said["largest_difference"]
        verdict = "agrees" if worst <= found["agrees_below"] else "DIFFERS"
        allowed = f"{verdict}: {found['agrees_below']:.0e} is allowed"
        yield f"{question}: {name}", f"{worst:.1e}", str(found["images"]), allowed


def _not_measured(question: str, found: Values) -> tuple[str, ...]:
    return question, "not measured", "", found["not_measured"]


def _on(value: Estimate) -> str:
    return f"{value.images:,} ({value.patients:,})"
