"""Browsers in which someone is signed in: a row each, so that signing out ends it everywhere."""

import datetime as dt
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .accounts import digest
from .database import User, Visit, now

_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Span:
    """How long a visit lasts.

    Attributes:
        idle: without a request.
        longest: since signing in.
    """

    idle: dt.timedelta
    longest: dt.timedelta


def start(session: Session, user: User, span: Span) -> str:
    """Open a visit; gives its key, of which only the SHA-256 is kept. Old visits are swept away."""
    moment = now()
    session.execute(delete(Visit).where(Visit.born < moment - span.longest))
    key = secrets.token_urlsafe(32)
    visit = Visit(digest=digest(key), user_id=user.id, epoch=user.epoch, born=moment, seen=moment)
    session.add(visit)
    return key


def find(session: Session, key: str, span: Span) -> User | None:
    """Give who is signed in under a key, unless the visit is over or the password was changed."""
    same = Visit.digest == digest(key)
    found = session.execute(select(Visit, User).join(User).where(same)).one_or_none()
    if found is None:
        return None
    (visit, user), moment = found, now()
    over = moment - visit.seen > span.idle or moment - visit.born > span.longest
    if over or visit.epoch != user.epoch:
        return None
    if moment - visit.seen >= _MINUTE:  # not at every request: each write is a wait for the disk
        session.execute(update(Visit).where(same).values(seen=moment))
    return user


def end(session: Session, key: str) -> None:
    """Close a visit."""
    session.execute(delete(Visit).where(Visit.digest == digest(key)))
