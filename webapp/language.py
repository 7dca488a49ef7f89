"""The language of a request: what the reader chose, or else what their browser asks for."""

from flask import request

from .wording import LANGUAGES

COOKIE = "language"


def of_request() -> str:
    """`es` or `en`."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])
