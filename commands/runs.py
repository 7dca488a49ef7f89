"""The commands `run` and `validate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Interrupted, RadZooError
from . import output
from .output import Json, Set

if TYPE_CHECKING:
    from ..experiments.plan import Plan

SpecPath = Annotated[Path, typer.Argument(help="A YAML spec; ours are in experiments/.")]
Quick = Annotated[bool, typer.Option("--quick", help="The small version that the spec describes.")]
Out = Annotated[Path, typer.Option(help="Folder of all runs.")]


def run(  # noqa: PLR0913, PLR0917  one parameter an option
    spec: SpecPath,
    backend: Annotated[str | None, typer.Option(help="In place of the spec's backends.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")] = None,
    set_: Set = None,
    quick: Quick = False,
    out: Out = Path("runs"),
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the spec's seeds.")] = None,
    dry_run: Annotated[bool, typer.Option(help="List the runs; do nothing.")] = False,
    json: Json = False,
) -> None:
    """Train and test what a spec describes; done runs are kept, interrupted ones continued."""
    from ..backends import get
    from ..experiments.plan import plans

    overrides = list(set_ or [])
    overrides += [f"backends=[{get(backend).name}]"] if backend else []
    overrides += [f"device={device}"] if device else []
    overrides += [f"seeds=[{seed}]"] if seed is not None else []
    todo = plans(spec, overrides, quick)
    if dry_run:
        list_plans(todo, json)
        return
    codes = [run_one(plan, out, json) for plan in todo]
    raise typer.Exit(max(codes))


def validate(spec: SpecPath, set_: Set = None, quick: Quick = False) -> None:
    """Check a spec; every problem is listed with its line."""
    from ..experiments.plan import plans

    count = len(plans(spec, set_ or [], quick))
    typer.echo(f"{spec} is valid: {count} run{'s' * (count != 1)}.")


def run_one(plan: "Plan", out: Path, json: bool) -> int:
    """Do one run; a failure is told at once and does not stop the next ones."""
    try:
        _show_run(plan, out, json)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        message = "Interrupted. The same command goes on from what is done."
        raise Interrupted(message) from None
    except RadZooError as error:
        output.show_error(error, json)
        return error.exit_code
    return 0


def _show_run(plan: "Plan", out: Path, json: bool) -> None:
    from .. import terminal
    from ..experiments import runner

    if json:
        outcome = runner.run(plan, out, output.show_json)
        output.show_json({"event": "finished", "folder": str(outcome.path), **outcome.metrics})
        return
    with terminal.RunDisplay(output.console()) as display:
        outcome = runner.run(plan, out, display.tell)
    if outcome.was_done:
        typer.echo("Done before; to do it again, remove that folder.")
    output.show(terminal.metrics_table(outcome.metrics, plan.spec.reported))
    typer.echo(f"Report: {outcome.path / 'report.html'}")


def list_plans(todo: "list[Plan]", json: bool) -> None:
    """List what would be done, numbered as `run-trial` takes them."""
    from . import sweep_view

    if json:
        for number, plan in enumerate(todo):
            output.show_json({"event": "plan", "number": number, "settings": plan.settings})
        return
    settings = [plan.settings for plan in todo]
    output.show(sweep_view.settings_table(settings, {}, ""))
    typer.echo(f"{len(todo)} to run; nothing was done.")
