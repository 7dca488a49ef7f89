"""Who looks at what, for those who lay the page out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html
from flask import request

from .card import Card
from .wording import say

COOKIE = "radzoo_model"  # which model is shown, by its key


def chosen(cards: Mapping[str, Card]) -> Card:
    """The card of the model that the browser of this request shows."""
    asked = request.cookies.get(COOKIE, "")
    return cards[asked] if asked in cards else next(iter(cards.values()))


@dataclass(frozen=True)
class Visit:
    """Who looks at what.

    Attributes:
        language: `es` or `en`.
        user: their name.
        card: of the model that is shown.
        cards: of all models.
        threshold: where the user cuts this model's probabilities.
        read_first: whether the user reads before the model is shown.
        boot: what assets/room.js is given.
        training, model: contents of the other two views.
    """

    language: str
    user: str
    card: Card
    cards: Sequence[Card]
    threshold: float
    read_first: bool
    boot: Mapping[str, Any]
    training: Sequence[Any]
    model: Sequence[Any]

    @property
    def siblings(self) -> list[Card]:
        """Of all findings of this model; none where it tells two classes."""
        if self.card.finding is None:
            return []
        return [one for one in self.cards if one.weights == self.card.weights]

    def say(self, key: str, **values: Any) -> str:
        """A sentence of the page in the visitor's language."""
        return say(self.language, key if "." in key else f"page.{key}", **values)


def icon(name: str, more: str = "") -> html.Span:
    """A picture without meaning of its own; see assets/icons.css."""
    return html.Span(className=f"icon icon-{name} {more}".strip(), **attributes(aria_hidden="true"))


def attributes(**named: Any) -> dict[str, Any]:
    """Attributes whose names have a dash: `aria_label` becomes `aria-label`."""
    return {name.replace("_", "-"): value for name, value in named.items()}


def segments(visit: Visit, name: str, keys: Sequence[str], label: str, **more: Any) -> Any:
    """A choice of one among a few, the first at the start.

    Args:
        visit: whose language it speaks.
        name: its id; the words are `page.NAME_KEY`.
        keys: its values.
        label: of the whole, a key.
        more: properties of the control.
    """
    data = [{"value": key, "label": visit.say(f"{name}_{key}")} for key in keys]
    told = attributes(aria_label=visit.say(label))
    return dmc.SegmentedControl(id=name, value=keys[0], data=data, **{"size": "xs", **more}, **told)


def button(visit: Visit, picture: str, key: str, act: str, **more: Any) -> html.Button:
    """A button that is only a picture; assets/room.js does what `act` names."""
    label = visit.say(key)
    told = {**attributes(data_act=act, aria_label=label), **more}
    return html.Button(icon(picture), type="button", title=label, **told)
