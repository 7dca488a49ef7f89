"""Requests that change something must come from our own pages.

The signed session holds a token, which a page repeats: in a header, as Dash does with the value of
the cookie `_csrf_token`, or in the field `csrf` of a form. Also the browser's own word on where a
request comes from is heard.
"""

import hmac
import secrets

from flask import Response, current_app, request, session

COOKIE, HEADER, FIELD = "_csrf_token", "X-CSRFToken", "csrf"  # the first two are Dash's defaults


def token() -> str:
    """The token of this session, made where there is none."""
    return session.setdefault("csrf", secrets.token_urlsafe(32))


def good() -> bool:
    """Whether this request comes from a page of ours."""
    expected, given = session.get("csrf", ""), request.headers.get(HEADER)
    if given is None and request.mimetype == "application/x-www-form-urlencoded":
        given = request.form.get(FIELD)  # of a bounded size; an upload is not read for it
    same = hmac.compare_digest(expected.encode(), (given or "").encode())
    return bool(expected) and same and not _foreign()


def _foreign() -> bool:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    scheme = "https" if current_app.config["SESSION_COOKIE_SECURE"] else request.scheme
    own = f"{scheme}://{request.host}"
    return site not in ("same-origin", "none") or request.headers.get("Origin", own) != own


def show(response: Response) -> Response:
    """Let the scripts of our pages read the token; the server never reads this cookie."""
    known = session.get("csrf")
    if known and request.cookies.get(COOKIE) != known:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(COOKIE, known, secure=secure, httponly=False, samesite="Strict")
    return response
