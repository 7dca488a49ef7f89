"""Deleting studies: on request, and when they are older than the room keeps."""

import datetime as dt
from collections.abc import Iterable

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
