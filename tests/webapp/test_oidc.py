"""Single sign-on, with a provider that is served here."""

import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.common.encoding import to_unicode, urlsafe_b64encode
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.serving import make_server

from radzoo.errors import UserError
from radzoo.webapp import audit_log, oidc
from radzoo.webapp.database import AuditLine, User
from radzoo.webapp.oidc import Provider

HTML = {"Accept": "text/html"}


@dataclass
class Fake:
    """A provider: what it says of whoever comes, and what it was asked last."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1"}))
    signer: RSAKey | None = None
    claims: dict = field(default_factory=dict)
    asked: dict = field(default_factory=dict)
    tokens: int = 0

    def server(self) -> Flask:
        server = Flask("provider")
        add = server.add_url_rule
        add("/.well-known/openid-configuration", "found", self.discovery)
        add("/jwks", "jwks", lambda: jsonify(keys=[self.key.as_dict(private=False)]))
        add("/token", "token", self.token, methods=["POST"])
        return server

    def discovery(self):
        return jsonify(
            issuer=self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            jwks_uri=f"{self.issuer}/jwks",
            id_token_signing_alg_values_supported=["RS256"],
        )

    def token(self):
        """As RFC 7636 wants it: the verifier must be that of the challenge."""
        self.tokens += 1
        hashed = sha256(request.form["code_verifier"].encode()).digest()
        good = to_unicode(urlsafe_b64encode(hashed)) == self.asked["code_challenge"]
        secret = request.authorization.password == "told to us"
        if not good or not secret or request.form["code"] != "code-1":
            return jsonify(error="invalid_grant"), 400
        moment = int(time.time())
        told = {
            "iss": self.issuer,
            "aud": "reading-room",
            "sub": "person-1",
            "nonce": self.asked["nonce"],
            "iat": moment,
            "exp": moment + 60,
            "preferred_username": "reader-a",
            **self.claims,
        }
        claims = {name: value for name, value in told.items() if value is not None}
        id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.signer or self.key)
        return jsonify(access_token="a", token_type="Bearer", id_token=id_token)


@pytest.fixture
def provider():
    """The fake one, on loopback."""
    fake = Fake()
    server = make_server("127.0.0.1", 0, fake.server(), threaded=True)
    fake.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(serve, browse, provider):
    """A stranger's, on a room that knows the provider."""
    server = serve()
    oidc.connect(server, Provider(provider.issuer, "reading-room", "told to us"))
    return browse(server)


def go(browser, provider, target="/"):
    """Follow the link on the sign-in page to the provider."""
    answer = browser.client.get("/oidc/login", query_string={"next": target}, headers=HTML)
    asked = parse_qs(urlsplit(answer.location).query)
    provider.asked = {name: value[0] for name, value in asked.items()}
    return answer


def come_back(browser, provider, **changed):
    """Come back from it."""
    given = {"code": "code-1", "state": provider.asked["state"], **changed}
    return browser.client.get("/oidc/callback", query_string=given, headers=HTML)


def users(room):
    with room.session() as session:
        return list(session.scalars(select(User)))


def test_a_person_is_sent_to_the_provider_and_comes_back_signed_in(browser, provider, room):
    assert 'href="/oidc/login?next=/"' in browser.page("/login").text
    answer = go(browser, provider, "/studies")
    assert answer.location.startswith(f"{provider.issuer}/authorize?")
    assert provider.asked["response_type"] == "code"
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.asked["redirect_uri"] == "http://localhost/oidc/callback"
    answer = come_back(browser, provider)
    assert (answer.status_code, answer.location) == (302, "/studies")
    assert browser.client.get("/api/v1/me").json == {"name": "reader-a"}
    (user,) = users(room)
    assert (user.subject, user.password) == (f"{provider.issuer} person-1", None)
    with room.session() as session:
        (line,) = session.scalars(select(AuditLine))
        assert (line.action, line.detail) == ("signed_in", {"by": "single sign-on"})
        assert audit_log.check(session) == []


def test_the_same_person_has_the_same_account_and_another_has_another(browser, provider, room):
    for sub, name in (("person-1", "reader-a"), ("person-1", "renamed"), ("person-2", "reader-a")):
        provider.claims = {"sub": sub, "preferred_username": name}
        go(browser, provider)
        assert come_back(browser, provider).status_code == 302
    assert sorted(user.name for user in users(room)) == ["reader-a", "reader-a-2"]
    assert browser.client.get("/api/v1/me").json == {"name": "reader-a-2"}


def test_a_local_account_of_the_same_name_is_not_taken_over(browser, provider, reader, room):
    go(browser, provider)
    come_back(browser, provider)
    assert browser.client.get("/api/v1/me").json == {"name": "reader-a-2"}


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere.example"},
        {"aud": "another-room"},
        {"nonce": "old"},
        {"exp": 1},
        {"sub": None},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"nonce": None},
    ],
)
def test_what_the_provider_says_must_be_meant_for_us_and_now(browser, provider, room, claims):
    provider.claims = claims
    go(browser, provider)
    assert come_back(browser, provider).status_code == 401
    refused(browser, room)


def refused(browser, room):
    assert browser.client.get("/api/v1/me").status_code == 401
    assert users(room) == []
    with room.session() as session:
        (line,) = session.scalars(select(AuditLine))
        assert line.action == "refused_sign_in"


def test_a_key_that_is_not_the_provider_s_signs_nothing(browser, provider, room):
    provider.signer = RSAKey.generate_key(2048, {"kid": "1"})
    go(browser, provider)
    assert come_back(browser, provider).status_code == 401
    refused(browser, room)


@pytest.mark.parametrize(
    "changed",
    [{"state": "x"}, {"state": ""}, {"code": "x"}, {"error": "access_denied", "code": ""}],
)
def test_an_answer_to_no_question_of_ours_is_refused(browser, provider, room, changed):
    go(browser, provider)
    assert come_back(browser, provider, **changed).status_code == 401
    refused(browser, room)


def test_an_answer_for_another_browser_is_refused(browser, browse, provider, room):
    go(browser, provider)
    other = browse(browser.client.application)
    assert come_back(other, provider).status_code == 401
    assert provider.tokens == 0
    refused(other, room)


def test_a_flood_of_refused_answers_does_not_fill_the_log(browser, provider, room):
    for _ in range(30):
        assert browser.page("/oidc/callback?state=x&code=y").status_code == 401
    with room.session() as session:
        assert len(list(session.scalars(select(AuditLine)))) < 12


def test_an_answer_is_good_once(browser, provider):
    go(browser, provider)
    assert come_back(browser, provider).status_code == 302
    assert come_back(browser, provider).status_code == 401


def test_many_tries_do_not_outgrow_the_cookie(browser, provider):
    for _ in range(20):
        assert go(browser, provider).status_code == 302
    assert come_back(browser, provider).status_code == 302


def test_one_is_not_sent_elsewhere_afterwards(browser, provider):
    go(browser, provider, "//elsewhere.example")
    assert come_back(browser, provider).location == "/"


def test_a_silent_provider_is_told_in_a_sentence(serve, browse, provider):
    server = serve()
    oidc.connect(server, Provider("http://127.0.0.1:9", "reading-room", "told to us"))
    answer = browse(server).page("/oidc/login")
    assert answer.status_code == 502
    assert "no responde" in answer.text


def test_over_https_the_provider_is_told_so(serve, browse, provider):
    server = serve(https=True)
    oidc.connect(server, Provider(provider.issuer, "reading-room", "told to us"))
    browser = browse(server)
    go(browser, provider)
    assert provider.asked["redirect_uri"] == "https://localhost/oidc/callback"


def environment(monkeypatch, *values):
    for name, value in zip(("ISSUER", "CLIENT_ID", "CLIENT_SECRET"), values, strict=True):
        monkeypatch.setenv(f"RADZOO_OIDC_{name}", value)


def test_the_environment_names_the_provider(monkeypatch):
    environment(monkeypatch, "", "", "")
    assert Provider.from_environment() is None
    environment(monkeypatch, "https://id.example", "room", "secret")
    found = Provider.from_environment()
    assert found == Provider("https://id.example", "room", "secret")
    assert "secret'" not in repr(found)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("https://id.example", "", "secret"), "also needs RADZOO_OIDC_CLIENT_ID"),
        (("http://id.example", "room", "secret"), "by https; got 'http://id.example'"),
    ],
)
def test_a_half_set_environment_is_refused(monkeypatch, values, said):
    environment(monkeypatch, *values)
    with pytest.raises(UserError, match=said):
        Provider.from_environment()
