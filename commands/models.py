"""The commands `models list`, `models show` and `models check`."""

from typing import Any

import typer

from . import output

app = typer.Typer(name="models", no_args_is_help=True, help="The architectures of the zoo.")


@app.command("list")
def list_models() -> None:
    """List the architectures."""
    from .. import terminal, zoo

    rows = [
        [
            entry.name,
            " x ".join(map(str, entry.input_shape)),
            "" if entry.parameters is None else f"{entry.parameters:,}",
            entry.summary,
        ]
        for entry in zoo.entries()
    ]
    output.show(terminal.plain_table(["name", "images", "parameters", "what it is"], rows))
    for name, error in zoo.failed_plugins().items():
        typer.echo(f"The plug-in {name} did not load: {error}", err=True)


@app.command("show")
def show_model(name: str) -> None:
    """Show what is known of an architecture, and its options."""
    from .. import terminal, zoo

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
    output.show(terminal.plain_table(["", entry.name], rows))


@app.command("check")
def check_model(name: str) -> None:
    """Try what an architecture promises on every installed backend."""
    from ..backends import contract

    typer.echo(f"Checking {name}; starting every installed backend takes a while.")
    findings = contract.check(
        name, lambda f: typer.echo(f"{'ok  ' if f.kept else 'FAIL'}  {f.claim}: {f.detail}")
    )
    raise typer.Exit(0 if all(finding.kept for finding in findings) else 1)


def _or_unknown(value: Any) -> str:
    return "not declared" if value is None else str(value)
