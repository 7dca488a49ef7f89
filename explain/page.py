"""Explanations of several images on one page that can be sent by mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import RunError
from ..experiments import pages
from . import pictures
from .evidence import Explanation


@dataclass(frozen=True)
class Group:
    """Explanations under one heading.

    Attributes:
        title: the heading.
        text: what is to be said of them; may be empty.
        explanations: each with the name of its picture in the folder.
    """

    title: str
    text: str
    explanations: Sequence[tuple[Explanation, str]]


def write(folder: Path, title: str, about: str, groups: Sequence[Group], synthetic: bool) -> Path:
    """Write `explanations.html` beside the pictures.

    Raises:
        RunError: it cannot be written.
    """
    text = pages.render(
        "explanations.html.j2",
        folder=Path(__file__).parent,
        title=title,
        about=about,
        use=pictures.USE,
        worth=pictures.WORTH,
        synthetic=synthetic,
        groups=[_group(folder, group) for group in groups],
    )
    path = folder / "explanations.html"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _group(folder: Path, group: Group) -> dict[str, object]:
    shown = [
        {"picture": pages.picture(folder, name), "words": words(explanation)}
        for explanation, name in group.explanations
    ]
    return {"title": group.title, "text": group.text, "pictures": shown}


def words(explanation: Explanation) -> str:
    """An explanation without its picture, for whoever does not see it."""
    odds = ", ".join(
        f"{name} {p:.3f}" + " (no evidence)" * explanation.is_empty(label)
        for label, (name, p) in enumerate(
            zip(explanation.classes, explanation.probabilities, strict=True)
        )
    )
    truth = f"; truth: {explanation.truth}" if explanation.truth else ""
    return f"{explanation.name}: {odds}{truth}"
