"""The OpenAPI description of the REST API, read off the routes so that it is never out of date."""

import re
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from ..version import __version__

PREFIX = "/api/v1/"
_QUERY = {
    "model": "Key of a model, as `models` lists it; the first one that is served if not given.",
    "threshold": "In place of the one the user has chosen for the model; within (0, 1).",
}
_FILES = {
    "pixels": "application/octet-stream",
    "thumbnail": "image/jpeg",
    "heatmap": "image/png",
    "case": "image/png",
    "exported_png": "image/png",
    "exported_pdf": "application/pdf",
    "exported_dicom": "application/zip",
    "exported_csv": "text/csv",
}
_MADE = {"add": 201, "add_examples": 201, "read": 201, "remove": 204, "settings": 204}
_BODIES: dict[str, Any] = {
    "add": (
        "multipart/form-data",
        {"file": {"type": "string", "format": "binary", "description": "PNG, JPEG or DICOM."}},
    ),
    "read": (
        "application/json",
        {
            "verdict": {"type": "string", "enum": ["finding", "no_finding", "uncertain"]},
            "note": {"type": "string", "maxLength": 2000},
        },
    ),
    "settings": (
        "application/json",
        {
            "read_first": {"type": "boolean"},
            "threshold": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "model": {"type": "string"},
        },
    ),
}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}


def describe(server: Flask) -> dict[str, Any]:
    """The description of all routes under `PREFIX`, as JSON values."""
    paths: dict[str, Any] = {}
    for rule in server.url_map.iter_rules():
        if rule.rule.startswith(PREFIX):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in sorted(rule.methods or ()):
                if method not in ("HEAD", "OPTIONS"):
                    paths.setdefault(path, {})[method.lower()] = _operation(server, rule)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "radzoo reading room",
            "version": __version__,
            "description": "Research use only. Not a medical device.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR},
        },
        "security": [{"token": []}],
    }


def _operation(server: Flask, rule: Rule) -> dict[str, Any]:
    name = rule.endpoint.rpartition(".")[2]
    told = (server.view_functions[rule.endpoint].__doc__ or "").strip()
    status = str(_MADE.get(name, 200))
    described = {
        "operationId": name,
        "summary": told.partition("\n")[0],
        "parameters": [*_parameters(rule), *_queries(name)],
        "responses": {status: _answer(name, status), "default": _failure()},
    }
    if name in _BODIES:
        kind, properties = _BODIES[name]
        schema = {"type": "object", "properties": properties}
        described["requestBody"] = {"content": {kind: {"schema": schema}}}
    return described


def _parameters(rule: Rule) -> list[dict[str, Any]]:
    whole = re.findall(r"<(?:(\w+):)?(\w+)>", rule.rule)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if kind == "int" else "string"},
        }
        for kind, name in whole
    ]


def _queries(name: str) -> list[dict[str, Any]]:
    asked = ["model"] if name in ("add", "studies", "study", "heatmap", "add_examples") else []
    asked = ["model", "threshold"] if name.startswith("exported") else asked
    return [
        {"name": one, "in": "query", "description": _QUERY[one], "schema": {"type": "string"}}
        for one in asked
    ]


def _answer(name: str, status: str) -> dict[str, Any]:
    if status == "204":
        return {"description": "Done."}
    kind = _FILES.get(name, "application/json")
    return {"description": "Done.", "content": {kind: {}}}


def _failure() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": "Why not.", "content": {"application/json": {"schema": schema}}}
