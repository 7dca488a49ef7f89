"""What every export says of a result, in words: one phrasing for pictures, paper and DICOM."""

import datetime as dt
import unicodedata

from ..wording import number, percent, say
from .result import Result

HASH_SHOWN = 12  # characters of a SHA-256 where there is no room for 64
_UNSEEN = {"Cc", "Cf", "Cs"}  # control, format, surrogates: unseen, or not to be encoded
_KEPT = {"\n", "\t"}


def plain(text: str) -> str:
    """Text with nothing unseen in it: what cannot be seen becomes the replacement character.

    A file name may hold a sign that turns the reading direction, so that it reads as another one.

    >>> plain("gpj.exe\\N{RIGHT-TO-LEFT OVERRIDE}")
    'gpj.exe�'
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in _UNSEEN and character not in _KEPT
        else character
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def one_line(text: str, length: int) -> str:
    """Text as one plain line of at most `length` characters, shortened in its middle.

    >>> one_line("a-very-long-name.dcm", 11)
    'a-ver…e.dcm'
    """
    line = " ".join(plain(text).split())
    if len(line) <= length:
        return line
    half = (length - 1) // 2
    return f"{line[:half]}…{line[-half:]}"


def moment(when: dt.datetime) -> str:
    """A moment in UTC, the same in both languages.

    >>> moment(dt.datetime(2026, 11, 22, 20, 29))
    '2026-11-22 20:29 UTC'
    """
    return when.strftime("%Y-%m-%d %H:%M UTC")


def figures(result: Result) -> tuple[str, str]:
    """The probability of the positive class and the threshold, with three digits, or with as many
    more as it takes to see on which side of the threshold the film is.
    """
    digits = 3
    while (
        round(result.probability, digits) >= round(result.threshold, digits)
    ) is not result.is_above:
        digits += 1
    score, threshold = result.probability, result.threshold
    return number(result.language, score, digits), number(result.language, threshold, digits)


def percentage(result: Result) -> str:
    """The probability of the positive class in whole per cent; never 0 or 100, as nothing is sure.

    Returns:
        Such as `63%`, `<1%` or `>99%`, as the language writes it.
    """
    if result.probability < 0.005:
        return "<" + percent(result.language, 0.01)
    if result.probability >= 0.995:
        return ">" + percent(result.language, 0.99)
    return percent(result.language, result.probability)


def call(result: Result) -> str:
    """On which side of the threshold the film is."""
    return say(result.language, "exports.above" if result.is_above else "exports.below")


def below(result: Result) -> str:
    """The sentence that no film below the threshold may go without; empty for one above it."""
    return "" if result.is_above else say(result.language, "general.does_not_rule_out")


def research(result: Result) -> str:
    """What these results are for."""
    use = say(result.language, "general.research_use_only")
    return f"{use} · {say(result.language, 'general.not_a_device')}"


def model(result: Result) -> str:
    """The model's title and version, short enough for one line."""
    return f"{one_line(result.model.title, 60)} · {one_line(result.model.version, 60)}"


def weights(result: Result) -> str:
    """The first characters of the hash of the weights."""
    return say(result.language, "exports.weights_were", weights=result.model.weights[:HASH_SHOWN])


def class_name(result: Result, label: int) -> str:
    """The name of a class, short enough for a line."""
    return one_line(result.classes[label], 40)


def verdict(result: Result) -> str:
    """What the doctor reads in the film, and when."""
    if result.verdict is None:
        return say(result.language, "exports.not_read")
    read = say(result.language, f"general.{result.verdict}")
    if result.read_at is None:
        return read
    return say(result.language, "exports.read_at", verdict=read, moment=moment(result.read_at))


def sides(result: Result) -> tuple[str, str] | None:
    """The letters for the left and the right edge of the picture; None where they are unknown."""
    across = {
        "L": ("right", "left"),
        "R": ("left", "right"),
        "A": ("posterior", "anterior"),
        "P": ("anterior", "posterior"),
    }
    ends = across.get(result.orientation[0][:1]) if result.orientation else None
    if ends is None:
        return None
    left, right = (say(result.language, f"exports.{end}") for end in ends)
    return left, right
