"""The web server of a reading room: Dash for the page, the REST API, and who may come in."""

from typing import Any

from dash import Dash
from flask import Flask, Response, current_app, has_request_context, jsonify
from flask_login import current_user

from . import (
    callbacks,
    csrf,
    dash_requests,
    language,
    layout,
    model_page,
    oidc,
    openapi,
    secret,
    signing_in,
    telling,
    training,
    visit,
)
from .api import api
from .card import Card
from .exporting import method_name
from .guard import Rules, protect
from .service import Room
from .settings import Settings
from .wording import say

_PAGE = """<!DOCTYPE html>
<html lang="{language}" data-mantine-color-scheme="dark">
<head>{metas}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>{favicon}{css}</head>
<body><a class="skip" href="#viewer">{skip}</a>{app_entry}<footer hidden>{config}{scripts}{renderer}
</footer></body></html>"""


class _Page(Dash):
    """Dash, with the page in the reader's language."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """Fill the page in."""
        told = language.of_request()
        title = f"{say(told, 'general.app')} · {say(told, 'general.tagline')}"
        return _PAGE.format(**{**parts, "title": title}, language=told, skip=say(told, "page.skip"))


def create(settings: Settings) -> Flask:
    """Make the server of a room whose analyst has been started once.

    Raises:
        RunError: a run or the database cannot be read.
    """
    server = Flask("radzoo")
    server.config["MAX_CONTENT_LENGTH"] = (settings.largest_mb + 1) * 1_000_000
    room = Room(settings)
    server.extensions["reading_room"] = room
    app = _Page(
        __name__,
        server=server,  # type: ignore[arg-type]  # a Flask is what it takes
        title="radzoo",
        update_title="",
        suppress_callback_exceptions=True,
        csrf_token_name=csrf.COOKIE,
        csrf_header_name=csrf.HEADER,
    )
    app.layout = lambda: layout.page(_visit(room))
    callbacks.register(app, room)
    dash_requests.check(app)
    server.register_blueprint(api)
    server.register_blueprint(signing_in.blueprint())
    server.add_url_rule(f"{openapi.PREFIX}openapi.json", "openapi", _described)
    server.add_url_rule("/healthz", "health", lambda: jsonify(ok=True))
    rules = Rules(
        secret=secret.of(settings.home),
        https=settings.https,
        first_key=settings.first_key or None,
        proxies=int(settings.https),
    )
    protect(server, room.database, rules, app.csp_hashes)
    provider = oidc.Provider.from_environment()
    if provider is not None:
        oidc.connect(server, provider)
    with server.test_request_context():
        app.index()  # or Dash would not know the page's scripts in a process that never showed it
    return server


def _described() -> Response:
    """This description."""
    return jsonify(openapi.describe(current_app))


def _visit(room: Room) -> layout.Visit:
    """Who asks for the page, and what of it is theirs."""
    if not has_request_context() or not current_user.is_authenticated:  # Dash tries it at start
        return _nobody(room)
    card = visit.chosen(room.cards)
    with room.database.session() as session:
        read_first = room.reads_first(session, current_user.id)
    threshold = room.threshold(current_user.id, card.key)
    return _of(room, card, current_user.name, threshold, read_first)


def _nobody(room: Room) -> layout.Visit:
    card = room.card(None)
    return _of(room, card, "", card.default_threshold, read_first=False)


def _of(room: Room, card: Card, user: str, threshold: float, read_first: bool) -> layout.Visit:
    told = language.of_request() if has_request_context() else language.LANGUAGES[0]
    facts = card.facts
    boot = {
        "language": told,
        "texts": layout.texts(told),
        "model": card.key,
        "model_name": f"{facts['title']} · {card.weights[:8]}",
        "method": method_name(room.settings.method),
        "classes": [telling.class_name(told, card, label) for label in range(len(card.classes))],
        "labels": [1] if card.finding else [0, 1],
        "presets": [telling.preset(told, one) for one in facts["presets"]],
        "operating": facts["operating"],
        "threshold": threshold,
        "read_first": read_first,
        "csrf_cookie": csrf.COOKIE,
    }
    return layout.Visit(
        told, user, card, list(room.cards.values()), threshold, read_first, boot,
        training.choice(room, told, card.key),
        model_page.content(card, told, room.settings.method),
    )  # fmt: skip
