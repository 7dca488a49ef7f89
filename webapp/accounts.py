"""Who may sign in: names, passwords, tokens of the REST API, and those known by single sign-on."""

import hashlib
import itertools
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..errors import UnknownName, UserError
from .database import Token, User
from .wording import say

SHORTEST, LONGEST = 12, 1000  # characters of a password
LONGEST_NAME = 80


def create(session: Session, name: str, password: str) -> User:
    """Make an account.

    Args:
        session: the transaction to do it in.
        name: of 1 to 80 characters that can be seen.
        password: of 12 to 1000 characters, and not the name.

    Raises:
        UserError: the name or the password will not do, or the name is taken.
    """
    problem = objection(name, password)
    if problem:
        raise UserError(say("en", problem))
    user = User(name=_same(name), password=PasswordHasher().hash(_same(password)))
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        raise UserError(
            f"There is an account {user.name!r} already. Choose another name."
        ) from error
    return user


def objection(name: str, password: str) -> str | None:
    """What is wrong with a name or a password, as a key of `wording.yaml`; None if nothing is."""
    name, password = _same(name), _same(password)
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        return "accounts.name_unusable"
    if not SHORTEST <= len(password) <= LONGEST:
        return "accounts.password_length"
    if password.casefold() == name.casefold():
        return "accounts.password_is_name"
    return None


def _same(text: str) -> str:
    """The one form of what looks alike: keyboards write an accented letter as one sign or two."""
    return unicodedata.normalize("NFC", text)


def verify(session: Session, name: str, password: str) -> User | None:
    """Give the user of a name and a password, or None, which takes as long."""
    nobody, user = _nobody(), _find(session, name)
    stored = user.password if user and user.password else nobody
    hasher = PasswordHasher()
    try:
        hasher.verify(stored, _same(password))
    except VerificationError:
        return None
    if user and stored is not nobody and hasher.check_needs_rehash(stored):
        user.password = hasher.hash(_same(password))
    return user if stored is not nobody else None


@cache
def _nobody() -> str:
    """A hash that is checked where there is no account, so that the time does not tell."""
    return PasswordHasher().hash(secrets.token_urlsafe())


def _find(session: Session, name: str) -> User | None:
    if not name.isprintable():  # nobody's, and PostgreSQL takes no NUL
        return None
    return session.scalars(select(User).where(User.name == _same(name))).one_or_none()


def named(session: Session, name: str) -> User:
    """Give the user of a name.

    Raises:
        UnknownName: nobody has it.
    """
    user = _find(session, name)
    if user is None:
        raise UnknownName("user", name, session.scalars(select(User.name)))
    return user


def change_password(session: Session, user: User, password: str) -> User:
    """Set a password, and end all visits and tokens that the old one has opened.

    Returns:
        The user as it is now, in this transaction.

    Raises:
        UserError: the password will not do.
    """
    problem = objection(user.name, password)
    if problem:
        raise UserError(say("en", problem))
    user = session.merge(user)
    user.password = PasswordHasher().hash(_same(password))
    user.epoch += 1
    session.execute(delete(Token).where(Token.user_id == user.id))
    return user


def new_token(session: Session, user: User, label: str) -> str:
    """Make a token for the REST API; it is told here, and never again.

    Args:
        session: the transaction to do it in.
        user: whose it is.
        label: what it is for, of 1 to 80 characters.

    Raises:
        UserError: the label will not do.
    """
    if not 1 <= len(label) <= LONGEST_NAME or not label.isprintable():
        raise UserError(f"The label of a token has 1 to {LONGEST_NAME} characters; got {label!r}.")
    token = f"radzoo_{secrets.token_urlsafe(32)}"  # the word lets scanners find one that leaked
    session.add(Token(digest=digest(token), user_id=user.id, label=label))
    session.flush()
    return token


def digest(key: str) -> str:
    """What is kept of a key of 256 random bits, from which it cannot be found."""
    return hashlib.sha256(key.encode()).hexdigest()


def of_token(session: Session, token: str) -> User | None:
    """Give the user of a token, if it is one."""
    query = select(User).join(Token).where(Token.digest == digest(token))
    return session.scalars(query).one_or_none()


def of_subject(session: Session, subject: str, preferred: str) -> User:
    """Give the user whom a provider of single sign-on knows, and make one the first time.

    Args:
        session: the transaction to do it in.
        subject: what the provider calls them, of at most 300 characters; it never changes.
        preferred: a name for them, if it is free.
    """
    user = session.scalars(select(User).where(User.subject == subject)).one_or_none()
    if user is None:
        user = User(name=_free_name(session, preferred), subject=subject)
        session.add(user)
        session.flush()
    return user


def _free_name(session: Session, preferred: str) -> str:
    seen = "".join(sign for sign in _same(preferred) if sign.isprintable()).strip()
    stem = seen[: LONGEST_NAME - 10] or "reader"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if _find(session, name) is None)


def remove(session: Session, user: User) -> None:
    """Delete an account with its studies, readings, tokens and visits; their films stay."""
    session.execute(delete(User).where(User.id == user.id))


def count(session: Session) -> int:
    """How many accounts there are."""
    return session.scalar(select(func.count()).select_from(User)) or 0
