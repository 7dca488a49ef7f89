"""What Dash is asked is looked at before it answers: a bad question is nobody's traceback."""

import json
from functools import wraps
from typing import Any

from dash import Dash
from dash.exceptions import DependencyException
from flask import abort, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import NotFound

ENDPOINT = "/_dash-update-component"


class Part(BaseModel):
    """A property of a component, with or without its value."""

    id: str | dict[str, str | int | float | bool]
    property: str


class Body(BaseModel):
    """The question that is a callback."""

    output: str
    outputs: Part | list[Part | list[Part]] = []  # none where none is declared
    inputs: list[Part | list[Part]]
    state: list[Part | list[Part]] = []
    changedPropIds: list[str] = []  # noqa: N815  the name is Dash's


def check(app: Dash) -> None:
    """Refuse callbacks that are not there (400) and files that are not there (404).

    Args:
        app: with its server; callbacks may come later.
    """
    view = app.server.view_functions[ENDPOINT]

    @wraps(view)
    def checked() -> ResponseReturnValue:
        if not _answerable(app):
            abort(400)
        return view()

    app.server.view_functions[ENDPOINT] = checked
    app.server.register_error_handler(DependencyException, lambda _error: NotFound())


def _answerable(app: Dash) -> bool:
    try:
        body = Body.model_validate(request.get_json())
    except (ValidationError, RecursionError):  # the latter: brackets in brackets in brackets
        return False
    known = app.callback_map.get(body.output)
    if known is None or "callback" not in known:  # those of the browser have none
        return False
    return (
        _fit(body.inputs, known["inputs"])
        and _fit(body.state, known["state"])
        and (known["no_output"] or _fits_outputs(body.outputs, known["output"]))
    )


def _fits_outputs(given: Part | list[Part | list[Part]], outputs: Any) -> bool:
    if isinstance(outputs, list | tuple):
        return _fit(given, [one.to_dict() for one in outputs])
    return _fit([given], [outputs.to_dict()])


def _fit(given: Any, asked: list[dict[str, str]]) -> bool:
    return isinstance(given, list) and len(given) == len(asked) and all(map(_fits, given, asked))


def _fits(given: Part | list[Part], asked: dict[str, str]) -> bool:
    """Whether a property is one that a callback declares; with ALL in its id it is a list."""
    pattern = json.loads(asked["id"]) if asked["id"].startswith("{") else asked["id"]
    wild = list(pattern.values()) if isinstance(pattern, dict) else []
    if isinstance(given, list) != (["ALL"] in wild or ["ALLSMALLER"] in wild):
        return False
    parts = given if isinstance(given, list) else [given]
    return all(
        _names(part.id, pattern) and part.property.split("@")[0] == asked["property"]
        for part in parts  # after @ stands which of several callbacks of one output it is
    )


def _names(id_: str | dict[str, Any], pattern: str | dict[str, Any]) -> bool:
    if isinstance(id_, str) or isinstance(pattern, str):
        return id_ == pattern
    free = {key: id_.get(key) for key, value in pattern.items() if isinstance(value, list)}
    return id_ == {**pattern, **free}
