"""Deleting studies, on request and when they are older than the room keeps; and what they left."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from . import audit_log
from .database import AuditLine, Database, Study
from .films import Films

SYSTEM = "system"  # who purges, in the audit log


def remove(session: Session, films: Films, studies: Iterable[Study]) -> None:
    """Delete studies with all that was found and said of them, and films that nobody has left."""
    for study in studies:
        session.execute(delete(Study).where(Study.id == study.id))
        films.incoming(study.id).unlink(missing_ok=True)
        others = select(func.count()).select_from(Study).where(Study.film == study.film)
        if not session.scalar(others):
            films.remove(study.film)


def purge(database: Database, films: Films, before: dt.datetime) -> int:
    """Delete the studies that came before a moment (UTC); gives how many."""
    with database.session() as session:
        old = list(session.scalars(select(Study).where(Study.created < before)))
        remove(session, films, old)
        for study in old:
            audit_log.write(session, SYSTEM, audit_log.Action.PURGED, study.id)
    return len(old)


def sweep(
    database: Database,
    films: Films,
    before: dt.datetime,
    held: Callable[[str], AbstractContextManager[Any]],
) -> int:
    """Delete files of no study that are older than a moment (UTC); gives how many.

    A study may be deleted while it is read, or a room be killed between a file and its study. What
    is older than the first line of the audit log is of another database, and stays: the room may
    have been opened without its own by mistake.

    Args:
        database: of the room.
        films: of the room.
        before: what came or changed since stays.
        held: keeps others from reading a film, by its name, meanwhile.
    """
    limit = before.replace(tzinfo=dt.UTC).timestamp()
    kept = [(name, path, _changed(path)) for name, path in films.kept()]
    with database.session() as session:
        known = {name for row in session.execute(select(Study.id, Study.film)) for name in row}
        born = _born(session)
    lost = [(name, path) for name, path, at in kept if born <= at < limit and name not in known]
    gone = 0
    for name, path in lost:
        with held(name):
            gone += _remove_lost(database, name, path)
    database.empty_journal()
    return gone


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # deleted meanwhile
        return float("inf")


def _born(session: Session) -> float:
    """When a database began: before its first film there was an account."""
    first = session.scalar(select(AuditLine.at).order_by(AuditLine.id).limit(1))
    return dt.datetime.fromisoformat(first).timestamp() if first else float("inf")


def _remove_lost(database: Database, name: str, path: Path) -> bool:
    with database.session() as session:  # once more: the same file may have come again
        if session.scalar(select(Study.id).where(or_(Study.id == name, Study.film == name))):
            return False
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return True
