"""Accounts as the command line makes them: the link of `serve`, and `users`."""

import fcntl
import os
import pty
import re
import select
import sqlite3
import termios

import pytest
import requests
from rooms import PASSWORD, close_room, open_room

from radzoo.webapp import accounts, audit_log, database, films, opening

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def fresh(place, run, tmp_path_factory):
    """A room that was never open before."""
    room = open_room(place, run, tmp_path_factory.mktemp("fresh"))
    yield room
    close_room(room)


def ask_for(session, link, **fields):
    """Fill the form of the first account in."""
    url, _, key = link.partition("?key=")
    page = session.get(link, headers=HTML, timeout=30)
    if page.status_code != 200:
        return page
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
    form = {"csrf": csrf, "key": key, "name": "first", "password": PASSWORD, "again": PASSWORD}
    form |= fields
    return session.post(url, data=form, headers=HTML, timeout=30, allow_redirects=False)


def test_the_link_that_serve_prints_makes_one_account_and_no_more(fresh):
    (link,) = re.findall(r"http://\S+/welcome\?key=\S+", "".join(fresh.said))
    with requests.Session() as browser, requests.Session() as other:
        assert other.get(link[:-1], headers=HTML, timeout=30).status_code == 404
        assert ask_for(browser, link, again="something else").status_code == 422
        made = ask_for(browser, link)
        assert (made.status_code, made.headers["Location"]) == (303, "/")
        me = browser.get(f"{fresh.url}/api/v1/studies", timeout=30)
        assert me.json() == {"studies": []}
        assert ask_for(other, link, name="second").status_code == 404
    names = opening.in_database(
        fresh.home, None, lambda session: [user.name for user in session.query(database.User)]
    )
    assert names == ["first"]


@pytest.fixture(scope="module")
def office(place_in, tmp_path_factory):
    """A place where the reading room is in the folder that `users` takes by itself."""
    made = place_in(tmp_path_factory.mktemp("office"))
    done, shown = typing(made, "users", "add", "reader-a", lines=[PASSWORD, PASSWORD])
    assert done == (0, "Account reader-a made.", "")
    assert re.fullmatch(r"[\s|]+", shown), "the password can be seen"
    return made


def typing(place, *arguments, lines):
    """Do a command at a terminal, where lines are typed as it asks; gives what it showed there."""
    ours, terminal = pty.openpty()

    def sit_down():
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    shown = b""
    with place.start(*arguments, setup=sit_down) as process:
        try:
            for line in lines:
                while not shown.endswith(b" "):  # it asks, and from here on shows nothing typed
                    assert select.select([ours], [], [], 60)[0], shown
                    shown += os.read(ours, 100)
                os.write(ours, f"{line}\n".encode())
                shown += b"|"
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()
    shown += os.read(ours, 100)
    for end in ours, terminal:
        os.close(end)
    said = out.rsplit(":", 1)[1].strip()  # behind what it asked
    return (process.returncode, said, error), shown.decode()


def within(office, work):
    """Look at the room itself."""
    return opening.in_database(office.path / "reading-room", None, work)


def test_the_password_that_is_typed_unseen_opens_the_account(office):
    user = within(office, lambda session: accounts.verify(session, "reader-a", PASSWORD))
    assert user.name == "reader-a"


def test_a_name_is_not_given_twice(office):
    other = "another long password"
    done, _ = typing(office, "users", "add", "reader-a", lines=[other, other])
    assert done[0] == 2
    assert done[2] == "error: There is an account 'reader-a' already. Choose another name.\n"
    assert within(office, lambda session: accounts.verify(session, "reader-a", PASSWORD))


def test_a_token_is_printed_alone_and_is_its_users(office):
    done = office.run("users", "token", "reader-a", "--label", "worklist")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"radzoo_[\w-]{43}\n", done.stdout)
    token = done.stdout.strip()
    assert within(office, lambda session: accounts.of_token(session, token)).name == "reader-a"


def test_a_name_that_nobody_has_is_told_with_those_that_are_near(office):
    done = office.run("users", "remove", "raeder-a")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No user is called 'raeder-a'. Did you mean 'reader-a'" in done.stderr


def test_a_folder_that_is_no_room_is_told_and_not_made(office):
    done = office.run("users", "audit", "--home", "raeding-room")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: There is no reading room in raeding-room." in done.stderr
    assert not (office.path / "raeding-room").exists()


def test_who_is_removed_leaves_nothing_but_lines_of_an_unbroken_log(office):
    store = films.Films(office.path / "reading-room")

    def with_film(session):
        user = accounts.create(session, "reader-c", PASSWORD)
        session.add(database.Study(owner_id=user.id, upload="ab", film="ab" * 32, name="c.png"))
        audit_log.write(session, user.id, audit_log.Action.UPLOADED, "c")
        return user.id

    user = within(office, with_film)
    store.folder("ab" * 32).mkdir(parents=True)
    done = office.run("users", "remove", "reader-c")
    assert (done.returncode, done.stdout) == (0, "Account reader-c deleted.\n")
    assert not store.folder("ab" * 32).exists()
    assert within(office, lambda session: session.query(database.Study).count()) == 0
    audited = office.run("users", "audit")
    lines = within(office, lambda session: session.query(database.AuditLine).all())
    told = f"The audit log is unbroken: {len(lines)} lines, the last {lines[-1].digest}\n"
    assert (audited.returncode, audited.stdout) == (0, told)
    assert office.run("users", "audit", "--told", lines[0].digest).returncode == 0
    sealed_anew = office.run("users", "audit", "--told", "ab" * 32)
    assert (sealed_anew.returncode, sealed_anew.stdout) == (1, "")
    assert f"written anew: it has no line {'ab' * 32}" in sealed_anew.stderr
    assert user in {line.who for line in lines}
    assert lines[-1].detail == {"user": user}


def test_a_log_that_was_changed_is_told_with_its_lines(office):
    with sqlite3.connect(office.path / "reading-room" / "room.sqlite") as file:
        file.execute("DROP TRIGGER audit_log_no_UPDATE")
        file.execute("UPDATE audit_log SET who = 'nobody' WHERE id = 1")
    file.close()
    done = office.run("users", "audit")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: The audit log was changed at the lines 1.\n"
