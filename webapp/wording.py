"""The sentences of the reading room in Spanish and English: `wording.yaml`, one key a sentence."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("es", "en")
NOTHING = "\N{EN DASH}"  # stands where there is no figure


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Every sentence: `section.key` -> {language: text}."""
    with (Path(__file__).parent / "wording.yaml").open(encoding="utf-8") as file:
        sections = yaml.safe_load(file)
    return {
        f"{section}.{key}": texts
        for section, keys in sections.items()
        for key, texts in keys.items()
    }


def say(language: str, key: str, **values: Any) -> str:
    """A sentence with its values filled in, numbers as that language writes them.

    >>> say("es", "exports.threshold_was", threshold=number("es", 0.4, 2))
    'umbral de decisión 0,40'
    """
    return sentences()[key][language].format(**values)


def section(language: str, name: str) -> dict[str, str]:
    """The sentences of one section by their keys, values not filled in."""
    start = f"{name}."
    return {
        key.removeprefix(start): texts[language]
        for key, texts in sentences().items()
        if key.startswith(start)
    }


def has(key: str) -> bool:
    """Whether there is such a sentence."""
    return key in sentences()


def number(language: str, value: float, digits: int = 0) -> str:
    """A number with its decimal sign.

    >>> number("es", 0.873, 2), number("en", 0.873, 2)
    ('0,87', '0.87')
    """
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "es" else text


def percent(language: str, share: float, digits: int = 0) -> str:
    """A share in [0, 1] as a percentage.

    >>> percent("es", 0.873), percent("en", 0.873)
    ('87\xa0%', '87%')
    """
    return number(language, 100 * share, digits) + (
        "\N{NO-BREAK SPACE}%" if language == "es" else "%"
    )
