"""What all commands do with a result: show it to people, or to machines as JSON lines."""

import json
from typing import Annotated, Any

import typer

from ..errors import RadZooError

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value in place of the spec's: training.epochs=5. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, for machines.")]


def console() -> Any:
    """The terminal, by Rich."""
    from rich.console import Console

    return Console()


def show(renderable: Any) -> None:
    """Show a table, or whatever else Rich can render."""
    console().print(renderable)


def show_json(message: dict[str, Any]) -> None:
    """Print one JSON line."""
    print(json.dumps(message), flush=True)  # noqa: T201  this is the output


def show_error(error: RadZooError, json: bool) -> None:
    """Tell an error that a user can meet: on stderr, or as a JSON line."""
    if json:
        show_json({"event": "error", "kind": type(error).__name__, "message": str(error)})
    else:
        typer.echo(f"error: {error}", err=True)
