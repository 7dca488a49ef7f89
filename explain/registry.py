"""The registry of heatmap methods: names to functions; a method is a file in `methods/`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import UnknownName

if TYPE_CHECKING:
    from .network import Network

Function = Callable[["Network", NDArray[np.float32]], NDArray[np.floating]]

_METHODS: dict[str, "Method"] = {}


@dataclass(frozen=True)
class Method:
    """A function from images to maps, and what one must know of it.

    Attributes:
        name: what `--method` takes.
        function: (network, images (n, rows, columns, channels)) -> maps (n, classes, rows,
            columns) on its grid: evidence for each class, 0 where there is none, not scaled.
        grid: whether a map has a value for each cell of the heatmap layer or for each pixel.
        source: the paper.
        summary: first line of the function's docstring.
        backend: the only one that it runs on; None if it runs on all that give gradients.
    """

    name: str
    function: Function
    grid: Literal["layer", "pixels"]
    source: str
    summary: str
    backend: str | None = None


def method(
    *,
    source: str,
    grid: Literal["layer", "pixels"] = "layer",
    name: str | None = None,
    backend: str | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated function, under its own name unless another is given.

    Raises:
        ValueError: another module has registered that name.
    """

    def register(function: Function) -> Function:
        called: str = name or function.__name__  # type: ignore[attr-defined]
        known = _METHODS.get(called)
        if known and known.function.__module__ != function.__module__:
            raise ValueError(
                f"Heatmap method {called!r} is registered twice: by {known.function.__module__} "
                f"and by {function.__module__}."
            )
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        _METHODS[called] = Method(called, function, grid, source, summary, backend)
        return function

    return register


def names() -> list[str]:
    """Every registered name, sorted."""
    _discover()
    return sorted(_METHODS)


def get(name: str) -> Method:
    """Look up a method.

    Raises:
        UnknownName: no method has that name.
    """
    _discover()
    if name not in _METHODS:
        raise UnknownName("heatmap method", name, _METHODS)
    return _METHODS[name]


@cache
def _discover() -> None:
    from . import methods

    for module in pkgutil.iter_modules(methods.__path__):
        importlib.import_module(f"{methods.__name__}.{module.name}")
