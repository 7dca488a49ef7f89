"""The commands `serve` and `users`: the reading room for clinicians, and who may enter it."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import BackendUnavailable

Home = Annotated[
    Path,
    typer.Option(help="Folder for films, readings and accounts; made if it is not there."),
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="RADZOO_DATABASE",  # where no list of processes shows its password
        help="URL of the database, if not SQLite in the folder of --home.",
    ),
]
HOME = Path("reading-room")

app = typer.Typer(
    name="users", no_args_is_help=True, help="Who may enter the reading room of `serve`."
)


def serve(  # noqa: PLR0913, PLR0917  one parameter an option
    run: Annotated[list[Path], typer.Option(help="Directory of a finished run. Repeatable.")],
    home: Home = HOME,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8050,
    workers: Annotated[int, typer.Option(min=1, help="Web processes.")] = 2,
    database: Url = None,
    method: Annotated[
        str, typer.Option(help="Of the heatmaps; see `explain methods`.")
    ] = "gradcam",
    backend: Annotated[str | None, typer.Option(help="In place of the runs'.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, gpu, gpu:N or auto.")] = None,
    https: Annotated[
        bool, typer.Option("--https", help="Behind a proxy with TLS; see docs/webapp.md.")
    ] = False,
    keep_days: Annotated[
        int, typer.Option(min=0, help="Delete studies after so many days; 0 keeps them.")
    ] = 30,
    keep_identifiers: Annotated[
        bool, typer.Option("--keep-identifiers", help="Keep DICOM headers as they come.")
    ] = False,
) -> None:
    """Open the reading room: a web page for clinicians on one or more finished runs."""
    try:
        from ..webapp import opening, processes
    except ImportError as error:
        raise BackendUnavailable(
            f"The reading room needs {error.name}: pip install 'radzoo[webapp]'"
        ) from error
    address = processes.Address(host, port, workers)
    options = {
        "method": method, "backend": backend, "device": device, "https": https,
        "keep_days": keep_days, "keep_identifiers": keep_identifiers,
    }  # fmt: skip
    with opening.opened(home, run, database, **options) as settings:
        typer.echo("Starting the models ...")

        def ready() -> None:
            key = settings.first_key
            page = f"{address.url}/welcome?key={key}" if key else address.url
            typer.echo(f"Reading room: {page}")
            if key:
                typer.echo("There is no account yet: this link makes the first one.")
            typer.echo("Research use only. Ctrl-C closes the room.")

        def audit_log() -> None:
            typer.echo(_audit_log("Audit log", *opening.audit_state(home, database)))

        audit_log()
        try:
            processes.watch(settings, address, typer.echo, ready)
        finally:
            audit_log()


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Of the new user.")],
    home: Home = HOME,
    database: Url = None,
) -> None:
    """Make an account; the password is asked for."""
    from ..webapp import opening

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    opening.in_database(home, database, lambda session: opening.add_user(session, name, password))
    typer.echo(f"Account {name} made.")


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Of a user.")], home: Home = HOME, database: Url = None
) -> None:
    """Delete an account with all its studies."""
    from ..webapp import opening

    opening.in_room(home, database, lambda session: opening.remove_user(session, home, name))
    typer.echo(f"Account {name} deleted.")


@app.command("token")
def token(
    name: Annotated[str, typer.Argument(help="Of a user.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    home: Home = HOME,
    database: Url = None,
) -> None:
    """Make a key to the REST API; it is shown once."""
    from ..webapp import opening

    typer.echo(
        opening.in_room(home, database, lambda session: opening.make_token(session, name, label))
    )


@app.command("audit")
def audit(
    home: Home = HOME,
    database: Url = None,
    told: Annotated[
        list[str] | None,
        typer.Option(help="Last digest that was told before, which must be there. Repeatable."),
    ] = None,
) -> None:
    """Check the audit log: whether a line was changed, put in or taken out."""
    from ..webapp import opening

    state = opening.in_room(home, database, lambda session: opening.audited(session, told or ()))
    typer.echo(_audit_log("The audit log is unbroken", *state))


def _audit_log(what: str, lines: int, digest: str) -> str:
    return f"{what}: {lines} lines, the last {digest}"
