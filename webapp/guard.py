"""Who may come in: everything is closed to strangers but the door itself."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import Flask, Response, current_app, redirect, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from . import accounts, csrf, headers, pages, visits
from .database import Database, User
from .visits import Span

API = "/api/v1/"  # what a token opens
OPEN = {"/login", "/logout", "/welcome", "/healthz", f"{API}openapi.json"}
OPEN_FOLDERS = (*headers.STATIC, "/language/", "/oidc/")
SMALL = 64 * 1024  # bytes: the largest body that is read, but for a film of who is signed in
FILMS = f"{API}studies"
_ANY_PAGE = "/<path:path>"  # how Dash calls its route for all that is no other


@dataclass(frozen=True)
class Rules:
    """Attributes:
    secret: signs cookies; the same in all processes of a room, of at least 32 characters.
    https: whether people reach the room by https.
    first_key: opens the page on which the first account is made, of 128 random bits or more.
    session_minutes: without a request, after which one must sign in again.
    session_hours: since signing in, after which one must sign in again.
    login_limit: failures before the next attempt has to wait; see attempts.py.
    proxies: in front of the server, whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """

    secret: str = field(repr=False)
    https: bool
    first_key: str | None = field(default=None, repr=False)
    session_minutes: int = 60
    session_hours: int = 12
    login_limit: int = 5
    proxies: int = 0

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError("The secret of a reading room has at least 32 characters.")

    @property
    def span(self) -> Span:
        """How long a visit lasts."""
        idle, longest = self.session_minutes, self.session_hours
        return Span(dt.timedelta(minutes=idle), dt.timedelta(hours=longest))


@dataclass(frozen=True)
class Door:
    """What the views of a server need to know of it."""

    database: Database
    rules: Rules


@dataclass(frozen=True, eq=False)
class SignedIn(UserMixin):
    """Flask-Login's `current_user`.

    Attributes:
        id: of the user.
        name: of the user.
        key: of the visit; empty for one who came with a token.
    """

    id: str
    name: str
    key: str = ""

    def get_id(self) -> str:
        """What the session keeps."""
        return self.key


def protect(
    server: Flask, database: Database, rules: Rules, script_hashes: Callable[[], Sequence[str]]
) -> None:
    """Close a server to strangers.

    Args:
        server: whose requests are to pass the guard.
        database: of the room.
        rules: to hold.
        script_hashes: `Dash.csp_hashes`; see headers.py.
    """
    server.secret_key = rules.secret
    server.config.update(
        SESSION_COOKIE_NAME="__Host-radzoo" if rules.https else "radzoo",
        SESSION_COOKIE_SECURE=rules.https,
        SESSION_COOKIE_HTTPONLY=True,
        # Not Strict: with it, who follows a link from the PACS, or comes back from single
        # sign-on, would arrive as a stranger. What changes anything needs the CSRF token.
        SESSION_COOKIE_SAMESITE="Lax",
    )
    server.extensions["radzoo"] = Door(database, rules)
    if rules.proxies:
        behind = ProxyFix(server.wsgi_app, x_for=rules.proxies, x_proto=rules.proxies, x_host=0)
        server.wsgi_app = behind  # type: ignore[method-assign]
    pages.prepare(server)
    _know_visitors(server)
    server.before_request(_gate)
    server.after_request(_show_token)
    headers.add(server, script_hashes, rules.https)


def door() -> Door:
    """That of the server that answers this request."""
    return current_app.extensions["radzoo"]


def _know_visitors(server: Flask) -> None:
    manager = LoginManager(server)
    manager.session_protection = "strong"  # a session goes with its browser and address
    manager.user_loader(_of_visit)
    manager.request_loader(lambda _request: _of_token())


def _of_visit(key: str) -> SignedIn | None:
    if _token() is not None:
        return None  # who shows a token is whom the token says, and needs no CSRF token
    with door().database.session() as transaction:
        user = visits.find(transaction, key, door().rules.span)
    return SignedIn(user.id, user.name, key) if user else None


def _of_token() -> SignedIn | None:
    token = _token()
    if token is None:
        return None
    with door().database.session() as transaction:
        user = accounts.of_token(transaction, token)
    return SignedIn(user.id, user.name) if user else None


def _token() -> str | None:
    given = request.authorization
    if not request.path.startswith(API) or given is None or given.type != "bearer":
        return None
    return given.token or ""


def _gate() -> AnyResponse | None:
    if not (_is_open() or current_user.is_authenticated):
        return _turn_away()
    if request.path != FILMS:
        request.max_content_length = SMALL
    if request.path.startswith("/api/") and request.endpoint == _ANY_PAGE:
        return pages.refuse(404, "error_404")
    changes = request.method not in ("GET", "HEAD", "OPTIONS")
    if changes and _token() is None and not csrf.good():
        return pages.refuse(403, "foreign_request")
    return None


def _is_open() -> bool:
    # By the route that was found, as `/assets/../_dash-layout` is none of the assets.
    rule = request.url_rule.rule if request.url_rule else ""
    return rule in OPEN or rule.startswith(OPEN_FOLDERS)


def _turn_away() -> AnyResponse:
    if request.method == "GET" and pages.wants_page():
        asked = request.full_path if request.query_string else request.path
        return redirect(f"/login?{urlencode({'next': local_path(asked)})}")
    answer = pages.refuse(401, "error_401")
    answer.headers["WWW-Authenticate"] = 'Bearer realm="radzoo"'
    return answer


def _show_token(response: Response) -> Response:
    return response if headers.is_static() else csrf.show(response)


def local_path(target: str) -> str:
    """A path on this server to go on to; `/` in place of anything that could lead elsewhere.

    >>> local_path("/studies?sort=age"), local_path("//elsewhere.example")
    ('/studies?sort=age', '/')
    """
    odd = any(sign <= " " or sign in "\\\x7f" for sign in target)  # browsers mend or drop these
    return "/" if odd or not target.startswith("/") or target.startswith("//") else target


def enter(transaction: Session, user: User) -> None:
    """Sign a user in in this browser, with nothing left of what its session was before."""
    leave(transaction)
    key = visits.start(transaction, user, door().rules.span)
    login_user(SignedIn(user.id, user.name, key))
    csrf.token()


def leave(transaction: Session) -> None:
    """Sign out in this browser; a copy of its cookie is no longer good either."""
    visits.end(transaction, session.get("_user_id", ""))
    session.clear()
