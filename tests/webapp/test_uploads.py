"""How much one may upload: generous for people, finite for machines."""

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from radzoo.webapp import processes, uploads
from radzoo.webapp.database import User, moment
from radzoo.webapp.settings import Settings
from radzoo.webapp.uploads import Busy

MB = 1_000_000
LIMITS = Settings(
    *(Path(), (), "", Path()), files_a_minute=10, mb_a_minute=6, files_at_once=3, all_at_once=5
)


@pytest.fixture
def users(database):
    """Ids of three users."""
    made = [User(name=f"reader-{letter}") for letter in "abc"]
    with database.session() as session:
        session.add_all(made)
    return [user.id for user in made]


@pytest.fixture
def clock(monkeypatch):
    """Moves the time on, in seconds."""
    ahead, start = [dt.timedelta(0)], moment()
    monkeypatch.setattr(uploads, "moment", lambda: start + ahead[0])

    def move(seconds):
        ahead[0] += dt.timedelta(seconds=seconds)

    return move


def upload(database, user, size=1):
    with uploads.admitted(database, LIMITS, user, size):
        pass


def refusal(database, user, size=1, settings=LIMITS):
    """Why one more is not taken, and for how long."""
    with (
        pytest.raises(Busy) as refused,
        uploads.admitted(database, settings, user, size),
    ):
        pass
    assert refused.value.values["seconds"] == refused.value.seconds
    return refused.value.code, refused.value.seconds


def test_a_minute_after_the_first_file_there_is_room_for_one_more(database, users, clock):
    for _ in range(LIMITS.files_a_minute):
        upload(database, users[0])
        clock(2)
    assert refusal(database, users[0]) == ("too_fast", 40)
    clock(39)
    assert refusal(database, users[0]) == ("too_fast", 1)  # nor has that counted
    clock(2)
    upload(database, users[0])
    assert refusal(database, users[0])[0] == "too_fast"
    upload(database, users[1])  # what one does is nothing to another


def test_bytes_are_counted_as_they_are_announced(database, users, clock):
    upload(database, users[0], 4 * MB)
    assert refusal(database, users[0], 2 * MB + 1) == ("too_fast", 60)
    upload(database, users[0], 2 * MB)
    clock(61)
    upload(database, users[0], 7 * MB)  # alone, for else it would never come


def test_of_one_and_of_all_only_some_files_are_under_way(database, users):
    with ExitStack() as under_way:
        for user in (*users[:1] * 3, *users[1:2] * 2):
            under_way.enter_context(uploads.admitted(database, LIMITS, user, 1))
        assert refusal(database, users[0]) == ("too_many_at_once", 1)
        assert refusal(database, users[2]) == ("room_busy", 1)
    upload(database, users[2])


def test_an_upload_that_fails_is_under_way_no_more(database, users):
    for _ in range(LIMITS.all_at_once):
        with (
            pytest.raises(ZeroDivisionError),
            uploads.admitted(database, LIMITS, users[0], 1),
        ):
            raise ZeroDivisionError
    upload(database, users[0])


def test_what_a_killed_process_had_under_way_is_forgotten(database, users, clock):
    def begin():
        begun = [uploads.admitted(database, LIMITS, users[0], 1) for _ in range(3)]
        for one in begun:
            one.__enter__()
        assert refusal(database, users[0])[0] == "too_many_at_once"
        return begun  # kept, or it would end

    killed = begin()
    with database.session() as session:
        uploads.forget(session)  # as a room does that opens
    killed += begin()
    with database.session() as session:
        uploads.end_all(session)  # as the web server does when one of its processes has died
    killed += begin()
    clock(uploads.LOST.total_seconds() + 1)  # and while it is open
    upload(database, users[0])
    end(killed)


def end(begun):
    """Or their ends would come when the database is closed."""
    for one in begun:
        one.__exit__(None, None, None)


def test_many_at_the_same_moment_do_not_slip_through(database, users):
    together = Barrier(12)

    def one(_number):
        together.wait()
        try:
            entered = uploads.admitted(database, LIMITS, users[0], 1)
            entered.__enter__()
        except Busy as busy:
            return busy.code
        return entered  # kept, or it would end

    with ThreadPoolExecutor(12) as threads:
        told = list(threads.map(one, range(12)))
    entered = [one for one in told if not isinstance(one, str)]
    assert (len(entered), {*told} - {*entered}) == (LIMITS.files_at_once, {"too_many_at_once"})
    end(entered)


def test_limits_leave_threads_for_pages_and_let_a_person_load_a_thousand_films():
    room = Settings(Path(), (), "", Path())
    assert room.all_at_once < processes.Address("127.0.0.1", 1).threads
    assert room.files_at_once < room.all_at_once
    assert room.largest_mb < room.mb_a_minute
    assert room.files_a_minute * 2 >= 1000  # within two minutes
    assert Settings.from_json(dataclasses.replace(room, files_a_minute=7).as_json()) == (
        dataclasses.replace(room, files_a_minute=7)
    )
