"""Slowing down whoever guesses passwords, in the database that all processes of a room share.

After a few failures the next attempt must wait 1 s, then 2 s, 4 s and so on, up to a limit: nobody
is locked out for good, and an hour without failures is a fresh start. Browsers in which the owner
of a name has signed in before do not wait for others; see known.py. An attempt counts as failed
from its beginning, so that many at once do not slip through.
"""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from .database import Attempt, Database, now

REMEMBERED = dt.timedelta(hours=1)
SLOWEST_S = 60  # guessing slows down its victims too: the owner of a name, a whole hospital
READERS_OF_AN_ADDRESS = 4  # a hospital comes from one address: it has so many times more failures


@dataclass(frozen=True)
class Who:
    """Who tries, as it may be kept.

    Attributes:
        name: keyed digest: people type their password in the field of the name.
        address: keyed digest of the network address.
    """

    name: str
    address: str

    @classmethod
    def of(cls, secret: str, name: str, address: str) -> Self:
        """Digest a name and an address with a secret of the room."""
        digests = [
            hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            for text in (f"name {name}", f"address {address}")
        ]
        return cls(*digests)


def begin(database: Database, who: Who, limit: int) -> int:
    """Count an attempt before the password is looked at.

    Args:
        database: of the room.
        who: tries.
        limit: failures of a name, from 1, before the first wait.

    Returns:
        How many seconds to wait, and the attempt did not count; 0: go on, then call `succeeded`.
    """
    with database.session() as session:
        session.execute(delete(Attempt).where(Attempt.at < now() - REMEMBERED))
        attempt = Attempt(name=who.name, address=who.address, at=now())
        session.add(attempt)
    with database.session() as session:  # another transaction: now all that came before are seen
        shared = limit * READERS_OF_AN_ADDRESS
        of_name = _wait(session, Attempt.name == who.name, attempt.id, limit)
        of_address = _wait(session, Attempt.address == who.address, attempt.id, shared)
        wait = max(of_name, of_address)
        if wait:
            session.execute(delete(Attempt).where(Attempt.id == attempt.id))
    return wait


def _wait(session: Session, same: ColumnElement[bool], own: int, limit: int) -> int:
    query = select(func.count(), func.max(Attempt.at)).where(same, Attempt.id != own)
    failures, last = session.execute(query).one()
    if failures < limit:
        return 0
    ends = last + dt.timedelta(seconds=min(2 ** (failures - limit), SLOWEST_S))
    return max(0, int((ends - now()).total_seconds()))


def succeeded(session: Session, who: Who) -> None:
    """Forget the failures of a name; those of its address stay, but for these."""
    session.execute(delete(Attempt).where(Attempt.name == who.name))
