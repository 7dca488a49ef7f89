"""The command `compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import output
from .output import Json

if TYPE_CHECKING:
    from ..experiments.compare import Comparison

_WIDE = 180  # columns of a terminal in which the whole table can be read
Runs = Annotated[
    list[Path],
    typer.Argument(help="Run directories, or the folder of a study: runs/<name of the spec>."),
]


def compare(
    runs: Runs,
    reference: Annotated[
        str | None, typer.Option(help="Configuration to compare with; else the first.")
    ] = None,
    metric: Annotated[str, typer.Option(help="Of differences and ranking.")] = "roc_auc",
    point: Annotated[
        str | None, typer.Option(help="Operating point, as 'max Youden'; else the first threshold.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the tables and plots; else comparison/ beside the runs."),
    ] = None,
    json: Json = False,
) -> None:
    """Compare finished runs on the same test images: paired differences, tables, plots."""
    from ..experiments import comparison_page
    from ..experiments.compare import Asked
    from ..experiments.compare import compare as compare_runs

    found = compare_runs(Asked(tuple(runs), reference, metric, point))
    first = found.first.folder.parent
    page = comparison_page.write(found, out or first / "comparison")
    if json:
        _show_json(found, page)
        return
    _show(found)
    typer.echo(f"Comparison: {page}")


def _show(found: "Comparison") -> None:
    from .. import terminal
    from ..experiments import comparison_tables as tables
    from ..experiments import comparison_words as words

    table = tables.main(found)
    shown = range(len(table.head)) if output.console().width >= _WIDE else tables.telling(table)
    rows = [[str(row[place]) for place in shown] for row in table.rows]
    output.show(terminal.plain_table([table.head[place] for place in shown], rows, found.title))
    typer.echo(words.verdict(found))
    for note in words.notes(found):
        typer.echo(note)


def _show_json(found: "Comparison", page: Path) -> None:
    import json

    from ..experiments import comparison_files
    from ..experiments import comparison_words as words

    rows = comparison_files.frame(found).to_json(orient="records")
    output.show_json(
        {
            "event": "comparison",
            "page": str(page),
            "reference": found.reference,
            "verdict": words.verdict(found),
            "notes": words.notes(found),
            "rows": json.loads(rows),
        }
    )
