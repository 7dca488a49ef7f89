"""What the signature of a factory must say, so that specs can be checked before any work."""

import inspect
from collections.abc import Callable
from typing import Any

FORM = "name(keras, classes, input_shape=(rows, columns, channels), *, option: type = default, ...)"

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def options(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What may be chosen when `factory` is called: all of its parameters after `classes`."""
    # eval_str: a module with `from __future__ import annotations` has its types as text
    return dict(list(inspect.signature(factory, eval_str=True).parameters.items())[2:])


def problems(factory: Callable[..., Any]) -> str:
    """Say why `factory` cannot be an architecture; empty if it can.

    A spec's options are checked against the signature, so `*args` and `**kwargs`, which
    would accept a misspelt option in silence, are refused.
    """
    first = list(inspect.signature(factory).parameters)[:2]
    found = [] if first == ["keras", "classes"] else ["it must begin with (keras, classes, ...)"]
    if not _is_shape(options(factory).get("input_shape")):
        found.append("it has no input_shape=(rows, columns, channels)")
    for option in options(factory).values():
        found += _problems_of(option)
    if not found:
        return ""
    where = f"{factory.__module__}.{factory.__qualname__}"
    return f"{where} cannot be an architecture: {'; '.join(found)}. Expected: {FORM}."


def _is_shape(option: inspect.Parameter | None) -> bool:
    default = option.default if option else None
    return (
        isinstance(default, tuple)
        and len(default) == 3
        and all(isinstance(side, int) for side in default)
    )


def _problems_of(option: inspect.Parameter) -> list[str]:
    if option.kind in _VARIADIC:
        return [f"{_VARIADIC[option.kind]}{option.name} hides its options; name each of them"]
    found = []
    if option.default is option.empty:
        found.append(f"{option.name} has no default")
    if option.annotation is option.empty and option.name != "input_shape":
        found.append(f"{option.name} has no type annotation")
    return found
