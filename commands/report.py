"""The command `report`: the page of a finished run again, or a reporting guideline filled in."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def report(
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    checklist: Annotated[
        Literal["claim", "tripod-ai"] | None,
        typer.Option(help="Fill in a reporting guideline by what the run knows."),
    ] = None,
) -> None:
    """Write a run's report anew, or a checklist for the paper about it."""
    if checklist is None:
        from ..experiments import report as pages

        typer.echo(f"Report: {pages.write(run)}")
        return
    from ..experiments import checklists

    filled, path = checklists.write(checklist, run)
    typer.echo(f"{filled.summary}.")
    typer.echo(f"Checklist: {path}, and the same as Markdown beside it")
