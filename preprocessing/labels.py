"""From the labels that a file gives to the classes that a spec names."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

Label = str | int | float | bool
Classes = dict[str, Label | list[Label]] | list[Label]

IGNORED = -1


class Assigned(NamedTuple):
    """Which class each row has."""

    classes: tuple[str, ...]
    labels: np.ndarray  # (rows,), index into `classes`, or IGNORED
    unknown: Counter[str]  # labels that no class and no `ignore` lists: how often


def assign(values: Sequence[Label], classes: Classes, ignore: Iterable[Label] = ()) -> Assigned:
    """Give each label its class; several labels may share one.

    Args:
        values: the labels as the file has them.
        classes: the names in order (the last is the positive class), each with its labels;
            or a list of labels that are their own names. `*` in a label stands for anything:
            `"*"` takes what no other class lists, `"*Pneumonia*"` a finding among several.
            Where several fit, a label written in full counts, else the longest pattern.
        ignore: labels whose rows are left out; written like those of the classes.
    """
    named = _listed(classes)
    rules = [(text, index) for index, labels in enumerate(named.values()) for text in labels]
    rules += [(text_of(label), IGNORED) for label in ignore]
    texts = [text_of(value) for value in values]
    chosen = {text: _first(text, rules) for text in set(texts)}
    unknown = Counter(text for text in texts if chosen[text] is None)
    labels = np.array([IGNORED if chosen[t] is None else chosen[t] for t in texts], dtype=int)
    return Assigned(tuple(named), labels, unknown)


def text_of(label: object) -> str:
    """A label as text, the same from a CSV, an array and YAML: `1`, `1.0` and b"1" are "1"."""
    text = label.decode() if isinstance(label, bytes) else str(label)
    return re.sub(r"^(-?\d+)\.0*$", r"\1", text.strip())


def many(labels: Label | list[Label]) -> list[Label]:
    """One label or several, as a list."""
    return labels if isinstance(labels, list) else [labels]


def _listed(classes: Classes) -> dict[str, list[str]]:
    pairs = classes.items() if isinstance(classes, Mapping) else ((str(c), c) for c in classes)
    return {str(name): [text_of(label) for label in many(given)] for name, given in pairs}


def _first(text: str, rules: list[tuple[str, int]]) -> int | None:
    fits = [(rule == text, len(rule), index) for rule, index in rules if _matches(text, rule)]
    return max(fits)[2] if fits else None


def _matches(text: str, rule: str) -> bool:
    if "*" not in rule:
        return text == rule
    return fnmatchcase(text, rule.replace("[", "[[]").replace("?", "[?]"))
