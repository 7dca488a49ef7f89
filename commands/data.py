"""The commands `data list` and `data show`."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import RunError
from . import output

app = typer.Typer(name="data", no_args_is_help=True, help="The datasets.")


@app.command("list")
def list_data() -> None:
    """List the datasets."""
    from .. import terminal
    from ..preprocessing import registry

    entries = [registry.get(name) for name in registry.names()]
    rows = [[e.name, "synthetic" if e.synthetic else "", e.summary, e.licence] for e in entries]
    output.show(terminal.plain_table(["name", "", "what it is", "licence"], rows))


@app.command("show")
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
    from .. import terminal
    from ..experiments.data import from_words
    from ..preprocessing import overview

    dataset = from_words(name, set_ or [])
    output.show(terminal.counts_table(dataset.name, overview.counts(dataset)))
    try:
        sheet.open("ab").close()  # before seconds of drawing
        overview.contact_sheet(dataset, sheet)
    except OSError as error:  # a DataError, of an image, is none
        why = error.strerror or error
        raise RunError(f"{sheet} cannot be written: {why}. Choose another --sheet.") from error
    typer.echo(f"Contact sheet: {sheet}")
