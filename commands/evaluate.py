"""The command `evaluate`: a finished run on the images of other people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import Interrupted
from . import output
from .output import Json

if TYPE_CHECKING:
    from ..experiments.external import Pair
    from ..experiments.runner import Outcome


def evaluate(  # noqa: PLR0913, PLR0917  one parameter an option
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    dataset: Annotated[str, typer.Option(help="Another dataset; see `data list`.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of that dataset: path=FILE. Repeatable."),
    ] = None,
    side: Annotated[
        Literal["all", "test"], typer.Option(help="All images, or those its `split` calls test.")
    ] = "all",
    backend: Annotated[str | None, typer.Option(help="In place of the run's.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")] = None,
    overlap_meant: Annotated[
        bool, typer.Option("--overlap-meant", help="Shared patients or images are no error.")
    ] = False,
    json: Json = False,
) -> None:
    """Validate a run externally: by its own thresholds, beside its internal test."""
    from ..experiments import external
    from ..experiments.data import from_words

    asked = external.Asked(run, side == "test", backend, device, overlap_meant)
    pair = external.prepare(asked, from_words(dataset, set_ or []))
    if json:
        output.show_json({"event": "overlap", **pair.overlap.as_dict()})
        outcome = external.evaluate(pair, output.show_json)
        output.show_json({"event": "finished", "folder": str(outcome.path), **outcome.metrics})
        return
    typer.echo(str(pair.overlap))
    _show(_evaluated(pair))


def _evaluated(pair: "Pair") -> "Outcome":
    from .. import terminal
    from ..experiments import external

    try:
        with terminal.RunDisplay(output.console()) as display:
            return external.evaluate(pair, display.tell)
    except KeyboardInterrupt:
        raise Interrupted("Interrupted. The same command begins again.") from None


def _show(outcome: "Outcome") -> None:
    from .. import terminal
    from ..experiments import external_tables

    if outcome.was_done:
        typer.echo("Done before; to do it again, remove that folder.")
    found = outcome.metrics["external"]
    output.show(terminal.metrics_table(outcome.metrics, {}))
    rows = [
        [terminal.LABELS[name], value, interval.strip("()")]
        for name, values in found["differences"].items()
        for value, interval in [external_tables.signed(values)]
    ]
    confidence = f"{outcome.metrics['confidence']:.0%} interval"
    title = f"{found['title']}: less its internal test"
    output.show(terminal.plain_table(["", "difference", confidence], rows, title))
    typer.echo(f"Report: {outcome.path / 'report.html'}")
