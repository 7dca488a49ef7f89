"""Single sign-on with an OpenID Connect provider: authorization code flow with PKCE."""

import logging
import os
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, current_app, redirect, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from ..errors import UserError
from . import accounts, attempts, audit_log, guard, pages
from .attempts import Who
from .audit_log import Action

_VARIABLES = ("RADZOO_OIDC_ISSUER", "RADZOO_OIDC_CLIENT_ID", "RADZOO_OIDC_CLIENT_SECRET")
_PATIENCE_S = 10  # for an answer of the provider
_FAILURES = (AuthlibBaseError, JoseError, RequestException, RuntimeError, ValueError, KeyError)


@dataclass(frozen=True)
class Provider:
    """Who signs people in for us.

    Attributes:
        issuer: its URL; what it offers stands below it in /.well-known/openid-configuration.
        client_id: what it calls us.
        client_secret: by which it knows us.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def from_environment(cls) -> Self | None:
        """The one that RADZOO_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET name; None if none does.

        Raises:
            UserError: some are set and others are not, or the issuer is not reached by https.
        """
        values = [os.environ.get(name, "") for name in _VARIABLES]
        if not any(values):
            return None
        missing = [name for name, value in zip(_VARIABLES, values, strict=True) if not value]
        if missing:
            raise UserError(
                f"Single sign-on also needs {', '.join(missing)}. Set all three or none."
            )
        issuer = urlsplit(values[0])
        if issuer.scheme != "https" and issuer.hostname not in ("127.0.0.1", "localhost"):
            raise UserError(f"The issuer of single sign-on is reached by https; got {values[0]!r}.")
        return cls(*values)


def connect(server: Flask, provider: Provider) -> None:
    """Offer single sign-on: GET /oidc/login and /oidc/callback.

    Args:
        server: that `guard.protect` has closed.
        provider: who is asked; nothing is asked before somebody signs in.
    """
    oauth = OAuth(server)
    oauth.register(
        "provider",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "default_timeout": _PATIENCE_S,
        },
    )
    views = Blueprint("oidc", __name__, url_prefix="/oidc")
    views.add_url_rule("/login", view_func=go)
    views.add_url_rule("/callback", view_func=come_back)
    server.extensions["radzoo_oidc"] = provider
    server.register_blueprint(views)


def go() -> Response:
    """Send the browser to the provider."""
    for key in [key for key in session if key.startswith("_state_")]:
        session.pop(key)  # of an earlier try: they would outgrow the cookie
    session["next"] = guard.local_path(request.args.get("next", "/"))
    scheme = "https" if guard.door().rules.https else request.scheme
    back = url_for("oidc.come_back", _external=True, _scheme=scheme)
    try:
        return _client().authorize_redirect(back)
    except _FAILURES as error:
        _note(error)
        return pages.refuse(502, "provider_silent")


def _client() -> Any:
    return current_app.extensions["authlib.integrations.flask_client"].create_client("provider")


def come_back() -> Response:
    """Sign in whom the provider names, with an account that is made the first time."""
    provider = current_app.extensions["radzoo_oidc"]
    claims = {
        "iss": {"essential": True, "values": [provider.issuer]},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
    }
    try:
        person = _client().authorize_access_token(claims_options=claims)["userinfo"]
        subject, name = str(person["sub"]), str(person.get("preferred_username", ""))
    except _FAILURES as error:
        return _refuse(error)
    following = session.get("next", "/")
    with guard.door().database.session() as transaction:
        # With the issuer: another provider may call somebody else the same.
        user = accounts.of_subject(transaction, f"{provider.issuer} {subject}", name)
        guard.enter(transaction, user)
        audit_log.write(transaction, user.id, Action.SIGNED_IN, "", by="single sign-on")
    return redirect(following)


def _refuse(error: Exception) -> Response:
    """Say that nobody was signed in; of a flood from one address only a few lines are logged."""
    _note(error)
    address, door = request.remote_addr or "", guard.door()
    who = Who.of(door.rules.secret, f"single sign-on from {address}", address)
    if not attempts.begin(door.database, who, door.rules.login_limit):
        detail = {"address": address, "reason": type(error).__name__}
        with door.database.session() as transaction:
            audit_log.write(transaction, "", Action.REFUSED_SIGN_IN, "", **detail)
    return pages.refuse(401, "provider_refused")


def _note(error: Exception) -> None:
    logging.getLogger(__name__).warning("single sign-on failed: %s", type(error).__name__)
