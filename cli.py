"""The command line: `python cli.py ...` in a checkout, `radzoo ...` once installed."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radzoo.errors import BackendUnavailable, Interrupted, RadZooError, RunError

if TYPE_CHECKING:
    from radzoo.experiments.plan import Plan

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: Rich would take half of the time it takes to show
    help="A Keras model zoo and workbench for lung imaging. Research use only.",
)
models = typer.Typer(no_args_is_help=True, help="The architectures of the zoo.")
data = typer.Typer(no_args_is_help=True, help="The datasets.")
backends = typer.Typer(no_args_is_help=True, help="The backends of this machine.")
app.add_typer(models, name="models")
app.add_typer(data, name="data")
app.add_typer(backends, name="backends")

SpecPath = Annotated[Path, typer.Argument(help="A YAML spec; ours are in experiments/.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value in place of the spec's: training.epochs=5. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, for machines.")]


@app.command()
def run(  # noqa: PLR0913, PLR0917  one parameter an option
    spec: SpecPath,
    backend: Annotated[str | None, typer.Option(help="In place of the spec's backends.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")] = None,
    set_: Set = None,
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("runs"),
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the spec's seeds.")] = None,
    dry_run: Annotated[bool, typer.Option(help="List the runs; do nothing.")] = False,
    json: Json = False,
) -> None:
    """Train and test what a spec describes; done runs are kept, interrupted ones continued."""
    from radzoo.backends import get
    from radzoo.experiments.plan import plans

    overrides = list(set_ or [])
    overrides += [f"backends=[{get(backend).name}]"] if backend else []
    overrides += [f"device={device}"] if device else []
    overrides += [f"seeds=[{seed}]"] if seed is not None else []
    todo = plans(spec, overrides)
    if dry_run:
        _list_plans(todo, json)
        return
    codes = [_run_one(plan, out, json) for plan in todo]
    raise typer.Exit(max(codes))


@app.command()
def validate(spec: SpecPath, set_: Set = None) -> None:
    """Check a spec; every problem is listed with its line."""
    from radzoo.experiments.plan import plans

    count = len(plans(spec, set_ or []))
    typer.echo(f"{spec} is valid: {count} run{'s' * (count != 1)}.")


@models.command("list")
def list_models() -> None:
    """List the architectures."""
    from radzoo import terminal, zoo

    rows = [
        [
            entry.name,
            " x ".join(map(str, entry.input_shape)),
            "" if entry.parameters is None else f"{entry.parameters:,}",
            entry.summary,
        ]
        for entry in zoo.entries()
    ]
    _print(terminal.plain_table(["name", "images", "parameters", "what it is"], rows))
    for name, error in zoo.failed_plugins().items():
        typer.echo(f"The plug-in {name} did not load: {error}", err=True)


@models.command("show")
def show_model(name: str) -> None:
    """Show what is known of an architecture, and its options."""
    from radzoo import terminal, zoo

    entry = zoo.get(name)
    rows = [
        ["what it is", entry.summary],
        ["images", " x ".join(map(str, entry.input_shape))],
        ["smallest side", _or_unknown(entry.minimum_size)],
        ["value range", f"{entry.value_range[0]:g} to {entry.value_range[1]:g}"],
        ["parameters", _or_unknown(entry.parameters and f"{entry.parameters:,}")],
        ["heatmap layer", _or_unknown(entry.heatmap_layer)],
        ["blocks", ", ".join(f"{k} (ends at {v})" for k, v in entry.blocks.items()) or "none"],
        ["weights to be had", entry.pretrained or "none"],
        ["source", _or_unknown(entry.source)],
        ["licence", _or_unknown(entry.licence)],
        ["module", entry.module],
    ]
    rows += [[f"option {name}", f"default {p.default!r}"] for name, p in entry.options.items()]
    _print(terminal.plain_table(["", entry.name], rows))


@models.command("check")
def check_model(name: str) -> None:
    """Try what an architecture promises on every installed backend."""
    from radzoo.backends import contract

    typer.echo(f"Checking {name}; starting every installed backend takes a while.")
    findings = contract.check(
        name, lambda f: typer.echo(f"{'ok  ' if f.kept else 'FAIL'}  {f.claim}: {f.detail}")
    )
    raise typer.Exit(0 if all(finding.kept for finding in findings) else 1)


@data.command("list")
def list_data() -> None:
    """List the datasets."""
    from radzoo import terminal
    from radzoo.preprocessing import registry

    entries = [registry.get(name) for name in registry.names()]
    rows = [[e.name, "synthetic" if e.synthetic else "", e.summary, e.licence] for e in entries]
    _print(terminal.plain_table(["name", "", "what it is", "licence"], rows))


@data.command("show")
def show_data(
    name: str,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the dataset: path=FILE.")
    ] = None,
    sheet: Annotated[Path, typer.Option(help="Where to write the contact sheet.")] = Path(
        "contact_sheet.png"
    ),
) -> None:
    """Count images and patients by label, and draw a contact sheet."""
    from radzoo import terminal
    from radzoo.experiments.data import from_words
    from radzoo.preprocessing import overview

    dataset = from_words(name, set_ or [])
    _print(terminal.counts_table(dataset.name, overview.counts(dataset)))
    try:
        sheet.open("ab").close()  # before seconds of drawing
        overview.contact_sheet(dataset, sheet)
    except OSError as error:  # a DataError, of an image, is none
        why = error.strerror or error
        raise RunError(f"{sheet} cannot be written: {why}. Choose another --sheet.") from error
    typer.echo(f"Contact sheet: {sheet}")


@backends.command("list")
def list_backends() -> None:
    """Start every installed backend and say what it finds; how to install the rest."""
    from radzoo import terminal
    from radzoo.backends import connect, get, names

    rows = []
    for name in names():
        if not get(name).installed:
            rows.append([name, "not installed", "", get(name).install])
            continue
        try:
            with connect(name) as worker:
                found = worker.described
        except RadZooError as error:
            rows.append([name, "does not start", "", str(error)])
            continue
        versions = ", ".join(f"{key} {value}" for key, value in found["versions"].items())
        rows.append([name, "ready", ", ".join(found["devices"]), versions])
    _print(terminal.plain_table(["backend", "", "devices", "versions, or how to get it"], rows))


@backends.command("install")
def install_backend(
    name: str,
    python: Annotated[
        Path | None, typer.Option(help="An interpreter of CPython 3.6, 3.5 or 2.7.")
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="For NVIDIA GPUs; needs a driver.")] = False,
) -> None:
    """Set up a backend that needs an old Python of its own, in the cache folder."""
    from radzoo.backends import get, legacy

    backend = get(name)
    if not backend.legacy:
        raise BackendUnavailable(
            f"Backend {name!r} needs no set-up of its own. To install it: {backend.install}"
        )
    try:
        legacy.get(name).install(python, gpu, typer.echo)
    except KeyboardInterrupt:
        message = "Interrupted; nothing was installed. The same command begins again."
        raise Interrupted(message) from None


@backends.command("remove")
def remove_backend(name: str) -> None:
    """Remove what `backends install` has set up."""
    from radzoo.backends import get, legacy

    if not get(name).legacy:
        raise BackendUnavailable(
            f"Backend {name!r} was not set up by radzoo: what pip installed, pip uninstalls."
        )
    removed = legacy.get(name).remove()
    typer.echo(f"{name} is removed." if removed else f"{name} was not installed.")


def _run_one(plan: "Plan", out: Path, json: bool) -> int:
    """Do one run; a failure is told at once and does not stop the next ones."""
    try:
        _show_run(plan, out, json)
    except Interrupted:
        raise
    except KeyboardInterrupt:
        message = "Interrupted. The same command goes on from what is done."
        raise Interrupted(message) from None
    except RadZooError as error:
        _tell_error(error, json)
        return error.exit_code
    return 0


def _show_run(plan: "Plan", out: Path, json: bool) -> None:
    from radzoo import terminal
    from radzoo.experiments import runner

    if json:
        outcome = runner.run(plan, out, _print_json)
        _print_json({"event": "finished", "folder": str(outcome.path), **outcome.metrics})
        return
    with terminal.RunDisplay(_console()) as display:
        outcome = runner.run(plan, out, display.tell)
    if outcome.was_done:
        typer.echo("Done before; to do it again, remove that folder.")
    _print(terminal.metrics_table(outcome.metrics, plan.spec.reported))
    typer.echo(f"Report: {outcome.path / 'report.html'}")


def _list_plans(todo: "list[Plan]", json: bool) -> None:
    from radzoo import terminal

    if json:
        for plan in todo:
            _print_json({"event": "plan", "settings": plan.settings})
        return
    columns = list(todo[0].settings)
    rows = [[str(plan.settings[column]) for column in columns] for plan in todo]
    _print(terminal.plain_table(columns, rows, f"{len(todo)} to run; nothing was done"))


def _console() -> Any:
    from rich.console import Console

    return Console()


def _print(table: Any) -> None:
    _console().print(table)


def _print_json(message: dict[str, Any]) -> None:
    import json

    print(json.dumps(message), flush=True)  # noqa: T201  this is the output


def _or_unknown(value: Any) -> str:
    return "not declared" if value is None else str(value)


def _tell_error(error: RadZooError, json: bool) -> None:
    if json:
        _print_json({"event": "error", "kind": type(error).__name__, "message": str(error)})
    else:
        typer.echo(f"error: {error}", err=True)


def main() -> None:
    """Run the command line; an error that the user can mend is a message, not a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: checkpoint and end
    try:
        app()
    except RadZooError as error:
        _tell_error(error, json="--json" in sys.argv)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
