"""Strangers stay outside, and nobody is made to do what they did not ask for."""

import datetime as dt

import pytest
from flask import request

from radzoo.webapp import accounts, csrf, visits
from radzoo.webapp.database import now
from radzoo.webapp.guard import Rules, local_path

CALLBACK = {
    "outputs": {"id": "out", "property": "children"},
    "inputs": [{"id": "in", "property": "value", "value": "hello"}],
    "changedPropIds": ["in.value"],
}
HTML = {"Accept": "text/html"}
PASSWORD = "a quiet room to read"


@pytest.fixture
def clock(monkeypatch):
    """Moves the time on."""
    ahead, start = dt.timedelta(0), now()
    monkeypatch.setattr(visits, "now", lambda: start + ahead)

    def move(**by):
        nonlocal ahead
        ahead += dt.timedelta(**by)

    return move


@pytest.fixture
def token(room, reader):
    """A token of `reader-a`."""
    with room.session() as transaction:
        return accounts.new_token(transaction, reader, "worklist")


CLOSED = [
    "/",
    "/_dash-layout",
    "/_dash-dependencies",
    "/_reload-hash",
    "/_dash-update-component",
    "/api/v1/me",
    "/account/password",
    "/assets",
    "/loginx",
    "/no/such/page",
    "//_dash-layout",
    "/assets/../_dash-layout",
    "/_DASH-LAYOUT",
]


@pytest.mark.parametrize("address", CLOSED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"])
def test_a_stranger_gets_nothing(stranger, address, method):
    answer = stranger.client.open(address, method=method)
    if address.startswith("//") and answer.status_code == 308:
        assert answer.location.endswith("/_dash-layout")  # which is closed, as tried above
    elif address == "/assets/../_dash-layout" and method in ("GET", "HEAD", "OPTIONS"):
        assert answer.data == b"" or answer.status_code == 404  # no such picture
    else:
        assert answer.status_code == 401
        assert method == "HEAD" or answer.json["error"]["code"] == "error_401"


@pytest.mark.parametrize("address", ["/", "/studies?sort=age&of=me", "/_dash-x", "/api/v1/me"])
def test_a_person_is_sent_to_sign_in_and_a_program_is_told(stranger, address):
    answer = stranger.page(address)
    if address.startswith(("/_dash", "/api")):
        assert (answer.status_code, answer.is_json) == (401, True)
    else:
        assert answer.status_code == 302
        assert answer.location.startswith("/login?next=%2F")


def test_the_door_itself_is_open(stranger):
    for address in ("/login", "/healthz", "/api/v1/openapi.json", "/_favicon.ico"):
        assert stranger.page(address).status_code == 200
    renderer = "/_dash-component-suites/dash/dash-renderer/build/dash_renderer.min.js"
    assert stranger.client.get(renderer).status_code == 200


def test_who_is_signed_in_gets_pages_and_callbacks(inside):
    assert inside.page("/").status_code == 200
    assert inside.client.get("/_dash-layout").status_code == 200
    answer = inside.ask("out.children", **CALLBACK)
    assert answer.json["response"] == {"out": {"children": "reader-a: hello"}}


def test_a_token_opens_the_api_and_needs_no_csrf_token(stranger, token):
    shown = {"Authorization": f"Bearer {token}"}
    assert stranger.client.get("/api/v1/me", headers=shown).json == {"name": "reader-a"}
    assert stranger.client.post("/api/v1/me", headers=shown).json == {"name": "reader-a"}


@pytest.mark.parametrize("address", ["/", "/_dash-layout", "/account/password", "/api/v2/me"])
def test_a_token_opens_nothing_else(stranger, token, address):
    shown = {"Authorization": f"Bearer {token}"}
    assert stranger.client.get(address, headers=shown).status_code == 401


@pytest.mark.parametrize(
    "shown", ["Bearer ", "Bearer x", "Bearer \xf1", "Basic eDp5", "bearer", ""]
)
def test_what_is_no_token_opens_nothing(stranger, shown):
    answer = stranger.client.get("/api/v1/me", headers={"Authorization": shown})
    assert answer.status_code == 401


def test_a_session_with_a_wrong_token_is_a_stranger(inside):
    answer = inside.client.post("/api/v1/me", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401


@pytest.mark.parametrize("address", ["/_dash-update-component", "/api/v1/me", "/logout"])
@pytest.mark.parametrize("given", [None, "", "x", "\xf1"])
def test_what_changes_anything_needs_the_csrf_token(inside, address, given):
    headers = {} if given is None else {csrf.HEADER: given}
    answer = inside.client.post(address, json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "foreign_request"
    assert inside.client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "http://elsewhere.example", 403),
        ("Origin", "null", 403),
        ("Origin", "https://localhost", 403),
        ("Origin", "http://localhost:81", 403),
        ("Origin", "http://localhost", 200),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Sec-Fetch-Site", "none", 200),
    ],
)
def test_requests_from_pages_elsewhere_are_refused(inside, header, value, status):
    known = inside.client.get_cookie(csrf.COOKIE).value
    headers = {csrf.HEADER: known, header: value}
    assert inside.client.post("/api/v1/me", headers=headers).status_code == status


def test_a_token_planted_as_a_cookie_is_worth_nothing(inside):
    inside.client.set_cookie(csrf.COOKIE, "planted")
    headers = {csrf.HEADER: "planted"}
    assert inside.client.post("/api/v1/me", headers=headers).status_code == 403


def test_signing_in_leaves_nothing_of_the_session_before(stranger):
    with stranger.client.session_transaction() as kept:
        kept["planted"] = "by another"
    before = stranger.field("/login")
    old = stranger.client.get_cookie("radzoo").value
    stranger.sign_in()
    with stranger.client.session_transaction() as kept:
        assert "planted" not in kept
        assert kept["csrf"] != before
        first = kept["_user_id"]
    again = {"csrf": stranger.field("/account/password"), "name": "reader-a", "password": PASSWORD}
    assert stranger.client.post("/login", data=again).status_code == 303
    with stranger.client.session_transaction() as kept:
        assert kept["_user_id"] != first
    stranger.client.set_cookie("radzoo", old)
    assert stranger.client.get("/api/v1/me").status_code == 401


def test_after_an_idle_hour_one_is_a_stranger(inside, clock):
    for _ in range(3):
        clock(minutes=59)
        assert inside.client.get("/api/v1/me").status_code == 200
    clock(minutes=61)
    assert inside.client.get("/api/v1/me").status_code == 401


def test_after_twelve_hours_one_is_a_stranger_however_busy(inside, clock):
    for _ in range(24):
        clock(minutes=30)
        assert inside.client.get("/api/v1/me").status_code == 200
    clock(minutes=1)
    assert inside.client.get("/api/v1/me").status_code == 401


def test_a_new_password_ends_all_visits(inside, room, reader):
    with room.session() as transaction:
        accounts.change_password(transaction, reader, "another quiet room")
    assert inside.client.get("/api/v1/me").status_code == 401


def test_a_session_of_a_removed_account_is_over(inside, room, reader):
    with room.session() as transaction:
        accounts.remove(transaction, reader)
    assert inside.client.get("/api/v1/me").status_code == 401


def test_a_copied_cookie_is_of_no_use_in_another_browser(inside, browse):
    other = browse(inside.client.application)
    other.client.set_cookie("radzoo", inside.client.get_cookie("radzoo").value)
    elsewhere = {"User-Agent": "another browser"}
    assert other.client.get("/api/v1/me", headers=elsewhere).status_code == 401


def test_a_copied_cookie_is_of_no_use_after_signing_out(inside):
    old = inside.client.get_cookie("radzoo").value
    known = inside.client.get_cookie(csrf.COOKIE).value
    assert inside.client.post("/logout", headers={csrf.HEADER: known}).status_code == 303
    inside.client.set_cookie("radzoo", old)
    assert inside.client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    ("proxies", "told", "believed"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first is what a client made up
    ],
)
def test_of_the_address_the_word_of_our_own_proxies_is_taken(serve, proxies, told, believed):
    server = serve(proxies=proxies)
    server.add_url_rule("/oidc/address", "address", lambda: request.remote_addr)
    answer = server.test_client().get("/oidc/address", headers={"X-Forwarded-For": told})
    assert answer.text == believed


def test_a_large_body_of_a_stranger_is_not_read(stranger):
    field = stranger.field("/login")
    form = {"csrf": field, "name": "x" * 70_000}
    assert stranger.client.post("/login", data=form).status_code == 413


@pytest.mark.parametrize(
    ("target", "gives"),
    [
        ("/studies?sort=age", "/studies?sort=age"),
        ("/", "/"),
        ("", "/"),
        ("studies", "/"),
        ("//elsewhere.example", "/"),
        ("///elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("\\\\elsewhere.example", "/"),
        ("/\t/elsewhere.example", "/"),
        ("/\n/elsewhere.example", "/"),
        (" //elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/studies\r\nSet-Cookie: a=b", "/"),
        ("/x\x00", "/"),
    ],
)
def test_only_paths_of_this_server_are_gone_on_to(target, gives):
    assert local_path(target) == gives


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 characters"):
        Rules(secret="short", https=False)
    assert "s" * 32 not in repr(Rules(secret="s" * 32, https=False, first_key="s" * 32))
