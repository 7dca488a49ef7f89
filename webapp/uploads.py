"""How much may be uploaded: so much a minute by each user, and so many files at once.

It is asked before the body of a request is read, and counted in the database, which all web
processes share. The limits are far above what people do, and below what would keep others out:
files at once are fewer than the threads of one web process, so a page always finds one.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from ..errors import FilmRefused
from .database import Database, Upload, User, moment
from .settings import Settings

MINUTE = dt.timedelta(minutes=1)
LOST = dt.timedelta(minutes=10)  # what began so long ago is not under way, whatever became of it
SOON_S = 1  # after which a file of those under way may be done


class Busy(FilmRefused):
    """A file is not taken now, and may be in a while.

    Args:
        code: as of `FilmRefused`.
        seconds: after which to send it again.
        values: as of `FilmRefused`.
    """

    def __init__(self, code: str, seconds: int, **values: object) -> None:
        super().__init__(code, seconds=seconds, **values)
        self.seconds = seconds


@contextmanager
def admitted(database: Database, settings: Settings, user: str, size: int) -> Iterator[None]:
    """Count an upload while it is under way, and for a minute from its beginning.

    Args:
        database: of the room.
        settings: say how much is too much.
        user: whose it is.
        size: bytes of the request.

    Raises:
        Busy: the user, or all together, upload too much; it does not count then.
    """
    with database.session() as session:
        # First, so that of two at once the second waits and sees the first; on every database.
        session.execute(update(User).where(User.id == user).values(epoch=User.epoch))
        _forget_old(session, user)
        _check(session, settings, user, size)
        upload = Upload(user_id=user, size=size, at=moment())
        session.add(upload)
    try:
        yield
    finally:
        with database.session() as session:
            session.execute(update(Upload).where(Upload.id == upload.id).values(under_way=False))


def forget(session: Session) -> None:
    """When a room opens nothing is under way, whatever became of the room before."""
    session.execute(delete(Upload))


def end_all(session: Session) -> None:
    """Count nothing as under way: a web process died, and some of it was its own.

    What the others have is not counted either, for the moment that it lasts.
    """
    session.execute(update(Upload).values(under_way=False))


def _forget_old(session: Session, user: str) -> None:
    mine, long_ago = Upload.user_id == user, moment() - LOST
    session.execute(delete(Upload).where(mine, Upload.at < long_ago))
    old = Upload.at < moment() - MINUTE
    session.execute(delete(Upload).where(mine, old, ~Upload.under_way))


def _check(session: Session, settings: Settings, user: str, size: int) -> None:
    under_way = select(func.count()).where(Upload.under_way, Upload.at >= moment() - LOST)
    mine = Upload.user_id == user
    if (session.scalar(under_way.where(mine)) or 0) >= settings.files_at_once:
        raise Busy("too_many_at_once", seconds=SOON_S, limit=settings.files_at_once)
    if (session.scalar(under_way) or 0) >= settings.all_at_once:
        raise Busy("room_busy", seconds=SOON_S)
    lately = select(func.count(), func.coalesce(func.sum(Upload.size), 0), func.min(Upload.at))
    files, given, oldest = session.execute(lately.where(mine, Upload.at >= moment() - MINUTE)).one()
    if files and (
        files >= settings.files_a_minute or given + size > settings.mb_a_minute * 1_000_000
    ):
        left = (oldest + MINUTE - moment()).total_seconds()
        raise Busy("too_fast", seconds=max(SOON_S, round(left)))
