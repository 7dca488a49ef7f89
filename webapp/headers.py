"""The headers with which a browser is told what a page may do."""

from collections.abc import Callable, Sequence
from functools import cache

from flask import Flask, Response, request

STATIC = ("/assets/", "/_dash-component-suites/", "/_favicon.ico")  # code and pictures, no data

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    # With `no-referrer` browsers send `Origin: null` when a form of ours is posted.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add(server: Flask, script_hashes: Callable[[], Sequence[str]], https: bool) -> None:
    """Set the headers of every answer.

    Args:
        server: to set them on.
        script_hashes: gives the sources of inline scripts, as `Dash.csp_hashes` does; asked once,
            at the first answer, when all callbacks are there.
        https: whether people reach the server by https.
    """

    @cache
    def policy() -> str:
        return _policy(script_hashes())

    def tell(response: Response) -> Response:
        response.headers.update(_FIXED)
        response.headers["Content-Security-Policy"] = policy()
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not is_static():
            response.headers["Cache-Control"] = "no-store"
        return response

    server.after_request(tell)


def is_static() -> bool:
    """Whether this request is for code or pictures, which are the same for everybody."""
    return request.url_rule is not None and request.url_rule.rule.startswith(STATIC)


def _policy(script_hashes: Sequence[str]) -> str:
    parts = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",  # Mantine and AG Grid write styles into elements
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "font-src": "'self'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())
