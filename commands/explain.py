"""The commands of `explain`: heatmaps of a run, and what they are worth."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import UserError
from . import output
from .output import Json


class _OrImages(TyperGroup):
    """A group in which `explain RUN ...` means `explain images RUN ...`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take what is no command for the arguments of `images`."""
        if args and args[0] not in self.commands:
            args = ["images", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="explain",
    cls=_OrImages,
    no_args_is_help=True,
    help="Show where a network found evidence, and how far that can be believed.",
)
Run = Annotated[Path, typer.Argument(help="The directory of a finished run.")]
Backend = Annotated[str | None, typer.Option(help="In place of the run's.")]
Device = Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")]
Layer = Annotated[str | None, typer.Option(help="In place of the architecture's heatmap layer.")]

Layers = Annotated[list[str] | None, typer.Option(help="Only this one. Repeatable.")]


@app.command()
def images(  # noqa: PLR0913, PLR0917  one parameter an option
    run: Run,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE...", help="PNG, JPEG or DICOM.")
    ] = None,
    extremes: Annotated[
        int | None,
        typer.Option(min=1, help="The N test images of lowest and of highest probability."),
    ] = None,
    class_: Annotated[
        str, typer.Option("--class", help="both, all, or the number or the name of a class.")
    ] = "both",
    method: Annotated[str, typer.Option(help="See `explain methods`.")] = "gradcam",
    opacity: Annotated[float, typer.Option(help="Of the strongest evidence, up to 1.")] = 0.5,
    layer: Layer = None,
    backend: Backend = None,
    device: Device = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/explanations/METHOD if not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Draw heatmaps of images, or of the extremes of a run's test images: `explain RUN IMAGE`."""
    from ..explain import album, explainer

    if bool(files) == bool(extremes):
        raise UserError("Name images to explain, or ask for --extremes N; one of the two.")
    prepared = explainer.prepare(run, layer, backend, device)
    asked = album.Asked(
        prepared.method(method),
        album.chosen(prepared.classes, class_),
        album.check_opacity(opacity),
        out or run / "explanations" / method,
    )
    read = album.read(prepared, files or []) if files else None

    def tell(picture: Path) -> None:
        if json:
            output.show_json({"event": "picture", "path": str(picture)})
        else:
            typer.echo(picture)

    with prepared.connected() as ready:
        if read is None:
            page = album.of_extremes(ready, extremes or 1, asked, tell)
        else:
            page = album.of_files(ready, read, [file.name for file in files or []], asked, tell)
    if json:
        output.show_json({"event": "finished", "page": str(page)})
    else:
        typer.echo(f"Page: {page}")


@app.command()
def layers(
    run: Run,
    image: Annotated[Path, typer.Argument(help="PNG, JPEG or DICOM.")],
    layer: Layers = None,
    backend: Backend = None,
    device: Device = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/explanations/layers if not given.")
    ] = None,
) -> None:
    """Draw what each layer says of an image, channel by channel."""
    from ..explain import explainer, views

    with explainer.prepare(run, None, backend, device).connected() as ready:
        views.layers(ready, image, layer or [], out or run / "explanations" / "layers", typer.echo)


@app.command()
def filters(
    run: Run,
    layer: Layers = None,
    method: Annotated[
        str, typer.Option(help="ascent, or tf_keras_vis.activation_maximization.")
    ] = "ascent",
    backend: Backend = None,
    device: Device = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/explanations/filters if not given.")
    ] = None,
) -> None:
    """Draw what each convolutional filter looks for (activation maximisation)."""
    from ..explain import explainer, views

    folder = out or run / "explanations" / "filters"
    with explainer.prepare(run, None, backend, device).connected() as ready:
        views.filters(ready, layer or [], method, folder, typer.echo)


@app.command()
def audit(  # noqa: PLR0913, PLR0917  one parameter an option
    run: Run,
    method: Annotated[str, typer.Option(help="See `explain methods`.")] = "gradcam",
    count: Annotated[
        int, typer.Option(min=2, help="Test images to try, where not all are; drawn at random.")
    ] = 48,
    layer: Layer = None,
    backend: Backend = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Measure what a run's heatmaps are worth, and put it into its report."""
    from .. import terminal
    from ..experiments import heatmap_tables
    from ..explain import audit as audits
    from ..explain import explainer

    def tell(what: str) -> None:
        if json:
            output.show_json({"event": "stage", "name": what})
        else:
            typer.echo(f"{what} ...")

    prepared = explainer.prepare(run, layer, backend, device)
    chosen = prepared.method(method)
    with prepared.connected() as ready:
        found = audits.audit(ready, chosen, count, tell)
    page = audits.keep(prepared.run, found)
    if json:
        output.show_json({"event": "finished", "report": str(page), **found})
        return
    table = heatmap_tables.table(found)
    rows = [[f"{text} {more}".strip() for text, more, _ in row] for row in table.rows]
    output.show(terminal.plain_table(table.head, rows, f"Audit of {method}"))
    typer.echo(f"Report: {page}")


@app.command()
def methods() -> None:
    """List the heatmap methods."""
    from .. import terminal
    from ..explain import registry

    entries = [registry.get(name) for name in registry.names()]
    rows = [
        [e.name, e.summary, "each pixel" if e.grid == "pixels" else "each cell", e.source]
        for e in entries
    ]
    output.show(terminal.plain_table(["method", "what", "a value for", "source"], rows))
