"""What the tests of the reading room share: its database, and a small server behind the guard."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from argon2 import PasswordHasher
from flask import Flask, jsonify
from flask_login import current_user
from sqlalchemy import create_engine, text
from werkzeug.test import TestResponse

from radzoo.webapp import accounts, csrf, dash_requests, guard, signing_in
from radzoo.webapp.database import Database, User

PASSWORD = "a quiet room to read"
SECRET = "s" * 32
FIRST_KEY = "k" * 22
POSTGRESQL = "RADZOO_TEST_POSTGRESQL"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path / 'room.db'}"
    if request.param == "postgresql":
        if POSTGRESQL not in os.environ:
            pytest.skip(f"no PostgreSQL: set {POSTGRESQL} to the URL of an empty database")
        url = os.environ[POSTGRESQL]
        _empty(url)
    made = Database(url)
    yield made
    made.engine.dispose()


def _empty(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    accounts._nobody.cache_clear()  # another test's may be of a weaker hash
    made = Database(f"sqlite:///{tmp_path / 'room.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def reader(room: Database, monkeypatch: pytest.MonkeyPatch) -> User:
    """The account `reader-a` in it; its hash is weak, which saves a minute of the tests."""
    weak = partial(PasswordHasher, time_cost=1, memory_cost=64)
    monkeypatch.setattr(accounts, "PasswordHasher", weak)
    with room.session() as session:
        return accounts.create(session, "reader-a", PASSWORD)


@pytest.fixture
def serve(room: Database) -> Callable[..., Flask]:
    """Makes a server behind the guard: a Dash page with a callback, and an API."""

    def made(**rules: Any) -> Flask:
        from dash import ALL, Dash, Input, Output, dcc, html

        server = Flask("radzoo")
        app = Dash(__name__, server=server)
        app.layout = html.Div([dcc.Input(id="in"), html.P(id="out"), html.P(id="all")])
        app.callback(Output("out", "children"), Input("in", "value"))(
            lambda value: f"{current_user.name}: {value}"
        )
        app.callback(Output("all", "children"), Input({"kind": "x", "of": ALL}, "value"))(str)
        app.callback(Input("in", "value"))(lambda _value: None)
        both = [Output("out", "title"), Output("out", "children", allow_duplicate=True)]
        app.callback(both, Input("in", "value"), prevent_initial_call=True)(lambda v: (v, v))
        for method in ("GET", "POST"):
            server.add_url_rule(
                "/api/v1/me", method, lambda: jsonify(name=current_user.name), methods=[method]
            )
        server.add_url_rule("/api/v1/openapi.json", "openapi", lambda: jsonify({}))
        server.add_url_rule("/healthz", "health", lambda: "well")
        filled = guard.Rules(**{"secret": SECRET, "https": False, "first_key": FIRST_KEY, **rules})
        guard.protect(server, room, filled, app.csp_hashes)
        server.register_blueprint(signing_in.blueprint())
        dash_requests.check(app)
        return server

    return made


class Browser:
    """One that shows pages of a server and sends their forms."""

    html: ClassVar = {"Accept": "text/html"}

    def __init__(self, server: Flask) -> None:
        self.client = server.test_client()

    def page(self, address: str) -> TestResponse:
        """Open a page."""
        return self.client.get(address, headers=self.html)

    def field(self, address: str) -> str:
        """The CSRF token in the form of a page."""
        return self.page(address).text.split('name="csrf" value="')[1].split('"')[0]

    def fill(self, address: str, **fields: str) -> TestResponse:
        """Send the form of a page."""
        form = {"csrf": self.field(address), **fields}
        return self.client.post(address.partition("?")[0], data=form, headers=self.html)

    def sign_in(self, name: str = "reader-a", password: str = PASSWORD) -> TestResponse:
        """Fill the sign-in page in."""
        return self.fill("/login", name=name, password=password)

    def ask(self, output: str, **body: Any) -> TestResponse:
        """Send a callback as Dash does."""
        return self.client.post(
            "/_dash-update-component",
            json={"output": output, **body},
            headers={csrf.HEADER: self.client.get_cookie(csrf.COOKIE).value},
        )


@pytest.fixture
def browse() -> type[Browser]:
    """Opens a browser on a server."""
    return Browser


@pytest.fixture
def stranger(serve: Callable[..., Flask], reader: User) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(serve())


@pytest.fixture
def inside(stranger: Browser) -> Browser:
    """A browser in which `reader-a` is signed in."""
    assert stranger.sign_in().status_code == 303
    return stranger
