"""Opening a reading room: its folder, its secret, its first account."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import Failure, RunHeld, UserError
from ..experiments.run import lease
from . import accounts, audit_log, retention, secret, uploads
from .audit_log import Action
from .database import Database, Study, moment
from .films import Films
from .settings import Settings

LEASE = ".lease"
FILE = "room.sqlite"
COMMAND_LINE = "command line"  # who does it, in the audit log


@contextmanager
def opened(
    home: Path, runs: Sequence[Path], database: str | None, **options: Any
) -> Iterator[Settings]:
    """Make the folder of a room ready and keep others out of it.

    Args:
        home: of the room; made if it is not there.
        runs: directories of finished runs.
        database: its URL; SQLite in `home` if None.
        options: further ones of `Settings`.

    Raises:
        RunError: a run is not finished, or the folder cannot be written.
        RunHeld: another server has this room open.
    """
    from ..experiments import finished  # takes seconds, which `users` does not need

    folders = tuple(finished.whole(run).folder.resolve() for run in runs)
    held = RunHeld(
        f"Another server has the reading room {home} open. Close it, or name another folder: "
        "--home DIR."
    )
    with lease(home, LEASE, held), tempfile.TemporaryDirectory(prefix="radzoo-") as socket:
        home.chmod(0o700)
        secret.of(home)
        in_database(home, database, uploads.forget)
        _sweep(home, database or url_of(home))
        yield Settings(
            home=home.resolve(),
            runs=folders,
            database=database or url_of(home),
            socket=Path(socket) / "analyst",
            first_key=_first_key(database or url_of(home)),
            **options,
        )


def _sweep(home: Path, url: str) -> None:
    """Delete what uploads left that were cut off with the room: nobody sends files yet."""
    database = Database(url)
    retention.sweep(database, Films(home), moment(), lambda _: nullcontext())
    database.engine.dispose()


def url_of(home: Path) -> str:
    """Of the database in a room's own folder."""
    return f"sqlite:///{home.resolve() / FILE}"


def _first_key(url: str) -> str:
    """Opens the page for the first account; empty where there is an account."""
    database = Database(url)
    with database.session() as session:
        some = accounts.count(session) > 0
    database.engine.dispose()
    return "" if some else secrets.token_urlsafe(24)


def in_database(home: Path, url: str | None, work: Callable[[Any], Any]) -> Any:
    """Do something in a transaction of a room's database, whether the room is open or not.

    Raises:
        RunError: the database cannot be used.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(url or url_of(home))
    try:
        with database.session() as session:
            return work(session)
    finally:
        database.engine.dispose()


def in_room(home: Path, url: str | None, work: Callable[[Any], Any]) -> Any:
    """As `in_database`, in a room that was opened or given an account before.

    Raises:
        UserError: there is none in the folder; errors else as for `in_database`.
    """
    if url is None and not (home / FILE).exists():
        raise UserError(f"There is no reading room in {home}. Name its folder: --home DIR.")
    return in_database(home, url, work)


def add_user(session: Session, name: str, password: str) -> None:
    """Make an account; errors as for `accounts.create`."""
    user = accounts.create(session, name, password)
    audit_log.write(session, COMMAND_LINE, Action.ACCOUNT_MADE, "", user=user.id)


def make_token(session: Session, name: str, label: str) -> str:
    """Make a key to the REST API; errors as for `accounts.named` and `accounts.new_token`."""
    user = accounts.named(session, name)
    token = accounts.new_token(session, user, label)
    audit_log.write(session, COMMAND_LINE, Action.TOKEN_MADE, "", user=user.id)
    return token


def audit_state(home: Path, url: str | None) -> tuple[int, str]:
    """As `audit_log.state`, whether the room is open or not."""
    return in_database(home, url, audit_log.state)


def audited(session: Session, told: Sequence[str]) -> tuple[int, str]:
    """How many lines the audit log has, and the digest of the last.

    Args:
        session: the transaction to look in.
        told: digests that it had before.

    Raises:
        Failure: a line was changed, put in or taken out, or one of the digests is not there.
    """
    broken = audit_log.check(session)
    if broken:
        raise Failure(f"The audit log was changed at the lines {', '.join(map(str, broken))}.")
    missing = [digest for digest in told if not audit_log.has(session, digest)]
    if missing:
        raise Failure(
            f"The audit log was written anew: it has no line {', '.join(missing)}, which it had."
        )
    return audit_log.state(session)


def remove_user(session: Session, home: Path, name: str) -> None:
    """Delete an account with all its studies; errors as for `accounts.named`."""
    user = accounts.named(session, name)
    studies = list(session.scalars(select(Study).where(Study.owner_id == user.id)))
    retention.remove(session, Films(home), studies)
    accounts.remove(session, user)
    audit_log.write(session, COMMAND_LINE, Action.DELETED, "", user=user.id)
