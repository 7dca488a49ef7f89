"""Architectures from outside this package: entry points and `module:function`."""

import importlib
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

GROUP = "radzoo.architectures"


class Plugin(NamedTuple):
    """An entry point of another package, loaded or with the error that it raised."""

    package: str  # as it is installed: "radzoo-example-plugin"
    loaded: Any  # the object that the entry point names: a factory or a module
    error: str  # empty if it loaded


def load_all() -> list[Plugin]:
    """Load every entry point in `GROUP`; one that fails does not stop the others."""
    return [_load(point) for point in metadata.entry_points(group=GROUP)]


def _load(point: metadata.EntryPoint) -> Plugin:
    package = point.dist.name if point.dist else point.module
    try:
        return Plugin(package, point.load(), "")
    except Exception as error:  # noqa: BLE001  (another's code may raise anything at import)
        return Plugin(package, None, describe(error))


def load_function(reference: str) -> Callable[..., Any]:
    """Import the function that `reference`, "package.module:function", names.

    The current folder is searched after all else, so that a file beside the spec can
    hold an architecture and yet hide no installed module.

    Raises:
        Exception: whatever the import raises; AttributeError or TypeError where the
            module has no such function.
    """
    module, _, name = reference.partition(":")
    if str(Path.cwd()) not in sys.path:
        # It stays there: such a module may import its neighbours later, inside a factory.
        sys.path.append(str(Path.cwd()))
    importlib.invalidate_caches()
    function = getattr(importlib.import_module(module), name)
    if not callable(function):
        raise TypeError(f"{reference} is a {type(function).__name__}, not a function")
    return function


def describe(error: Exception) -> str:
    """The error as one line: "ImportError: No module named 'torchxrayvision'"."""
    return f"{type(error).__name__}: {error}"
