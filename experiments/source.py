"""YAML as text to plain data, with the line of every value.

Narrower than YAML, for a spec may come from a stranger: UTF-8 up to 1 MiB, 100,000 values, no
aliases, no tags, no key twice, 20 levels at most; scalars as in YAML 1.2, so that `1e-3` is a
number and `no` is a word; no number that a float cannot hold, and no NUL.
"""

import copy
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import SpecError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 100_000  # keys count, too
MAX_DIGITS = 300  # of a number
_NO_TEXT = re.compile("[\0\ud800-\udfff]")

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
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)  # a device has no end
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}. Specs end in .yaml.") from None
    except ValueError as error:  # NUL in its name
        raise SpecError(f"{str(path)!r} is no name of a file: {error}.") from None
    if len(text) > MAX_BYTES:
        raise SpecError(f"{path} is too large; of bytes a spec has {MAX_BYTES} at most.")
    return parse(text, str(path))


def parse(text: bytes | str, name: str) -> Source:
    """Read YAML from memory; `name` stands in messages.

    Raises:
        SpecError: it is not YAML as described above.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        _refuse_what_expands(text, name)
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
    key: Key = tuple(_part(part) for part in dotted.split("."))
    data = copy.deepcopy(text.data)
    _put(data, key, value, place)
    kept = {old: where for old, where in text.places.items() if old[: len(key)] != key}
    return Source(data, {**kept, key: place})


def _part(word: str) -> str | int:
    """A place in a list, or a key."""
    return int(word) if re.fullmatch("[0-9]{1,6}", word) else word


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


def text_of(data: Any) -> str:
    """Plain data as YAML that is read alike here and by YAML 1.1, whose `no` is no word."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """Scalars as the core schema of YAML 1.2 reads them."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012  PyYAML's own way


class _Dumper(yaml.SafeDumper):
    """Puts quotes around texts that either version of YAML would take for something else."""


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    for _class in _Loader, _Dumper:
        _class.add_implicit_resolver(
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
    return _scalar(node, places[key])


def _scalar(node: yaml.Node, place: str) -> Any:
    read = _SCALARS[node.tag]
    if read not in (int, float):
        return read(_text(node.value, place))
    if len(node.value) > MAX_DIGITS or not math.isfinite(float(node.value)):
        raise SpecError(f"{place}: {node.value[:20]}... is too large for a number.")
    return read(node.value)


def _text(value: str, place: str) -> str:
    """A text that can be written to a file, and be the name of one."""
    if _NO_TEXT.search(value):
        raise SpecError(f"{place}: holds NUL or half a surrogate pair, which no text has.")
    return value


def _mapping(node: yaml.MappingNode, key: Key, places: dict[Key, str], name: str) -> dict:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = f"{name}:{key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise SpecError(f"{line}: a key must be a word.")
        word = _text(key_node.value, line)
        if word in values:
            raise SpecError(f"{line}: {'.'.join(map(str, (*key, word)))} stands here twice.")
        places[(*key, word)] = line
        values[word] = _value(value_node, (*key, word), places, name)
    return values


def _refuse_what_expands(text: str, name: str) -> None:
    """Aliases, tags, depth and mere number, before anything is built."""
    depth = values = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(f"{name}:{line}: aliases (*{event.anchor}) are not allowed in a spec.")
        if getattr(event, "tag", None) is not None:
            raise SpecError(f"{name}:{line}: tags (!...) are not allowed in a spec.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SpecError(f"{name}:{line}: nested more than {MAX_DEPTH} levels deep.")
        values += isinstance(event, yaml.NodeEvent)
        if values > MAX_VALUES:
            raise SpecError(f"{name}:{line}: more than {MAX_VALUES} values; a spec has fewer.")


def _short(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f": not YAML: {str(error).splitlines()[0]}"
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    return f":{mark.line + 1}: not YAML: {getattr(error, 'problem', error)} ({where})."
