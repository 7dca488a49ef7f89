"""A room whose processes are killed, and to which many films come at once."""

import datetime as dt
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from disturbances import descendants, ends
from rooms import eventually, film, open_again, process, states, stopped

from radzoo.webapp import accounts, audit_log, database, opening

FILMS = {f"{number}.png": film(100 + number, 90, 80, bright=number == 1) for number in range(3)}


def send(room, token, name, content):
    """Upload by the REST API, when it is not too much at once."""
    while True:
        answer = requests.post(
            f"{room.url}/api/v1/studies",
            headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
            files={"file": (name, content)},
            timeout=150,
        )
        if answer.status_code != 429:
            return answer
        time.sleep(int(answer.headers["Retry-After"]))


@pytest.mark.parametrize("killed", ["backends/worker", "webapp.analyst"])
def test_films_outlive_the_process_that_is_killed_over_them(room, killed):
    name = f"reader-{killed[-7:]}"
    reader, token = room.enter(name), room.token(name)
    model, victim = process(room, "backends/worker"), process(room, killed)
    paths, asked = ("/", "/api/v1/studies", "/_dash-layout"), set()
    with ThreadPoolExecutor(len(FILMS)) as threads:
        with stopped(model):
            sent = [threads.submit(send, room, token, *one) for one in FILMS.items()]
            eventually(lambda: states(reader), dict.fromkeys(FILMS, "waiting"))
            os.kill(victim, signal.SIGKILL)
        while not all(one.done() for one in sent):
            asked |= {(path, reader.ask("GET", path).status_code) for path in paths}
            time.sleep(0.2)
    assert asked == {(path, 200) for path in paths}
    rows = [one.result().json() for one in sent]
    assert [(row["name"], row["state"]) for row in rows] == [(name, "done") for name in FILMS]
    assert ends(model), "the model's process is still there"
    assert process(room, killed) != victim
    calm = room.enter("reader-calm")
    for row in rows:
        undisturbed = calm.load(row["name"], FILMS[row["name"]])
        assert row["probability"] == pytest.approx(undisturbed["probability"], abs=1e-6)


def test_a_room_that_is_killed_over_films_forgets_nothing(place, room):
    reader, token = room.enter("reader-crash"), room.token("reader-crash")
    study = reader.load("read.png", film(110))["id"]
    reader.give(study, "finding", "before the crash")
    analyst, model = process(room, "webapp.analyst"), process(room, "backends/worker")
    accepted = {"read.png": "done", **dict.fromkeys(FILMS, "waiting")}
    with ThreadPoolExecutor(len(FILMS)) as threads:
        with stopped(model):
            for one in FILMS.items():
                threads.submit(send, room, token, *one)  # what becomes of the request is no matter
            eventually(lambda: states(reader), accepted)
            left = descendants(room.process.pid)
            kill(room, analyst)
        lost = opening.in_database(room.home, None, with_lost_file)
        open_again(place, room)
        done = dict.fromkeys(accepted, "done")
        eventually(lambda: states(reader), {**done, "lost.png": "refused"})
    assert all(ends(one) for one in left), "of the room that was killed something is left"
    assert reader.get(f"/api/v1/studies/{study}")["reading"]["note"] == "before the crash"
    assert "upload it again" in reader.get(f"/api/v1/studies/{lost}")["refusal"]
    assert not list((room.home / "incoming").iterdir())
    assert opening.in_database(room.home, None, audit_log.check) == []


def kill(room, analyst):
    """Kill `serve`, and the analyst, which would finish what it is at."""
    for one in room.process.pid, analyst:
        os.kill(one, signal.SIGKILL)
    room.process.wait()
    room.process.stdout.close()
    room.process.stderr.close()


def with_lost_file(session):
    """A study whose file is gone waits before all others."""
    owner = accounts.named(session, "reader-crash").id
    yesterday = database.moment() - dt.timedelta(days=1)
    nowhere = {"upload": "0" * 64, "film": "0" * 64}
    study = database.Study(owner_id=owner, name="lost.png", created=yesterday, **nowhere)
    session.add(study)
    session.flush()
    return study.id


def test_one_file_from_two_clients_of_a_user_is_one_study_in_both(room):
    one, two = room.enter("reader-two"), room.enter("reader-two")
    contents = [film(120 + number, 60, 60) for number in range(4)]
    with ThreadPoolExecutor(8) as threads:
        sent = [
            [threads.submit(who.load, f"{number}.png", content) for who in (one, two)]
            for number, content in enumerate(contents)
        ]
        ids = [{row.result()["id"] for row in pair} for pair in sent]
    assert [len(pair) for pair in ids] == [1] * 4
    rows = one.get("/api/v1/studies")["studies"]
    assert {row["id"] for row in rows} == set.union(*ids)
    assert two.get("/api/v1/studies")["studies"] == rows
    first = f"/api/v1/studies/{rows[0]['id']}"
    one.give(rows[0]["id"], "uncertain")
    assert two.get(first)["reading"]["verdict"] == "uncertain"
    two.ask("DELETE", first)
    assert one.get("/api/v1/studies")["studies"] == two.get("/api/v1/studies")["studies"]
    assert one.ask("GET", first).status_code == 404


GOOD = {f"{number}.png": film(200 + number, 40 + number, 50) for number in range(75)}
KINDS = (
    (b"%PDF-1.7 " + b"x" * 400, "PDF"),
    (b"MZ" + bytes(600), "not an image"),
    (film(1)[:600], "cut short"),
    (film(2, 20, 20), "20"),
)
BAD = {
    f"bad {number}.png": (content + bytes([number]), says)
    for number, (content, says) in enumerate(KINDS * 6, 1)
} | {"bad 0.png": (b"", "empty")}


def test_two_hundred_files_of_two_users_each_get_their_own_answer(room):
    users = {name: room.enter(name) for name in ("reader-many", "reader-more")}
    tokens = {name: room.token(name) for name in users}
    given = GOOD | {name: content for name, (content, _) in BAD.items()}
    with ThreadPoolExecutor(16) as threads:
        sent = {
            (user, name): threads.submit(send, room, token, name, content)
            for name, content in given.items()
            for user, token in tokens.items()
        }
        answers = {which: one.result() for which, one in sent.items()}
    assert len(answers) == 200
    assert {answer.status_code for answer in answers.values()} == {201}
    rows = {which: answer.json() for which, answer in answers.items()}
    for (_, name), row in rows.items():
        assert row["name"] == name
        if name in GOOD:
            assert (row["state"], row["rows"]) == ("done", 40 + int(name[:-4]))
        else:
            assert row["state"] == "refused"
            assert BAD[name][1] in row["refusal"]
    for user, reader in users.items():
        listed = reader.get("/api/v1/studies")["studies"]
        own = {row["id"]: row for (who, _), row in rows.items() if who == user}
        assert {row["id"]: row for row in listed} == own
    for name in GOOD:
        one, two = (rows[user, name] for user in users)
        assert one["id"] != two["id"]
        assert one["probability"] == pytest.approx(two["probability"], abs=1e-6)
