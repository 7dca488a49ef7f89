"""The commands `sweep` and `run-trial`: many runs of one spec."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import RadZooError, SpecError
from . import compare, output, runs
from .output import Json, Set
from .runs import Out, Quick, SpecPath

if TYPE_CHECKING:
    from ..experiments.sweep import Trial
    from ..experiments.trial import Request


def sweep(  # noqa: PLR0913, PLR0917  one parameter an option
    spec: SpecPath,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", help="key=[values], an axis beside the spec's. Repeatable."),
    ] = None,
    set_: Set = None,
    quick: Quick = False,
    executor: Annotated[str | None, typer.Option(help="local or dask.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Local runs at a time.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a Dask scheduler: tls://...")] = None,
    out: Out = Path("runs"),
    dry_run: Annotated[bool, typer.Option(help="List the runs; do nothing.")] = False,
    json: Json = False,
) -> None:
    """Do all runs of a spec's grid or search, each once, and compare them."""
    from ..experiments.plan import axes
    from ..experiments.trial import Request

    overrides = [*(set_ or []), *axes(spec, grid or [], set_ or [], quick)]
    given = {"name": executor, "workers": workers, "address": address}
    overrides += [f"executor.{key}={value}" for key, value in given.items() if value is not None]
    asked = Request(str(spec), tuple(overrides), quick, str(out))
    if dry_run:
        _list(asked, json)
        return
    raise typer.Exit(_sweep(asked, json))


def run_trial(
    spec: SpecPath,
    number: Annotated[int, typer.Argument(min=0, help="As `sweep --dry-run` counts them.")],
    set_: Set = None,
    quick: Quick = False,
    out: Out = Path("runs"),
    json: Json = False,
) -> None:
    """Do one run of a spec's grid, as a job of an array: done runs are kept."""
    from ..experiments.plan import plans

    todo = plans(spec, set_ or [], quick)
    if number >= len(todo):
        raise SpecError(f"{spec} has {len(todo)} runs, from 0 to {len(todo) - 1}; got {number}.")
    raise typer.Exit(runs.run_one(todo[number], out, json))


def _list(asked: "Request", json: bool) -> None:
    from ..experiments import plan, search, spec

    found, _ = spec.load(Path(asked.spec), asked.overrides, asked.quick)
    if found.search is None:
        runs.list_plans(plan.plans(Path(asked.spec), asked.overrides, asked.quick), json)
        return
    search.check(asked)
    if json:
        output.show_json({"event": "search", **found.search.model_dump(mode="json")})
        return
    over = ", ".join(found.search.parameters)
    typer.echo(f"A search of {found.search.trials} trials over {over}; nothing was done.")


def _sweep(asked: "Request", json: bool) -> int:
    from ..experiments import halving, plan, search, spec, sweep
    from . import sweep_view

    found, _ = spec.load(Path(asked.spec), asked.overrides, asked.quick)
    do = search.run if found.search else halving.run if found.halving else sweep.run
    if json:
        trials = do(asked, lambda number, event: output.show_json({"trial": number, **event}))
    else:
        with sweep_view.SweepDisplay(output.console()) as display:
            trials = do(asked, display.tell)
    _show_trials(trials, json)
    if sum(trial.state == "finished" for trial in trials) > 1:
        _compare(Path(asked.out) / plan.name_of(Path(asked.spec), asked.quick), json)
    return max(trial.exit_code for trial in trials)


def _compare(study: Path, json: bool) -> None:
    """Compare what is finished; where that cannot be, as on other test images, say why."""
    try:
        compare.compare([study], json=json)
    except RadZooError as error:
        output.show_error(error, json)


def _show_trials(trials: "list[Trial]", json: bool) -> None:
    from . import sweep_view

    if json:
        for trial in trials:
            output.show_json({"event": "trial", **asdict(trial)})
        return
    states = Counter(trial.state for trial in trials)
    said = ", ".join(f"{number} {state}" for state, number in states.items())
    output.show(
        sweep_view.trials_table(trials, f"{len(trials)} run{'s' * (len(trials) != 1)}: {said}")
    )
