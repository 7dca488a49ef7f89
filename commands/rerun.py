"""The command `rerun`: a run again, from what it recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Interrupted
from . import output
from .output import Json

if TYPE_CHECKING:
    from ..experiments.rerun import Asked, Repeated

_TEST = "splits.test.metrics."


def rerun(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the new run; else rerun/ in that of the run.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Where its files are now: dataset.options.path=FILE."),
    ] = None,
    json: Json = False,
) -> None:
    """Train a run again and compare; exit code 0 if equal (to 1e-6), 1 if not."""
    from ..experiments import rerun as again

    asked = again.Asked(run, out, tuple(set_ or []))
    if json:
        done = again.rerun(asked, output.show_json)
        output.show_json({"event": "finished", "folder": str(done.path), **done.found})
    else:
        done = _displayed(asked)
        _show(done)
    raise typer.Exit(0 if done.found["equal"] else 1)


def _displayed(asked: "Asked") -> "Repeated":
    from .. import terminal
    from ..experiments import rerun as again

    with terminal.RunDisplay(output.console()) as display:

        def tell(event: dict[str, Any]) -> None:
            if event["event"] == "surroundings":
                _show_surroundings(event["differences"])
            display.tell(event)

        try:
            return again.rerun(asked, tell)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted. The same command goes on.") from None


def _show_surroundings(differences: list[dict[str, Any]]) -> None:
    from .. import terminal

    if not differences:
        typer.echo("Data, code, packages, device and machine are as they were.")
        return
    rows = [
        [one["what"], one["was"], one["now"], "yes" if one["can_change"] else "no"]
        for one in differences
    ]
    columns = ["", "was", "is", "can change the figures"]
    output.show(terminal.plain_table(columns, rows, "Not as it was"))


def _show(done: "Repeated") -> None:
    from .. import terminal

    found = done.found
    if done.was_done:
        typer.echo("Done before; to do it again, remove that folder.")
    rows = [
        [one["metric"].removeprefix(_TEST), *(_number(one[key]) for key in ("was", "now")),
         _number(one["difference"], signed=True)]
        for one in found.get("metrics", {}).get("values", [])
        if one["metric"].startswith(_TEST)
    ]  # fmt: skip
    if rows:
        output.show(terminal.plain_table(["", "was", "is", "difference"], rows, "Test"))
    typer.echo(f"Verdict: {found['verdict']}.\nAll figures: {done.path / 'rerun.json'}")


def _number(value: float | None, signed: bool = False) -> str:
    if value is None:
        return "none"
    return f"{value:+.2g}" if signed and value else f"{value:.6g}"
