"""The secret that signs the cookies of a room: from the environment, or made once and kept."""

import os
import secrets
from pathlib import Path

from ..errors import RunError

VARIABLE = "RADZOO_SECRET_KEY"
FEWEST = 32  # characters


def of(home: Path) -> str:
    """That of a room.

    Raises:
        RunError: the one in the environment is too short, or the file cannot be read or written.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        if len(given) < FEWEST:
            raise RunError(f"{VARIABLE} has {len(given)} characters; {FEWEST} are needed.")
        return given
    path = home / "secret"
    try:
        return path.read_text(encoding="ascii") if path.exists() else _made(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read or written: {error.strerror}.") from error


def _made(path: Path) -> str:
    value = secrets.token_hex(32)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(value)
    except FileExistsError:  # another process of the room was first
        return path.read_text(encoding="ascii")
    return value
