"""Deleting studies, on request and when they are older than the room keeps; and what they left."""

import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from . import audit_log
from .database import Database, Study
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


def sweep(database: Database, films: Films, before: dt.datetime) -> int:
    """Delete files of no study that are older than a moment (UTC); gives how many.

    A study may be deleted while it is read, or a room be killed between a file and its study.
    """
    limit = before.replace(tzinfo=dt.UTC).timestamp()
    old = [(name, path) for name, path in films.kept() if _age(path) < limit]
    with database.session() as session:
        known = {name for row in session.execute(select(Study.id, Study.film)) for name in row}
    lost = [path for name, path in old if name not in known]
    for path in lost:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    database.empty_journal()
    return len(lost)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # deleted meanwhile
        return float("inf")
