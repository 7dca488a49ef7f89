"""The command `cases`: a folder of radiographs, read by a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from . import output
from .output import Json


def cases(  # noqa: PLR0913, PLR0917  one parameter an option
    run: Annotated[Path, typer.Argument(help="The directory of a finished run.")],
    folder: Annotated[Path, typer.Argument(help="PNG, JPEG and DICOM files, also below it.")],
    words: Annotated[
        Path | None, typer.Option(help="A CSV: file, words (a radiologist's), truth (a class).")
    ] = None,
    method: Annotated[str, typer.Option(help="See `explain methods`.")] = "gradcam",
    opacity: Annotated[float, typer.Option(help="Of the strongest evidence, up to 1.")] = 0.5,
    backend: Annotated[str | None, typer.Option(help="In place of the run's.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/cases/FOLDER if not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Read a folder of cases: probability, heatmaps of both classes and the words, on one page."""
    from ..explain import album, explainer
    from ..explain import cases as reading

    prepared = explainer.prepare(run, None, backend, device)
    chosen, opacity = prepared.method(method), album.check_opacity(opacity)
    found = reading.read(prepared, folder, words)
    for name, why in found.unread:
        if json:
            output.show_json({"event": "unread", "file": name, "reason": why})
        else:
            typer.echo(f"not read: {name}: {why}", err=True)

    def tell(name: str) -> None:
        if json:
            output.show_json({"event": "case", "file": name})
        else:
            typer.echo(name)

    target = out or run / "cases" / folder.resolve().name
    with prepared.connected() as ready:
        page = reading.write(ready, found, chosen, opacity, target, tell)
    if json:
        output.show_json({"event": "finished", "page": str(page), "unread": len(found.unread)})
    else:
        typer.echo(f"{len(found.cases)} read, {len(found.unread)} could not be read.\nPage: {page}")
