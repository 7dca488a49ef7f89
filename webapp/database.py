"""What the reading room remembers: users, studies, analyses, readings, and who did what."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ..errors import RunError
from . import append_only


def new_id() -> str:
    """128 random bits in hex: an id that nobody guesses."""
    return uuid.uuid4().hex


def now() -> dt.datetime:
    """UTC, to the second, without a zone: as every database keeps it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


def moment() -> dt.datetime:
    """As `now`, to the microsecond, where an order must be kept."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {dict[str, Any]: JSON, list[float]: JSON}


class User(Base):
    """Someone who reads.

    `password` is an argon2 hash, None for one who comes by single sign-on; `subject` is then what
    the provider calls them. Sessions and tokens of an earlier `epoch` are no longer good.
    """

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str | None] = mapped_column(String(300), unique=True)
    epoch: Mapped[int] = mapped_column(default=0)
    read_first: Mapped[bool] = mapped_column(default=False)
    created: Mapped[dt.datetime] = mapped_column(default=now)


class Token(Base):
    """A key to the REST API, of which only the SHA-256 is kept."""

    __tablename__ = "tokens"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(80))
    created: Mapped[dt.datetime] = mapped_column(default=now)


class Study(Base):
    """One film of one user.

    `state` is `waiting`, `done` or `refused`; `refusal` then says why, as code and values. `film`
    names its folder in the file store; `facts` is what its reader said of it (see decoding.py);
    `shown` whether the owner has seen what a model found.
    """

    __tablename__ = "studies"
    __table_args__ = (UniqueConstraint("owner_id", "upload"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    upload: Mapped[str] = mapped_column(String(64))
    film: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(8), default="waiting", index=True)
    refusal: Mapped[dict[str, Any] | None]
    facts: Mapped[dict[str, Any] | None]
    shown: Mapped[bool] = mapped_column(default=False)
    created: Mapped[dt.datetime] = mapped_column(default=moment, index=True)


class Analysis(Base):
    """What one model found in one study; `model` is the key of its card."""

    __tablename__ = "analyses"
    study_id: Mapped[str] = mapped_column(
        ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    probabilities: Mapped[list[float]]
    distance: Mapped[float | None]
    likeness: Mapped[float | None]
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    method: Mapped[str] = mapped_column(String(40))
    created: Mapped[dt.datetime] = mapped_column(default=now)


class Reading(Base):
    """What the doctor said of a study, and whether before the model was shown; never changed."""

    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    verdict: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(String(2000), default="")
    blind: Mapped[bool]
    created: Mapped[dt.datetime] = mapped_column(default=now)


class Threshold(Base):
    """Where a user cuts the probabilities of one model; never carried to another."""

    __tablename__ = "thresholds"
    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[float]


class Visit(Base):
    """A browser in which someone is signed in, by the SHA-256 of the key in its cookie."""

    __tablename__ = "visits"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    born: Mapped[dt.datetime] = mapped_column(index=True)
    seen: Mapped[dt.datetime]


class Attempt(Base):
    """A sign-in that failed or is under way; see attempts.py."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)


class Upload(Base):
    """A file that came or is coming; see uploads.py."""

    __tablename__ = "uploads"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime]
    size: Mapped[int] = mapped_column(BigInteger)
    under_way: Mapped[bool] = mapped_column(default=True)


class AuditLine(Base):
    """One line of the audit log; see audit_log.py. No two lines follow the same one."""

    __tablename__ = "audit_log"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(25))
    who: Mapped[str] = mapped_column(String(32), index=True)
    action: Mapped[str] = mapped_column(String(40))
    study: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)


class AuditTail(Base):
    """One row: the digest of the last line of the audit log; its writers queue for it."""

    __tablename__ = "audit_tail"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class Database:
    """The tables under one URL, made if they are not there.

    Args:
        url: as SQLAlchemy takes it: sqlite:///FILE or postgresql+psycopg://…

    Raises:
        RunError: it cannot be reached or written.
    """

    def __init__(self, url: str) -> None:
        try:
            # Its errors come into logs, where names of files and users must not be.
            self.engine = create_engine(url, hide_parameters=True, **_options(url))
            if url.startswith("sqlite"):
                event.listen(self.engine, "connect", _set_up_sqlite)
            with self.engine.begin() as connection:
                append_only.make_tables(connection, Base.metadata)
        except (SQLAlchemyError, ImportError) as error:
            raise RunError(
                f"The database of the reading room cannot be used: {error}. Mend it, or name "
                "another one: --database URL."
            ) from error

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end, undone if anything is raised."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def empty_journal(self) -> None:
        """Let what was deleted leave SQLite's journal too, as far as nobody is reading."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _options(url: str) -> dict[str, Any]:
    sqlite = url.startswith("sqlite")
    return {"connect_args": {"timeout": 30}} if sqlite else {"pool_pre_ping": True}


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Readers do not wait for writers, a cut of power loses no study, what is deleted is gone."""
    for order in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {order}")
