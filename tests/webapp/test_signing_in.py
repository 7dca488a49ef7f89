"""The pages at the door."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from radzoo.webapp import accounts, attempts, audit_log, csrf, known
from radzoo.webapp.audit_log import Action
from radzoo.webapp.database import Attempt, AuditLine, now
from radzoo.webapp.wording import sentences

PASSWORD = "a quiet room to read"
OTHER = "another quiet room"
KEY = "k" * 22
HTML = {"Accept": "text/html"}
EVIL = '"><script>alert(1)</script>'


def logged(room):
    """Who did what, in the audit log, which is unbroken."""
    with room.session() as session:
        assert audit_log.check(session) == []
        lines = session.scalars(select(AuditLine).order_by(AuditLine.id))
        return [(line.action, line.who) for line in lines]


def test_who_signs_in_goes_on_to_where_they_were_going(stranger, room, reader):
    assert stranger.page("/studies?sort=age").location == "/login?next=%2Fstudies%3Fsort%3Dage"
    page = stranger.page("/login?next=%2Fstudies%3Fsort%3Dage").text
    assert 'name="next" value="/studies?sort=age"' in page
    answer = stranger.fill("/login", name="reader-a", password=PASSWORD, next="/studies?sort=age")
    assert (answer.status_code, answer.location) == (303, "/studies?sort=age")
    assert stranger.client.get("/api/v1/me").json == {"name": "reader-a"}
    assert stranger.page("/login?next=/x").location == "/x"
    assert logged(room) == [("signed_in", reader.id)]


@pytest.mark.parametrize(
    "target", ["//elsewhere.example", "https://elsewhere.example", "/\\e.example"]
)
def test_nobody_is_sent_elsewhere(stranger, target):
    page = stranger.client.get("/login", query_string={"next": target}, headers=HTML).text
    assert 'name="next" value="/"' in page
    answer = stranger.fill("/login", name="reader-a", password=PASSWORD, next=target)
    assert answer.location == "/"
    assert stranger.client.get("/language/en", query_string={"next": target}).location == "/"
    assert stranger.client.get("/login", query_string={"next": target}).location == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(stranger, room):
    wrong = stranger.sign_in(password="wrong")
    unknown = stranger.sign_in(name="reader-b", password="wrong")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert hidden(wrong.text.replace("reader-a", "reader-b")) == hidden(unknown.text)
    assert 'role="alert"' in wrong.text
    assert logged(room) == [("refused_sign_in", ""), ("refused_sign_in", "")]


def hidden(page: str) -> str:
    return re.sub(r'name="csrf" value="[^"]*"', "", page)


def test_no_name_or_password_stands_in_the_log(stranger, room):
    stranger.sign_in(name="Typed Password", password="Another Secret")
    with room.session() as session:
        (line,) = session.scalars(select(AuditLine))
        assert line.detail.keys() == {"address", "name"}
        assert re.fullmatch("[0-9a-f]{16}", line.detail["name"])


def test_html_in_a_name_is_text(stranger):
    page = stranger.sign_in(name=EVIL, password="wrong").text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert EVIL not in page
    for address in ("/login", "/no/such"):
        page = stranger.client.get(address, query_string={"next": f"/{EVIL}"}, headers=HTML).text
        assert "<script>" not in page


@pytest.mark.parametrize("field", [None, "", "x"])
def test_the_form_must_be_ours(stranger, field):
    stranger.page("/login")
    form = {"name": "reader-a", "password": PASSWORD, **({"csrf": field} if field else {})}
    answer = stranger.client.post("/login", data=form, headers=HTML)
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert stranger.client.get("/api/v1/me").status_code == 401


def test_a_form_without_a_session_is_refused(serve, browse, reader):
    server = serve()
    field = browse(server).field("/login")
    form = {"csrf": field, "name": "reader-a", "password": PASSWORD}
    assert browse(server).client.post("/login", data=form).status_code == 403


def test_guessing_is_slowed_down_and_never_locks_out(stranger, room, monkeypatch):
    start, ahead = now(), dt.timedelta(0)
    monkeypatch.setattr(attempts, "now", lambda: start + ahead)
    for _ in range(5):
        assert stranger.sign_in(password="wrong").status_code == 401
    assert stranger.sign_in(password="wrong").status_code == 429
    answer = stranger.sign_in()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert "Espere 1 s" in answer.text
    ahead = dt.timedelta(seconds=1)
    assert stranger.sign_in().status_code == 303
    with room.session() as session:
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0
    assert [action for action, _ in logged(room)] == ["refused_sign_in"] * 5 + ["signed_in"]


def test_who_signed_in_here_before_does_not_wait_for_those_who_guess(
    inside, browse, room, monkeypatch
):
    start = now()
    monkeypatch.setattr(attempts, "now", lambda: start)
    server, form = inside.client.application, {"csrf": inside.field("/account/password")}
    inside.client.post("/logout", data=form)
    guessing = browse(server)
    told = [guessing.sign_in(f"reader-{number}", "wrong").status_code for number in range(21)]
    told += [guessing.sign_in(password="wrong").status_code for _ in range(3)]
    assert told == [401] * 20 + [429] * 4  # from the address of the whole hospital
    assert browse(server).sign_in().status_code == 429
    assert inside.sign_in(name="reader-b").status_code == 429  # known for another name
    assert inside.sign_in().status_code == 303


def test_at_one_workstation_several_are_known(inside, browse, room, monkeypatch):
    start = now()
    monkeypatch.setattr(attempts, "now", lambda: start)
    with room.session() as session:
        accounts.create(session, "reader-b", PASSWORD)
    for name in ("reader-b", "reader-a", "reader-b"):
        inside.client.post("/logout", data={"csrf": inside.field("/account/password")})
        assert inside.sign_in(name).status_code == 303
    guessing = browse(inside.client.application)
    for name in ("reader-a", "reader-b"):
        while guessing.sign_in(name, "wrong").status_code != 429:
            pass
    for name in ("reader-a", "reader-b"):
        inside.client.post("/logout", data={"csrf": inside.field("/account/password")})
        assert inside.sign_in(name).status_code == 303


def test_in_a_known_browser_guessing_is_slowed_down_too(inside, browse, monkeypatch):
    start = now()
    monkeypatch.setattr(attempts, "now", lambda: start)
    stolen = browse(inside.client.application)
    stolen.client.set_cookie(known.COOKIE, inside.client.get_cookie(known.COOKIE).value)
    told = [stolen.sign_in(password="wrong").status_code for _ in range(7)]
    assert told == [401] * 5 + [429] * 2
    assert inside.client.get_cookie(known.COOKIE).http_only
    assert PASSWORD not in str(inside.client.get_cookie(known.COOKIE).value)


@pytest.mark.parametrize("planted", ["", "x", "WyJhIl0.x.y", "[]"])
def test_a_known_browser_cannot_be_made_up(stranger, monkeypatch, planted):
    start = now()
    monkeypatch.setattr(attempts, "now", lambda: start)
    for number in range(21):
        stranger.client.set_cookie(known.COOKIE, planted)
        last = stranger.sign_in(f"reader-{number}", "wrong").status_code
    assert last == 429


def test_signing_out_ends_the_visit(inside, room, reader):
    form = {"csrf": inside.field("/account/password")}
    answer = inside.client.post("/logout", data=form)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert inside.client.get("/api/v1/me").status_code == 401
    assert logged(room)[-1] == ("signed_out", reader.id)


def test_one_cannot_be_signed_out_by_a_link(inside):
    inside.client.get("/logout")
    assert inside.client.get("/api/v1/me").status_code == 200


@pytest.fixture
def empty(serve, browse):
    """A browser on a room without accounts."""
    return browse(serve())


def test_the_first_account_is_made_with_the_key_and_signed_in(empty, room):
    page = f"/welcome?key={KEY}"
    assert "enlace que mostró el servidor" in empty.page("/login").text
    answer = empty.fill(page, key=KEY, name="reader-a", password=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    assert empty.client.get("/api/v1/me").json == {"name": "reader-a"}
    assert [action for action, _ in logged(room)] == ["account_made"]
    assert empty.page(page).status_code == 404
    form = {"csrf": empty.field("/account/password"), "key": KEY, "name": "reader-b"}
    answer = empty.client.post("/welcome", data={**form, "password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 404


def test_of_first_accounts_made_at_once_one_is_made(serve, browse, room):
    server = serve()
    browsers = [browse(server) for _ in range(4)]
    forms = [
        {"csrf": one.field("/login"), "key": KEY, "name": f"reader-{number}"}
        for number, one in enumerate(browsers)
    ]

    def make(one, form):
        filled = {**form, "password": PASSWORD, "again": PASSWORD}
        return one.client.post("/welcome", data=filled).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(make, browsers, forms)) == [303, 404, 404, 404]
    with room.session() as session:
        assert accounts.count(session) == 1


@pytest.mark.parametrize("key", ["", "x", KEY[:-1], KEY + "k", "\xf1"])
def test_without_the_key_there_is_no_first_account(empty, room, key):
    assert empty.client.get("/welcome", query_string={"key": key}).status_code == 404
    fields = {"key": key, "name": "reader-a", "password": PASSWORD, "again": PASSWORD}
    assert (
        empty.client.post("/welcome", data={"csrf": empty.field("/login"), **fields}).status_code
        == 404
    )
    with room.session() as session:
        assert accounts.count(session) == 0


@pytest.mark.parametrize("key", ["", "None"])
def test_a_room_without_a_key_makes_no_first_account(serve, browse, key):
    browser = browse(serve(first_key=None))
    assert browser.client.get("/welcome", query_string={"key": key}).status_code == 404


@pytest.mark.parametrize(
    ("name", "password", "again", "key"),
    [
        ("reader-a", "short", "short", "password_length"),
        ("reader-a", PASSWORD, "other", "not_twice_the_same"),
        ("\n", PASSWORD, PASSWORD, "name_unusable"),
        (PASSWORD, PASSWORD, PASSWORD, "password_is_name"),
    ],
)
def test_what_is_wrong_with_a_first_account_is_told(empty, name, password, again, key):
    answer = empty.fill(f"/welcome?key={KEY}", key=KEY, name=name, password=password, again=again)
    assert answer.status_code == 422
    assert sentences()[f"accounts.{key}"]["es"] in answer.text


def change(browser, current, password, again):
    return browser.fill("/account/password", current=current, password=password, again=again)


def test_a_new_password_ends_other_visits_and_keeps_this_one(inside, browse, room, reader):
    other = browse(inside.client.application)
    other.sign_in()
    assert change(inside, PASSWORD, OTHER, OTHER).status_code == 200
    assert inside.client.get("/api/v1/me").status_code == 200
    assert other.client.get("/api/v1/me").status_code == 401
    assert other.sign_in().status_code == 401
    assert other.sign_in(password=OTHER).status_code == 303
    assert ("setting_changed", reader.id) in logged(room)


@pytest.mark.parametrize(
    ("current", "password", "again", "status"),
    [
        ("wrong", OTHER, OTHER, 401),
        (PASSWORD, "short", "short", 422),
        (PASSWORD, OTHER, PASSWORD, 422),
        (PASSWORD, "reader-a", "reader-a", 422),
    ],
)
def test_a_password_is_changed_by_who_knows_it_and_to_a_good_one(
    inside, room, current, password, again, status
):
    answer = change(inside, current, password, again)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    with room.session() as session:
        assert accounts.verify(session, "reader-a", PASSWORD)


def test_guessing_the_current_password_is_slowed_down_too(inside, monkeypatch):
    start = now()
    monkeypatch.setattr(attempts, "now", lambda: start)  # the first wait is a second
    tried = [change(inside, "wrong", OTHER, OTHER).status_code for _ in range(6)]
    assert tried == [401] * 5 + [429]


def test_a_person_of_single_sign_on_has_no_password_to_change(inside, room, reader):
    with room.session() as session:
        accounts.named(session, "reader-a").password = None
    page = inside.page("/account/password").text
    assert "cuenta del centro" in page
    assert "<form" not in page


def test_every_error_is_a_page_for_a_person_and_json_for_a_program(inside):
    assert "Aquí no hay nada" in inside.page("/language/xx").text
    assert inside.client.get("/language/xx").json["error"]["message"] == "Aquí no hay nada."
    inside.client.set_cookie("language", "en")
    assert "There is nothing here." in inside.page("/language/xx").text


def test_a_mistake_of_ours_shows_no_traceback(serve, browse, reader):
    server = serve()
    server.add_url_rule("/oidc/broken", "broken", lambda: 1 / 0)
    answer = browse(server).page("/oidc/broken")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "quedado anotado" in answer.text


def test_pages_hold_no_inline_script_or_style_and_label_every_field(inside, empty):
    pages = [inside.page("/account/password"), empty.page("/login"), inside.page("/language/xx")]
    for page in (answer.text for answer in pages):
        assert not re.search(r"<script|<style|style=|onclick|javascript:", page)
        fields = re.findall(r'<input id="([^"]+)"', page)
        assert set(fields) == set(re.findall(r'<label for="([^"]+)"', page))


def test_both_languages_say_everything():
    ours = {key: texts for key, texts in sentences().items() if key.startswith("accounts.")}
    assert len(ours) > 30
    assert all(texts.keys() == {"es", "en"} and all(texts.values()) for texts in ours.values())


def test_every_action_has_a_name_of_its_own():
    assert len(Action) == len({str(action) for action in Action}) == 17
    assert csrf.COOKIE == "_csrf_token"
