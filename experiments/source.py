"""YAML as text to plain data, with the line of every value.

Narrower than YAML, for a spec may come from a stranger: UTF-8 up to 1 MiB, no aliases, no
tags, no key twice, 20 levels at most; scalars as in YAML 1.2, so that `1e-3` is a number
and `no` is a word.
"""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import SpecError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20

Key = tuple[str | int, ...]  # a way through mappings and lists


@dataclass(frozen=True)
class Source:
    """What a file says.

    Attributes:
        data: mappings, lists and scalars.
        places: where each value stands, as `spec.yaml:12`.
    """

    data: Any
    places: dict[Key, str]

    def place(self, key: Key) -> str:
        """Where `key` stands, or the nearest thing around it that does."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, "")


def read(path: Path) -> Source:
    """Read a YAML file.

    Raises:
        SpecError: there is no such file, or it is not YAML as described above.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}. Specs end in .yaml.") from None
    if len(text) > MAX_BYTES:
        raise SpecError(f"{path} has {len(text)} bytes; a spec has {MAX_BYTES} at most.")
    return parse(text, str(path))


def parse(text: bytes | str, name: str) -> Source:
    """Read YAML from memory; `name` stands in messages.

    Raises:
        SpecError: it is not YAML as described above.
    """
    try:
        _refuse_aliases_and_depth(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{name}{_short(error)}") from error
    places: dict[Key, str] = {(): name}
    return Source(_value(node, (), places, name), places)


def overridden(text: Source, override: str) -> Source:
    """Set one value from the command line.

    Args:
        override: `a.b=value`, the value in YAML: `training.epochs=5`.

    Raises:
        SpecError: it is not of that form, or goes through something that holds no keys.
    """
    dotted, sign, value = override.partition("=")
    if not sign or not all(dotted.split(".")):
        raise SpecError(f"--set takes key=value, such as training.epochs=5; got {override!r}.")
    place = f"--set {override}"
    return replaced(text, dotted, parse(value, place).data, place)


def replaced(text: Source, dotted: str, value: Any, place: str) -> Source:
    """Set one value.

    Args:
        dotted: a key such as `training.epochs`; `preprocessing.0.rows` goes through a list.
        place: where the value comes from, for messages.

    Raises:
        SpecError: the key goes through something that holds no keys.
    """
    key: Key = tuple(int(part) if part.isdecimal() else part for part in dotted.split("."))
    data = copy.deepcopy(text.data)
    _put(data, key, value, place)
    kept = {old: where for old, where in text.places.items() if old[: len(key)] != key}
    return Source(data, {**kept, key: place})


def _put(data: Any, key: Key, value: Any, place: str) -> None:
    *way, last = key
    try:
        for part in way:
            if isinstance(data, dict):
                data.setdefault(part, {})
            if isinstance(data[part], str):  # a name may stand for a section
                data[part] = {"name": data[part]}
            data = data[part]
        data[last] = value
    except (TypeError, IndexError, KeyError):
        raise SpecError(f"{place}: there is nothing in the spec that holds {last!r}.") from None


class _Loader(yaml.SafeLoader):
    """Scalars as the core schema of YAML 1.2 reads them."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012  PyYAML's own way


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )

_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


def _value(node: yaml.Node | None, key: Key, places: dict[Key, str], name: str) -> Any:
    if node is None:
        return None
    places.setdefault(key, f"{name}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, places, name)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*key, i), places, name) for i, item in enumerate(node.value)]
    if node.tag not in _SCALARS:
        raise SpecError(f"{places[key]}: tag {node.tag!r} is not allowed in a spec.")
    return _SCALARS[node.tag](node.value)


def _mapping(node: yaml.MappingNode, key: Key, places: dict[Key, str], name: str) -> dict:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = f"{name}:{key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise SpecError(f"{line}: a key must be a word.")
        word = key_node.value
        if word in values:
            raise SpecError(f"{line}: {'.'.join(map(str, (*key, word)))} stands here twice.")
        places[(*key, word)] = line
        values[word] = _value(value_node, (*key, word), places, name)
    return values


def _refuse_aliases_and_depth(text: bytes | str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise SpecError(f"{name}:{line}: aliases (*{event.anchor}) are not allowed in a spec.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SpecError(f"{name}: nested more than {MAX_DEPTH} levels deep.")


def _short(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f": not YAML: {str(error).splitlines()[0]}"
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    return f":{mark.line + 1}: not YAML: {getattr(error, 'problem', error)} ({where})."
