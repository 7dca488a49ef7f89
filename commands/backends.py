"""The commands `backends list`, `backends install` and `backends remove`."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import BackendUnavailable, Interrupted, RadZooError
from . import output

app = typer.Typer(name="backends", no_args_is_help=True, help="The backends of this machine.")


@app.command("list")
def list_backends() -> None:
    """Start every installed backend and say what it finds; how to install the rest."""
    from .. import terminal
    from ..backends import connect, get, names

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
    output.show(
        terminal.plain_table(["backend", "", "devices", "versions, or how to get it"], rows)
    )


@app.command("install")
def install_backend(
    name: str,
    python: Annotated[
        Path | None, typer.Option(help="An interpreter of CPython 3.6, 3.5 or 2.7.")
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="For NVIDIA GPUs; needs a driver.")] = False,
) -> None:
    """Set up a backend that needs an old Python of its own, in the cache folder."""
    from ..backends import get, legacy

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


@app.command("remove")
def remove_backend(name: str) -> None:
    """Remove what `backends install` has set up."""
    from ..backends import get, legacy

    if not get(name).legacy:
        raise BackendUnavailable(
            f"Backend {name!r} was not set up by radzoo: what pip installed, pip uninstalls."
        )
    removed = legacy.get(name).remove()
    typer.echo(f"{name} is removed." if removed else f"{name} was not installed.")
