"""The options of a dataset or a step are the keyword arguments of its function."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from ..errors import DataError


def resolve(
    kind: str, name: str, function: Callable, options: Mapping[str, Any], given: int = 0
) -> dict[str, Any]:
    """Fill in the defaults of `function`.

    Args:
        kind: what `name` is, as a user would say it: "dataset".
        name: for the message.
        function: whose options they are.
        options: what the user wrote.
        given: how many leading arguments are no options, such as the image of a step.

    Raises:
        DataError: an option is unknown or missing; all of them are named at once.
    """
    known = list(inspect.signature(function).parameters.values())[given:]
    allowed = [parameter.name for parameter in known]
    problems = [_unknown(option, allowed) for option in options if option not in allowed]
    problems += [
        f"needs the option {parameter.name!r}"
        for parameter in known
        if parameter.default is parameter.empty and parameter.name not in options
    ]
    if problems:
        raise DataError(
            f"The {kind} {name!r} {' and '.join(problems)}. "
            f"Options: {', '.join(allowed) or 'none'}."
        )
    return {parameter.name: options.get(parameter.name, parameter.default) for parameter in known}


def _unknown(option: str, allowed: list[str]) -> str:
    near = get_close_matches(option, allowed, n=1)
    return f"has no option {option!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
