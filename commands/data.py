"""The commands `data list`, `data show`, `data clean`, `data prepare` and `data deidentify`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import DataError, Failure, RunError
from . import output

if TYPE_CHECKING:
    from ..preprocessing.cleaning import Cleaning
    from ..preprocessing.copies import Told
    from ..preprocessing.prepare import Prepared
    from ..preprocessing.registry import Check

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


@app.command("clean")
def clean_data(
    name: str,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the dataset: path=FILE.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the list and the picture.")] = Path(
        "cleaning"
    ),
    check: Annotated[
        list[str] | None, typer.Option(help="Do this check alone. Repeatable.")
    ] = None,
) -> None:
    """Propose images to look at or leave out, as a list and a picture; nothing is deleted."""
    from .. import terminal
    from ..experiments.data import from_words
    from ..preprocessing import cleaning

    dataset = from_words(name, set_ or [])
    with terminal.RunDisplay(output.console()) as display:
        found = cleaning.propose(
            dataset,
            check or [],
            lambda done, of: display.tell({"event": "store", "images": done, "of": of}),
        )
    columns = ["check", "images", *(one for one in dataset.classes), "p"]
    output.show(terminal.plain_table(columns, cleaning.rows(found), "Proposed to be left out"))
    for line in cleaning.words(found):
        typer.echo(line)
    _write(found, out)


def _write(found: "Cleaning", out: Path) -> None:
    from ..preprocessing import cleaning

    try:
        out.mkdir(parents=True, exist_ok=True)
        typer.echo(f"List: {cleaning.write(found, out / 'cleaning.csv')}")
        if found.proposals:
            typer.echo(f"Contact sheet: {cleaning.draw(found, out / 'sheet.png')}")
    except OSError as error:
        why = error.strerror or error
        raise RunError(f"{out} cannot be written: {why}. Choose another --out.") from error


@app.command("prepare")
def prepare_data(
    name: str,
    source: Annotated[
        Path | None, typer.Option(help="Where its files lie, as --set path=SOURCE.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the dataset: target=Mass.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Rows and columns of the array.")] = 128,
    unreadable: Annotated[
        Path, typer.Option(help="Where to list images that cannot be read.")
    ] = Path("unreadable.csv"),
) -> None:
    """Check a dataset's files, decode every image, and keep them as the array of a run.

    Interrupted, it goes on where it stopped. An image that cannot be read is listed, with why.
    """
    from .. import terminal
    from ..experiments.data import options_of
    from ..preprocessing import digests, prepare, registry, store

    words = [*(set_ or []), *([f"path={json.dumps(str(source))}"] if source else [])]
    options = options_of(name, words)
    _tell_checks(prepare.checked(registry.get(name), options))
    with terminal.RunDisplay(output.console()) as shown:
        with digests.watched(lambda n, of: shown.tell({"event": "files", "files": n, "of": of})):
            dataset = registry.load(name, **options)
        for note in dataset.notes:
            shown.tell({"event": "note", "text": note})
        found = prepare.prepared(
            dataset,
            prepare.pipeline(size),
            store.cache_folder(),
            lambda n, of: shown.tell({"event": "store", "images": n, "of": of}),
        )
    _tell_store(found, size)
    if found.unreadable:
        prepare.write(found.unreadable, unreadable)
        raise DataError(_what_to_do(found, unreadable))


def _tell_checks(checks: "Sequence[Check]") -> None:
    from .. import terminal
    from ..preprocessing import prepare

    differing = prepare.differing(checks)
    rows = [
        [one.what, _figure(one.expected), _figure(one.found), "differs" * (one in differing)]
        for one in checks
    ]
    if rows:
        output.show(terminal.plain_table(["", "expected", "found", ""], rows, "Files"))
    if differing:
        typer.echo(
            f"{len(differing)} of {len(checks)} are not as published. Unless you mean to use a "
            "part of the dataset, or another release of it, download these files again."
        )


def _figure(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _tell_store(found: "Prepared", size: int) -> None:
    if found.store is None:
        return
    path, images = found.store.path, found.store.shape[0]
    rate = f" {found.done:,} of them now: {found.done / found.seconds:,.0f} images/s."
    typer.echo(
        f"{images:,} images of {size} x {size} pixels, {path.stat().st_size / 1e9:.2f} GB."
        + (rate if found.done else " All were there before.")
    )
    typer.echo(f"Array: {path}")
    typer.echo(f"In a spec: preprocessing: [{{name: resize, rows: {size}, columns: {size}}}]")


def _what_to_do(found: "Prepared", listed: Path) -> str:
    first = next(iter(found.unreadable.values()))
    kept = "The array holds all others. " if found.store else "There is no array. "
    return (
        f"{len(found.unreadable):,} images cannot be read; {listed} lists them with why. The "
        f"first: {first} {kept}Put sound files in their places and call this again, or leave "
        f"them out by `leave_out: {listed}` under `dataset` in the spec."
    )


@app.command("deidentify")
def deidentify_data(
    source: Annotated[Path, typer.Argument(help="A folder of DICOM files.")],
    target: Annotated[Path, typer.Argument(help="The folder for the copies.")],
    key: Annotated[
        Path | None,
        typer.Option(
            help="The secret that makes the new names; made if missing. Not to be shared. "
            "If not given: TARGET.key."
        ),
    ] = None,
    shift_dates: Annotated[
        bool, typer.Option(help="Shift the dates of each patient alike; else they are removed.")
    ] = False,
    age_and_sex: Annotated[
        bool, typer.Option(help="Keep age, 90 for all above 89, and sex.")
    ] = False,
) -> None:
    """Copy DICOM images without whom they show; nothing is written over."""
    from ..preprocessing import copies
    from ..preprocessing.deidentify import Pseudonyms

    secret = key or target.parent / f"{target.resolve().name}.key"
    copies.check(source, target, secret)
    dates: Literal["remove", "shift"] = "shift" if shift_dates else "remove"
    names = Pseudonyms(copies.key(secret), dates, age_and_sex)
    told = [_said(one) for one in copies.write(source, target, names)]
    copied = sum(one.copy is not None for one in told)
    refused = sum(one.image and one.copy is None for one in told)
    others = len(told) - copied - refused
    typer.echo(f"{copied} copied, {refused} refused, {others} that are no images left out.")
    typer.echo(
        f"Key: {secret}. Keep it from whoever gets the copies; it makes the same names again."
    )
    typer.echo("The pixels are unchanged: look for names within the pictures before sharing them.")
    if refused:
        raise Failure(f"{refused} images were not copied; each is told above with the reason.")


def _said(one: "Told") -> "Told":
    warning = " (there may be text within the picture: look at it)" if one.text else ""
    typer.echo(f"{one.source}: {one.why or one.copy}{warning}")
    return one
