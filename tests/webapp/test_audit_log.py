"""The log of who did what: only longer, and never rewritten unseen."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from radzoo.webapp import audit_log
from radzoo.webapp.audit_log import Action
from radzoo.webapp.database import AuditLine, Database, Study

PACKAGE = Path(audit_log.__file__).parents[1]
ROOT = PACKAGE if (PACKAGE / "radzoo.py").exists() else PACKAGE.parent


@pytest.fixture
def logged(database: Database) -> Database:
    """A log of four lines."""
    with database.session() as session:
        for number in range(4):
            audit_log.write(session, "u", Action.VIEWED, f"study-{number}", share=0.1 * number)
    return database


def tamper(database: Database, order: str) -> list[int]:
    """Do what only the owner of the database can, then check."""
    unlock = {
        "sqlite": ["DROP TRIGGER audit_log_no_UPDATE", "DROP TRIGGER audit_log_no_DELETE"],
        "postgresql": ["DROP TRIGGER audit_log_append_only ON audit_log"],
    }
    with database.engine.begin() as connection:
        for statement in (*unlock[database.engine.dialect.name], order):
            connection.execute(text(statement))
    with database.session() as session:
        return audit_log.check(session)


def test_what_was_written_is_unbroken(logged):
    with logged.session() as session:
        assert audit_log.check(session) == []
        lines = list(session.scalars(select(AuditLine).order_by(AuditLine.id)))
    assert [line.study for line in lines] == [f"study-{number}" for number in range(4)]
    assert lines[0].previous == "0" * 64
    assert [line.previous for line in lines[1:]] == [line.digest for line in lines[:-1]]
    assert lines[2].detail == {"share": 0.2}


def test_an_empty_log_is_unbroken(database):
    with database.session() as session:
        assert audit_log.check(session) == []


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("UPDATE audit_log SET who = 'v' WHERE id = 2", [2]),
        ("UPDATE audit_log SET detail = '{\"share\": 0.9}' WHERE id = 3", [3]),
        ("UPDATE audit_log SET at = '2020-01-01T00:00:00Z' WHERE id = 1", [1]),
        ("DELETE FROM audit_log WHERE id = 2", [3]),
        ("DELETE FROM audit_log WHERE id = 1", [2]),
        ("DELETE FROM audit_log WHERE id = 4", [3]),
        ("DELETE FROM audit_log", [0]),
        (
            "INSERT INTO audit_log (id, at, who, action, study, detail, previous, digest)"
            " VALUES (9, '', '', 'viewed', '', '{}', 'x', 'y')",
            [9],
        ),
    ],
)
def test_lines_that_are_changed_taken_out_or_put_in_are_found(logged, order, found):
    assert tamper(logged, order) == found


@pytest.mark.parametrize("order", ["UPDATE audit_log SET who = 'v'", "DELETE FROM audit_log"])
def test_the_database_itself_refuses_to_change_a_line(logged, order):
    with (
        pytest.raises(DBAPIError, match="append-only"),
        logged.engine.begin() as connection,
    ):
        connection.execute(text(order))
    with logged.session() as session:
        assert audit_log.check(session) == []


def test_no_two_lines_follow_the_same_line(logged):
    with (
        pytest.raises(DBAPIError, match=r"(?i)unique"),
        logged.engine.begin() as connection,
    ):
        connection.execute(
            text(
                "INSERT INTO audit_log (id, at, who, action, study, detail, previous, digest)"
                " SELECT 9, at, who, action, study, detail, previous, 'y' FROM audit_log"
                " WHERE id = 2"
            )
        )


def test_a_transaction_that_is_undone_leaves_no_line(logged):
    def undone() -> None:
        with logged.session() as session:
            audit_log.write(session, "u", Action.DELETED, "study-1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    with logged.session() as session:
        assert audit_log.check(session) == []
        assert session.scalar(select(func.count()).select_from(AuditLine)) == 4


def test_many_writers_at_once_make_one_unbroken_chain(database):
    def write(writer: int) -> None:
        for number in range(25):
            with database.session() as session:
                audit_log.write(session, f"u{writer}", Action.READ, f"study-{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    with database.session() as session:
        assert audit_log.check(session) == []
        assert session.scalar(select(func.count()).select_from(AuditLine)) == 200


WRITER = """
import sys
from radzoo.webapp import audit_log
from radzoo.webapp.database import Database
database = Database(sys.argv[1])
for number in range(10):
    with database.session() as session:
        audit_log.write(session, "u", audit_log.Action.READ, str(number))
database.engine.dispose()
"""


def test_processes_that_start_while_others_write_do_not_harm_the_chain(database):
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WRITER, url]
    started = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    with database.session() as session:
        assert audit_log.check(session) == []
        assert session.scalar(select(func.count()).select_from(AuditLine)) == 40


def test_a_log_that_is_sealed_anew_lacks_what_was_told_of_the_old_one(logged):
    with logged.session() as session:
        count, told = audit_log.state(session)
    assert count == 4
    assert tamper(logged, "DELETE FROM audit_log WHERE id > 2") == [2]
    with logged.engine.begin() as connection:  # and the tail is made to fit
        digest = "(SELECT digest FROM audit_log WHERE id = 2)"
        connection.execute(text(f"UPDATE audit_tail SET digest = {digest}"))
    with logged.session() as session:
        assert audit_log.check(session) == []  # the chain alone cannot tell
        assert not audit_log.has(session, told)
        assert audit_log.has(session, audit_log.state(session)[1])


def test_a_detail_that_is_no_number_is_refused(room):
    with pytest.raises(ValueError, match="JSON"), room.session() as session:
        audit_log.write(session, "u", Action.VIEWED, "", share=float("nan"))


def test_an_error_of_the_database_which_a_log_would_show_tells_no_name(database):
    with pytest.raises(DBAPIError) as refused, database.session() as session:
        session.add(Study(owner_id="nobody", upload="u", film="f", name="Lastname^Firstname"))
    assert "INSERT INTO studies" in str(refused.value)
    assert "Lastname" not in str(refused.value)
