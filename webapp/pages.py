"""Pages without Dash, from the folder `templates`, and what is said where something is refused."""

from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as AnyResponse

from . import csrf, language
from .wording import say, sentences


def prepare(server: Flask) -> None:
    """Make a server find the templates, and answer its errors in words, without a traceback."""
    server.jinja_env.autoescape = True  # Flask itself would not for a name that ends in .j2
    server.register_blueprint(Blueprint("pages", __name__, template_folder="templates"))
    server.register_error_handler(HTTPException, _error)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a template in the language of the request.

    Args:
        template: its name without the ending.
        status: of the answer.
        values: for the template.
    """
    spoken = language.of_request()
    text = render_template(
        f"{template}.html.j2",
        language=spoken,
        say=partial(say, spoken),
        csrf=csrf.token(),
        here=request.full_path.rstrip("?") if request.method == "GET" else "",
        **values,
    )
    return make_response(text, status)


def refuse(status: int, key: str, **values: Any) -> Response:
    """Say no: as a page where one is wanted, else as JSON `{"error": {"code", "message"}}`.

    Args:
        status: from 400.
        key: of the sentence in the section `accounts` of wording.yaml; also the code.
        values: for the sentence.
    """
    spoken = language.of_request()
    message = say(spoken, f"accounts.{key}", **values)
    if wants_page():
        return page("message", status, title=say(spoken, "accounts.refused"), message=message)
    return make_response(jsonify(error={"code": key, "message": message}), status)


def wants_page() -> bool:
    """Whether a person waits for a page, and not a program for data."""
    program = request.path.startswith(("/api/", "/_dash"))
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return not program and best == "text/html"


def _error(error: HTTPException) -> AnyResponse | HTTPException:
    if error.response is not None or error.code is None:
        return error  # it says itself what to answer
    key = f"error_{error.code}"
    known = f"accounts.{key}" in sentences()
    answer = refuse(error.code, key if known else "error_other", code=error.code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            answer.headers[name] = value
    return answer
