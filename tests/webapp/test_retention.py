"""What is deleted, when, and what stays."""

import datetime as dt
import os
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import func, select

from radzoo.webapp import audit_log, opening, retention
from radzoo.webapp.audit_log import Action
from radzoo.webapp.database import Analysis, AuditLine, Reading, Study, User
from radzoo.webapp.films import Films

NOW = dt.datetime(2026, 11, 25, 12)
DAY = dt.timedelta(days=1)


@pytest.fixture
def films(tmp_path) -> Films:
    return Films(tmp_path)


@pytest.fixture
def users(room) -> list[str]:
    """Ids of two users."""
    with room.session() as session:
        made = [User(name=name) for name in ("reader-a", "reader-b")]
        session.add_all(made)
        session.flush()
        return [user.id for user in made]


def study(room, films, owner, film, days_old):
    """A study with all that can belong to it; its film is named by one sign."""
    name = film * 64
    with room.session() as session:
        made = Study(owner_id=owner, upload=name, film=name, name="f", created=NOW - days_old * DAY)
        session.add(made)
        session.flush()
        found = {"model": "m" * 64, "probabilities": [0.4, 0.6], "embedding": b"", "method": "m"}
        session.add(Analysis(study_id=made.id, **found))
        session.add(Reading(study_id=made.id, verdict="finding", blind=True))
        audit_log.write(session, owner, Action.UPLOADED, made.id)
    films.folder(name).mkdir(parents=True, exist_ok=True)
    (films.folder(name) / "film.png").write_bytes(b"")
    films.incoming(made.id).write_bytes(b"")
    return made


def count(room, table):
    with room.session() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_what_is_older_than_the_room_keeps_goes_with_its_files_and_the_rest_stays(
    room, films, users
):
    old = [study(room, films, users[0], "a", 31), study(room, films, users[1], "b", 30.001)]
    young = [study(room, films, users[0], "c", 30), study(room, films, users[1], "d", 0)]
    assert retention.purge(room, films, NOW - 30 * DAY) == 2
    with room.session() as session:
        left = set(session.scalars(select(Study.id)))
    assert left == {one.id for one in young}
    assert (count(room, Analysis), count(room, Reading), count(room, User)) == (2, 2, 2)
    for one in old:
        assert not films.folder(one.film).exists()
        assert not films.incoming(one.id).exists()
    for one in young:
        assert films.path(one.film).exists()
        assert films.incoming(one.id).exists()
    assert retention.purge(room, films, NOW - 30 * DAY) == 0


def test_a_film_that_another_user_has_later_stays(room, films, users):
    study(room, films, users[0], "a", 31)
    later = study(room, films, users[1], "a", 2)
    assert retention.purge(room, films, NOW - 30 * DAY) == 1
    assert films.path(later.film).exists()
    assert retention.purge(room, films, NOW) == 1
    assert not films.folder(later.film).exists()


def test_the_audit_log_keeps_its_lines_and_tells_of_the_purge(room, films, users):
    old = study(room, films, users[0], "a", 31)
    retention.purge(room, films, NOW - 30 * DAY)
    with room.session() as session:
        lines = session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
        assert [(line.who, line.action, line.study) for line in lines] == [
            (users[0], "uploaded", old.id),
            ("system", "purged", old.id),
        ]
        assert audit_log.check(session) == []


def test_a_study_whose_files_are_gone_already_can_be_deleted(room, films, users):
    one = study(room, films, users[0], "a", 1)
    films.remove(one.film)
    films.incoming(one.id).unlink()
    with room.session() as session:
        retention.remove(session, films, [one])
    assert count(room, Study) == 0


def free(_film):
    """Nobody reads it."""
    return nullcontext()


def begin(room, monkeypatch, at):
    """The first line of the audit log is of that moment."""
    with monkeypatch.context() as then, room.session() as session:
        then.setattr(audit_log, "now", lambda: at)
        audit_log.write(session, "", Action.ACCOUNT_MADE, "")


def old_file(films, name, days_old):
    """A film of no study."""
    path = films.folder(name)
    path.mkdir(parents=True)
    at = (NOW - days_old * DAY).replace(tzinfo=dt.UTC).timestamp()
    os.utime(path, (at, at))
    return path


def test_what_is_older_than_the_database_is_of_another_and_stays(room, films, users, monkeypatch):
    paths = [old_file(films, sign * 64, days) for sign, days in (("a", 9), ("b", 5))]
    assert retention.sweep(room, films, NOW, free) == 0  # the database is new
    begin(room, monkeypatch, NOW - 7 * DAY)
    assert retention.sweep(room, films, NOW, free) == 1
    assert [path.exists() for path in paths] == [True, False]


def test_a_file_that_comes_again_while_it_is_looked_for_stays(room, films, users, monkeypatch):
    begin(room, monkeypatch, NOW - 9 * DAY)
    path = old_file(films, "a" * 64, 5)

    @contextmanager
    def come_again(film):
        with room.session() as session:
            session.add(Study(owner_id=users[0], upload=film, film=film, name="f"))
        yield

    assert retention.sweep(room, films, NOW, come_again) == 0
    assert path.exists()


def test_files_of_no_study_go_when_they_are_old(room, films, users, monkeypatch):
    begin(room, monkeypatch, NOW - DAY)
    kept, gone = (study(room, films, users[0], film, 1) for film in "ab")
    with room.session() as session:
        session.delete(session.get(Study, gone.id))  # while it is read: its files come afterwards
    young = films.folder("c" * 64)
    young.mkdir(parents=True)
    hour_ago = (NOW - dt.timedelta(hours=1)).replace(tzinfo=dt.UTC).timestamp()
    for _, path in films.kept():
        os.utime(path, (hour_ago - 1, hour_ago - 1))
    os.utime(young, (hour_ago + 1, hour_ago + 1))
    assert retention.sweep(room, films, NOW - dt.timedelta(hours=1), free) == 2
    assert {name for name, _ in films.kept()} == {kept.id, kept.film, young.name}


def test_what_an_upload_that_was_cut_off_has_left_goes_when_the_room_opens(tmp_path):
    home = tmp_path / "home"

    def account(session):
        opening.add_user(session, "reader", "a long password")

    with opening.opened(home, [], None):
        opening.in_database(home, None, account)
    left = Films(home).incoming("0" * 32)
    left.write_bytes(b"half a film")
    with opening.opened(home, [], None):
        assert not left.exists()


def test_nothing_of_what_was_deleted_is_left_in_the_files_of_the_database(room, films, users):
    one = study(room, films, users[0], "a", 31)
    secret = "a note that nobody else may read"
    with room.session() as session:
        session.get(Study, one.id).name = "LASTNAME FIRSTNAME.dcm"
        session.add(Reading(study_id=one.id, verdict="finding", blind=True, note=secret))

    def stored() -> bytes:
        home = films.folder("a" * 64).parents[2]
        return b"".join(path.read_bytes() for path in home.glob("room.db*"))

    assert secret.encode() in stored()
    retention.purge(room, films, NOW - 30 * DAY)
    retention.sweep(room, films, NOW, free)
    assert secret.encode() not in stored()
    assert b"LASTNAME" not in stored()
