"""Backends whose framework needs an interpreter of its own: what `radzoo backends install` sets up.

The framework runs in an engine, a process of that interpreter; see `engine/`. The worker around
it is a modern Python's, like every other.
"""

from types import ModuleType

from ...errors import UnknownName
from . import cntk
from .runtime import Runtime

__all__ = ["NAMES", "Runtime", "get"]

_SETUPS = {"cntk": cntk}
NAMES = tuple(_SETUPS)


def get(name: str) -> ModuleType:
    """The set-up of a legacy backend: a module with `find`, `install` and `remove`.

    Raises:
        UnknownName: no legacy backend has that name.
    """
    if name not in _SETUPS:
        raise UnknownName("legacy backend", name, NAMES)
    return _SETUPS[name]
