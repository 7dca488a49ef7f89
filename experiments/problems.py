"""What is wrong with a spec, one line a problem: place, key, what was given, the way out."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from .options import OptionsInvalid
from .source import Key, Source

MAX_SHOWN = 60  # characters of a value that was given


def lines(error: ValidationError, model: type[BaseModel], text: Source) -> list[str]:
    """Every problem, in the order of the sections.

    Args:
        error: as pydantic found it.
        model: the class that it was checked against.
        text: where the values stand.
    """
    found = dict.fromkeys(_walk(error, model, (), text))  # branches of a union repeat themselves
    return [f"  {text.place(key)}: {'.'.join(map(str, key))}: {message}" for key, message in found]


def _walk(
    error: ValidationError, model: type[BaseModel], prefix: Key, text: Source
) -> Iterator[tuple[Key, str]]:
    details = error.errors()
    for detail in details:
        inner = detail.get("ctx", {}).get("error")
        key = (*prefix, *_without_branches(detail["loc"]))
        if isinstance(inner, OptionsInvalid):
            yield from _walk(inner.error, inner.model, key, text)
        elif not _is_echo(dict(detail), details):
            yield key, _message(dict(detail), model)


def _without_branches(loc: tuple[int | str, ...]) -> Key:
    """Leave out what pydantic adds to say which branch of a union it tried."""
    return tuple(
        part
        for part in loc
        if isinstance(part, int) or not (set(part) & set("[(-") or part[:1].isupper())
    )


def _is_echo(detail: dict[str, Any], details: list[Any]) -> bool:
    """Whether another problem says it better.

    The value is plainly meant for another branch of a union than this one; or a list is too
    short since its items were refused.
    """
    same = [d for d in details if _is_beside(d["loc"], detail["loc"])]
    if detail["type"] == "too_short" and detail["input"]:
        return len(same) > 1
    wants_word = detail["type"] == "literal_error" and not isinstance(detail["input"], str)
    wants_keys = detail["type"] in ("model_type", "dict_type")
    return len(same) > 1 and (wants_word or (wants_keys and isinstance(detail["input"], str)))


def _is_beside(loc: tuple, other: tuple) -> bool:
    key = _without_branches(other)
    return _without_branches(loc)[: len(key)] == key


def _message(detail: dict[str, Any], model: type[BaseModel]) -> str:
    loc = detail["loc"]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(str(loc[-1]), _section(model, loc[:-1]))
    if detail["type"] == "missing":
        return "is missing."
    words = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "value_error":
        return words if words.endswith(".") else f"{words}; got {_shown(detail['input'])}."
    return f"{words}; got {_shown(detail['input'])}."


def _unknown_key(name: str, section: type[BaseModel] | None) -> str:
    known = list(section.model_fields) if section else []
    near = get_close_matches(name, known, n=2)
    if near:
        return f"no such key. Did you mean {' or '.join(map(repr, near))}?"
    return f"no such key. Known here: {', '.join(known) or 'none'}."


def _section(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The class of the section at `loc`."""
    section: Any = model
    for part in _without_branches(loc):
        if isinstance(part, str):
            field = section.model_fields.get(part)
            section = _model_in(field.annotation) if field else None
        if section is None:
            return None
    return section


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model in an annotation such as `tuple[Phase, ...]` or `Split | Literal[...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model), None)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
