"""Nobody is let in: every route of the room as a stranger, as the owner, and as somebody else."""

import json
import os
import random
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from disturbances import descendants
from rooms import PASSWORD, Room, close_room, eventually, film, open_room, process
from walking import (
    HEADERS,
    METHODS,
    MUTATIONS,
    NAME,
    NOTE,
    OF_A_STUDY,
    OF_THE_SIGNED_IN,
    OPEN,
    STUDY,
    Answer,
    Person,
    Scene,
    by_session,
    by_token,
)

from radzoo.webapp import app, audit_log, opening, secret
from radzoo.webapp.settings import Settings

NOBODYS = "0" * 32  # the id of no study


@pytest.fixture(scope="module")
def room(place, run, tmp_path_factory) -> Iterator[Room]:
    """A room of its own, for its last test closes it."""
    made = open_room(place, run, tmp_path_factory.mktemp("isolated"))
    yield made
    if made.process.poll() is None:
        close_room(made)


@pytest.fixture(scope="module")
def slow(room) -> Iterator[list[socket.socket]]:
    """Connections on which a request has begun and does not go on."""
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900"
    begun = ("GET /login HT", f"POST /login HTTP/1.1\r\nHost: x\r\n{form}\r\n\r\nname=")
    made = [socket.create_connection(("127.0.0.1", room.port), timeout=30) for _ in begun]
    for connection, sent in zip(made, begun, strict=True):
        connection.sendall(sent.encode())
    yield made
    for connection in made:
        connection.close()


@pytest.fixture(scope="module")
def scene(room, slow) -> Scene:
    settings = Settings(room.home, (room.run,), opening.url_of(room.home), Path("none"))
    server = app.create(settings)
    routes = {
        (method, rule.rule)
        for rule in server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    one, two = room.enter("reader-a"), room.enter("reader-b")
    row = one.load(NAME, film(1, bright=True))
    one.give(row["id"], "finding", NOTE)
    elsewhere = two.load("of another.png", film(2))["id"]
    return Scene(
        room,
        routes,
        Person(room, {"Accept-Language": "en"}),
        (by_session(room, "reader-a"), by_token(room, "reader-a")),
        (by_session(room, "reader-b"), by_token(room, "reader-b")),
        row["id"],
        elsewhere,
        (row["id"], NAME, NOTE, "Lastname"),
    )


def owned(*methods):
    """Routes of a study, with what is sent to them, by some methods."""
    return [(*route, given) for route, given in OF_A_STUDY.items() if route[0] in methods]


def closed():
    """Routes that are not open to all, with what is sent to them."""
    return [(*route, given) for route, given in (OF_A_STUDY | OF_THE_SIGNED_IN).items()]


def tells(answer: Answer, marks) -> list[str]:
    """Which marks of a study an answer holds."""
    whole = answer.body + repr(answer.headers).encode()
    return [mark for mark in marks if mark.encode() in whole]


def unchanged(scene) -> bool:
    """Whether the owner's study is there with its reading."""
    told = json.loads(scene.owners[1].ask("GET", scene.path(STUDY)).body)
    return (told["name"], told["reading"]["note"]) == (NAME, NOTE)


def test_every_route_stands_above(scene):
    assert scene.routes == OF_A_STUDY.keys() | OF_THE_SIGNED_IN.keys() | OPEN


def test_a_stranger_is_told_the_same_whatever_is_asked_for(scene):
    refusal = scene.stranger.ask("GET", "/api/v1/there-is-no-such-route")
    assert refusal.status == 401
    assert json.loads(refusal.body)["error"]["code"] == "error_401"
    for _, rule, given in closed():
        for method in METHODS:
            answer = scene.stranger.ask(method, scene.path(rule), given)
            told = b"" if method == "HEAD" else refusal.body
            assert (answer.status, answer.body) == (401, told), (method, rule)
            assert answer.headers == refusal.headers


def test_no_other_spelling_or_header_opens_a_route_to_a_stranger(scene):
    for method, rule, given in closed():
        path = scene.path(rule)
        asked = [(change(path), {}) for change in MUTATIONS.values()]
        asked += [(path, headers) for headers in HEADERS.values()]
        for spelt, headers in asked:
            answer = scene.stranger.ask(method, spelt, given, **headers)
            assert answer.status in (302, 308, 401, 403, 404, 405), (method, spelt, headers)
            assert not tells(answer, scene.marks[1:])
            if answer.status == 302:
                assert answer.headers["Location"].startswith("/login?next=")


def test_what_is_open_tells_nothing_of_anybody(scene):
    for _, rule in OPEN:
        for method in METHODS:
            answer = scene.stranger.ask(method, scene.path(rule), Accept="text/html")
            assert answer.status < 500, (method, rule)
            assert not tells(answer, (*scene.marks, "reader-a", "reader-b")), (method, rule)


@pytest.mark.parametrize("who", [0, 1], ids=["session", "token"])
def test_another_s_study_is_as_one_that_there_is_not(scene, who):
    other = scene.others[who]
    known = scene.owners[who].ask("GET", scene.path(f"{STUDY}/thumbnail")).headers
    validators = {"If-None-Match": known["ETag"], "If-Modified-Since": known["Last-Modified"]}
    for rule in dict.fromkeys(rule for _, rule in OF_A_STUDY):
        for method in METHODS:
            given = OF_A_STUDY.get((method, rule))
            for headers in ({}, validators, *(HEADERS.values() if method == "GET" else ())):
                mine, none = (
                    other.ask(method, scene.path(rule, study), given, **headers)
                    for study in (scene.study, NOBODYS)
                )
                assert mine == none, (method, rule, headers)
                asked = (method, rule) in OF_A_STUDY or method == "HEAD"
                assert mine.status == 404 or not asked, (method, rule, headers)
    for change in MUTATIONS.values():
        answer = other.ask("GET", change(scene.path(STUDY)))
        assert answer.status in (200, 308, 401, 404)
        assert answer.status != 200 or b"radzoo" in answer.body[:900]  # the empty page
        assert not tells(answer, scene.marks[1:])
    assert unchanged(scene)


@pytest.mark.parametrize("who", [0, 1], ids=["session", "token"])
def test_nothing_that_another_may_see_holds_anything_of_a_study(scene, who):
    for method, rule in OF_THE_SIGNED_IN:
        if method == "GET":
            answer = scene.others[who].ask(method, scene.path(rule))
            assert not tells(answer, scene.marks), rule
    listed = json.loads(scene.others[who].ask("GET", "/api/v1/studies").body)["studies"]
    assert [row["id"] for row in listed] == [scene.elsewhere]
    detail = scene.others[who].ask("GET", scene.path(STUDY, scene.elsewhere))
    assert detail.status == 200
    assert not tells(detail, scene.marks)  # nor among the films that are like it


def test_every_callback_is_closed_to_strangers_and_tells_others_nothing(scene):
    listed = json.loads(scene.owners[0].ask("GET", "/_dash-dependencies").body)
    assert len(listed) > 10
    for one in listed:
        body = {"output": one["output"], "inputs": one["inputs"], "state": one["state"]}
        path = "/_dash-update-component"
        assert scene.stranger.ask("POST", path, body).status == 401
        assert scene.others[1].ask("POST", path, body).status == 401  # a token is for the API
        answer = scene.others[0].ask("POST", path, body)
        assert answer.status in (200, 204, 400)  # those of the browser are none of the server's
        assert not tells(answer, scene.marks)


def test_the_owner_gets_it_and_no_cache_keeps_it(scene):
    for owner in scene.owners:
        for method, rule, given in owned("GET", "POST"):
            answer = owner.ask(method, scene.path(rule), given)
            assert answer.status in (200, 201), (rule, answer.body)
            assert answer.headers["Cache-Control"] == "no-store", rule
            if "attachment" in answer.headers.get("Content-Disposition", ""):
                name = answer.headers["Content-Disposition"].partition("filename=")[2]
                assert re.fullmatch(r"radzoo-[0-9a-f]{8}[-.\w]*", name), name


def test_every_answer_has_the_headers_that_keep_a_page_in(scene):
    asked = [(route, scene.owners[0]) for route in scene.routes if route[0] == "GET"]
    asked += [(route, scene.stranger) for route in scene.routes]
    for (method, rule), who in asked:
        headers = who.ask(method, scene.path(rule), Accept="text/html").headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert "unsafe" not in policy["script-src"] + policy["default-src"], rule
        assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Server" not in headers or "/" not in headers["Server"]  # no version


def test_whatever_changes_anything_must_come_from_our_page(scene):
    owner, told = scene.owners[0], []
    without = {name: value for name, value in owner.carries.items() if name != "X-CSRFToken"}
    for method, rule in scene.routes:
        if method != "GET":
            given = (OF_A_STUDY | OF_THE_SIGNED_IN).get((method, rule), {})
            path = scene.path(rule)
            told += [
                Person(scene.room, without).ask(method, path, given),
                owner.ask(method, path, given, X_CSRFToken="made up"),
                owner.ask(method, path, given, Origin="https://elsewhere.example"),
                owner.ask(method, path, given, Sec_Fetch_Site="cross-site"),
            ]
    assert [answer.status for answer in told] == [403] * len(told)
    assert len(told) > 30
    assert unchanged(scene)


def test_two_hundred_interleavings_of_two_users_mix_nothing_up(scene):
    paths = [rule for method, rule, _ in owned("GET") if "." not in rule]
    asked = [(0, scene.path(rule)) for rule in paths]
    asked += [(1, scene.path(rule, scene.elsewhere)) for rule in paths]
    asked += [(who, path) for who in (0, 1) for path in ("/api/v1/studies", "/api/v1/worklist.csv")]

    def ask(whose: tuple[int, str]) -> Answer:
        return (scene.owners, scene.others)[whose[0]][0].ask("GET", whose[1])

    alone = {one: ask(one) for one in asked}
    assert {answer.status for answer in alone.values()} == {200}
    draw = random.Random(0)
    drawn = [one for _ in range(200) for one in draw.sample(asked, 4)]
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(ask, drawn))
    assert [one for one, answer in zip(drawn, told, strict=True) if answer != alone[one]] == []


def test_who_sends_slowly_is_let_go(slow):
    told = [connection.recv(8192) for connection in slow]  # begun before all other tests
    assert told[0] == b""
    assert told[1][:15] in (b"", b"HTTP/1.1 400 BA")


def descendants_say(room: Room, what: str) -> bytes:
    """What stands in `/proc` of all processes of a room."""
    pids = [room.process.pid, *descendants(room.process.pid)]
    return b"".join(Path(f"/proc/{pid}/{what}").read_bytes() for pid in pids)


def test_a_room_that_has_seen_everything_has_told_no_secret(scene, room):
    owner = scene.owners[0]
    broken = room.enter("reader-b").load("Lastname^Broken.png", film(9)[:300])
    assert broken["state"] == "refused"
    form = {"name": "reader-a", "password": "mistyped password", "next": "/"}
    for path in ("/_dash-update-component", "/api/v1/settings", "/login"):
        owner.ask("POST", path, form)
        scene.stranger.ask("POST", path, form)
    scene.others[1].ask("GET", "/api/v1/studies", Authorization="Bearer radzoo_mistyped")
    os.kill(process(room, "webapp.analyst"), signal.SIGKILL)
    eventually(lambda: room.enter("reader-a").load("after.png", film(11))["state"], "done")
    assert owner.ask("DELETE", scene.path(STUDY)).status == 204

    secrets = [
        *(PASSWORD, "mistyped password", "radzoo_mistyped", "Lastname", NOTE),
        *("reader-a", "reader-b", secret.of(room.home)),
        *(text for who in (*scene.owners, *scene.others) for text in who.secrets()),
    ]
    assert min(map(len, secrets)) > 5
    (key,) = re.findall(r"welcome\?key=(\S+)", "".join(room.said)) or [None]
    arguments = descendants_say(room, "cmdline").decode()
    room.process.send_signal(signal.SIGINT)
    out, err = room.process.communicate(timeout=60)
    said = "".join(room.said) + out
    assert "begun again" in out  # the analyst; so what a room tells is seen here
    for one in secrets:
        assert one not in said + err + arguments, one
    assert key is None or key not in err + arguments
    digest = opening.in_database(room.home, None, audit_log.state)[1]
    assert f"the last {digest}\n" in out
    assert audit_log.FIRST in "".join(room.said)
    assert "Traceback" not in err
