"""More films at once than a room takes: who sends them is told to wait, and the page does."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from browsers import visit
from rooms import eventually, film, process, states, stopped

from radzoo.webapp import wording
from radzoo.webapp.settings import Settings

AT_ONCE = Settings.files_at_once
ASKS = """() => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }))"""


def test_one_user_cannot_have_more_than_some_files_read_at_once(room):
    reader, other = room.enter("reader-greedy"), room.enter("reader-modest")
    films = {f"{number}.png": film(300 + number, 60, 60) for number in range(AT_ONCE)}
    with ThreadPoolExecutor(AT_ONCE + 1) as threads:
        with stopped(process(room, "backends/worker")):
            sent = [threads.submit(reader.load, *one) for one in films.items()]
            eventually(lambda: states(reader), dict.fromkeys(films, "waiting"))
            refused = {
                language: reader.ask(
                    "POST",
                    "/api/v1/studies",
                    files={"file": ("more.png", film(399))},
                    headers={"Accept-Language": language},
                )
                for language in wording.LANGUAGES
            }
            assert announced(room, 60_000_000, room.token("reader-greedy")) == 429
            assert other.get("/api/v1/studies") == {"studies": []}  # pages find a thread
            sent.append(threads.submit(other.load, "other.png", film(398, 60, 60)))
        assert [one.result()["state"] for one in sent] == ["done"] * (AT_ONCE + 1)
    for language, answer in refused.items():
        values = {"limit": AT_ONCE, "seconds": 1}
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert answer.json()["error"] == {
            "code": "too_many_at_once",
            "message": wording.say(language, "refused.too_many_at_once", **values),
            "values": values,
        }
    assert states(reader) == dict.fromkeys(films, "done")
    assert reader.load("more.png", film(399))["state"] == "done"


def announced(room, size, token="none"):
    """The status of the answer to a file that is announced and not sent."""
    lines = (
        "POST /api/v1/studies HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {size}",
    )
    with socket.create_connection(("127.0.0.1", room.port), timeout=30) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return int(connection.recv(8192).split()[1])


def test_what_is_not_taken_is_not_read_either(room):
    assert announced(room, 60_000_000) == 401
    assert announced(room, 70_000_000, room.token("reader-announces")) == 413


def test_a_file_that_is_sent_again_before_it_is_read_gets_its_answer_too(room):
    reader, again = room.enter("reader-again"), ("again.png", film(320, 60, 60))
    with ThreadPoolExecutor(2) as threads:
        with stopped(process(room, "backends/worker")):
            sent = [threads.submit(reader.load, *again)]
            eventually(lambda: states(reader), {"again.png": "waiting"})
            sent.append(threads.submit(reader.load, *again))
            with pytest.raises(TimeoutError):
                sent[1].result(timeout=1)
        rows = [one.result() for one in sent]
    assert [row["state"] for row in rows] == ["done", "done"]
    assert rows[0]["id"] == rows[1]["id"]


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_the_page_waits_as_long_as_it_is_told_and_goes_on(browser, room, tmp_path, language):
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(film(310 + number, 60, 60))
    asked = []

    def answer(route):
        if route.request.method == "POST":
            asked.append(route)
        if asked == [route]:
            route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": {}})
        elif asked[1:] == [route]:
            route.abort("connectionreset")  # as a large file that is refused may look
        else:
            route.continue_()

    with visit(browser, room, f"waits-{language}", language) as page:
        page.route("**/api/v1/studies?*", answer)
        page.set_input_files("#files", [str(path) for path in paths])
        said = wording.say(language, "script.upload_waits", done=0, all=4, seconds="S")
        before, after = said.split("S")
        page.until(
            "([before, after]) => { const told = document.getElementById('upload-state');"
            " return told.textContent.startsWith(before) && told.textContent.endsWith(after); }",
            [before, after],
        )
        assert page.evaluate(ASKS)  # who leaves now would lose what waits
        done = wording.say(language, "script.upload_done", done=4, all=4)
        page.until("done => document.getElementById('upload-state').textContent === done", done)
        assert page.locator("#uploads li.failed").count() == 0
        page.until("radzoo.state.rows.filter((row) => row.state === 'done').length === 4")
        assert not page.evaluate(ASKS)
        page.forgive("429", "ERR_CONNECTION_RESET")
