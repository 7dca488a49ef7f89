"""Browsers in which somebody has signed in before, by a cookie of their own.

Who guesses at passwords slows down everybody of the same name or address: from one address a whole
hospital may come. Not so in a browser that is known: there only its own failures count. Several may
sign in at one workstation; the last of them are known. Whoever steals the cookie can guess as
slowly as a stranger.
"""

import secrets

from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from .attempts import Who

COOKIE = "radzoo_known"
YEAR_S = 365 * 24 * 3600
READERS = 12  # of one browser; a cookie has room for some 25


def who(secret: str, name: str, address: str) -> Who:
    """Who tries to sign in with this request: a known browser, or a name from an address.

    Args:
        secret: of the room.
        name: that was typed.
        address: of the network.
    """
    stranger = Who.of(secret, name, address)
    browser = dict(_readers(secret)).get(stranger.name)
    if browser is None:
        return stranger
    return Who.of(secret, f"{name} in {browser}", f"known browser {browser}")


def remember(secret: str, name: str, answer: Response, https: bool) -> None:
    """Know the browser again that gets this answer, for this name too."""
    digest = Who.of(secret, name, "").name
    others = [one for one in _readers(secret) if one[0] != digest]
    value = _signer(secret).dumps([(digest, secrets.token_hex(16)), *others[: READERS - 1]])
    answer.set_cookie(COOKIE, value, YEAR_S, secure=https, httponly=True, samesite="Strict")


def _readers(secret: str) -> list[tuple[str, str]]:
    """Digests of who signed in in the browser of this request, the last first; a key to each."""
    try:
        known = _signer(secret).loads(request.cookies.get(COOKIE, ""), YEAR_S)
        return [(digest, browser) for digest, browser in known]
    except (BadData, ValueError, TypeError):
        return []


def _signer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="known browser")
