"""The pages at the door: signing in and out, the first account, a new password, the language."""

import hmac

from flask import Blueprint, Response, abort, current_app, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from . import accounts, attempts, audit_log, guard, known, language
from .attempts import Who
from .audit_log import Action
from .database import User
from .guard import local_path
from .pages import page
from .wording import LANGUAGES, say

_YEAR_S = 365 * 24 * 3600


def blueprint() -> Blueprint:
    """Make the pages, for a server that `guard.protect` has closed."""
    pages = Blueprint("signing_in", __name__)
    pages.add_url_rule("/login", view_func=ask, methods=["GET"])
    pages.add_url_rule("/login", view_func=sign_in, methods=["POST"])
    pages.add_url_rule("/logout", view_func=sign_out, methods=["POST"])
    pages.add_url_rule("/welcome", view_func=welcome, methods=["GET"])
    pages.add_url_rule("/welcome", view_func=make_first, methods=["POST"])
    pages.add_url_rule("/account/password", view_func=ask_new_password, methods=["GET"])
    pages.add_url_rule("/account/password", view_func=change_password, methods=["POST"])
    pages.add_url_rule("/language/<code>", view_func=speak, methods=["GET"])
    return pages


def ask() -> AnyResponse:
    """Ask for name and password."""
    following = local_path(request.args.get("next", "/"))
    if current_user.is_authenticated:
        return redirect(following)
    return _login_page(following)


def _login_page(following: str, status: int = 200, problem: str = "", wait_s: int = 0) -> Response:
    with guard.door().database.session() as transaction:
        empty = accounts.count(transaction) == 0
    answer = page(
        "login",
        status,
        following=following,
        name=request.form.get("name", ""),
        problem=problem,
        wait_s=wait_s,
        empty=empty,
        single_sign_on="oidc" in current_app.blueprints,
    )
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


def sign_in() -> AnyResponse:
    """Sign in with a name and a password."""
    following = local_path(request.form.get("next", "/"))
    name = request.form.get("name", "").strip()
    user, wait_s = _try(name, request.form.get("password", ""))
    if wait_s:
        return _login_page(following, 429, "accounts.too_many", wait_s)
    if user is None:
        return _login_page(following, 401, "accounts.wrong")
    with guard.door().database.session() as transaction:
        guard.enter(transaction, user)
        audit_log.write(transaction, user.id, Action.SIGNED_IN, "", by="password")
    rules, answer = guard.door().rules, redirect(following, 303)
    known.remember(rules.secret, name, answer, rules.https)
    return answer


def _try(name: str, password: str) -> tuple[User | None, int]:
    """The user whose password it is, if it is; or how many seconds to wait before trying."""
    door = guard.door()
    address = request.remote_addr or ""
    who = known.who(door.rules.secret, name, address)
    wait_s = attempts.begin(door.database, who, door.rules.login_limit)
    if wait_s:  # not logged: the log cannot be shortened, and a flood would fill the disk
        return None, wait_s
    with door.database.session() as transaction:
        user = accounts.verify(transaction, name, password)
        if user is None:  # the name is not kept: people type their password in its place
            typed = Who.of(door.rules.secret, name, address).name
            detail = {"address": address, "name": typed[:16]}
            audit_log.write(transaction, "", Action.REFUSED_SIGN_IN, "", **detail)
        else:
            attempts.succeeded(transaction, who)
    return user, 0


def sign_out() -> AnyResponse:
    """End the visit."""
    who = current_user.id if current_user.is_authenticated else ""
    with guard.door().database.session() as transaction:
        guard.leave(transaction)
        if who:
            audit_log.write(transaction, who, Action.SIGNED_OUT, "")
    return redirect("/login", 303)


def welcome() -> Response:
    """Ask for the first account, whoever has the one-time key."""
    key = request.args.get("key", "")
    _check_first(key)
    return page("welcome", key=key, name="", problem="")


def _check_first(key: str) -> None:
    """The page is there for the right key only, and only until there is an account."""
    door = guard.door()
    expected = door.rules.first_key or ""
    with door.database.session() as transaction:
        empty = accounts.count(transaction) == 0
    if not (hmac.compare_digest(expected.encode(), key.encode()) and expected and empty):
        abort(404)


def make_first() -> AnyResponse:
    """Make the first account, and sign it in."""
    given = request.form
    key, name, password = (
        given.get("key", ""),
        given.get("name", "").strip(),
        given.get("password", ""),
    )
    _check_first(key)
    problem = accounts.objection(name, password) or _twice(password)
    if problem:
        return page("welcome", 422, key=key, name=name, problem=problem)
    with guard.door().database.session() as transaction:
        user = accounts.create(transaction, name, password)
        audit_log.write(transaction, user.id, Action.ACCOUNT_MADE, "", first=True)
        if accounts.count(transaction) > 1:  # made by another request, for which `write` waited
            abort(404)
        guard.enter(transaction, user)
    return redirect("/", 303)


def _twice(password: str) -> str | None:
    return None if request.form.get("again", "") == password else "accounts.not_twice_the_same"


def ask_new_password() -> Response:
    """Ask for a new password."""
    return _password_page()


def _password_page(status: int = 200, problem: str = "", wait_s: int = 0) -> Response:
    with guard.door().database.session() as transaction:
        elsewhere = transaction.get_one(User, current_user.id).password is None
    return page(
        "password",
        status,
        problem=problem,
        wait_s=wait_s,
        elsewhere=elsewhere,
        name=current_user.name,
    )


def change_password() -> Response:
    """Change one's own password, which ends all other visits and all tokens."""
    password = request.form.get("password", "")
    user, wait_s = _try(current_user.name, request.form.get("current", ""))
    if wait_s:
        return _password_page(429, "accounts.too_many", wait_s)
    if user is None:
        return _password_page(401, "accounts.wrong_current")
    problem = accounts.objection(user.name, password) or _twice(password)
    if problem:
        return _password_page(422, problem)
    with guard.door().database.session() as transaction:
        changed = accounts.change_password(transaction, user, password)
        guard.enter(transaction, changed)
        audit_log.write(transaction, user.id, Action.SETTING_CHANGED, "", password=True)
    spoken = language.of_request()
    title, message = (say(spoken, f"accounts.{key}") for key in ("change_password", "changed"))
    return page("message", title=title, message=message)


def speak(code: str) -> AnyResponse:
    """Choose a language, and go back to where one was."""
    if code not in LANGUAGES:
        abort(404)
    answer = redirect(local_path(request.args.get("next", "/")))
    secure = guard.door().rules.https
    answer.set_cookie(language.COOKIE, code, _YEAR_S, secure=secure, httponly=True, samesite="Lax")
    return answer
