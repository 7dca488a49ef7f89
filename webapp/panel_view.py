"""The right of the page: result, meaning, the doctor's reading; assets/panel.js fills it."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from .visit import Visit, attributes, icon
from .wording import number

VERDICTS = (("finding", "flag"), ("no_finding", "circle-check"), ("uncertain", "help"))
EXPORTS = (("pdf", "pdf"), ("png", "picture"), ("dicom", "file"), ("csv", "table"))


def panel(visit: Visit) -> html.Aside:
    """What the model found, what that is worth, and what the doctor says."""
    outcome = html.Div(id="outcome", **attributes(aria_live="polite"))
    similar = [
        html.Div(id="similar", className="similar"),
        html.P(visit.say("similar_caveat"), className="note"),
    ]
    cards = [
        _card("flame", visit.say("result"), outcome),
        _threshold(visit),
        _reading(visit),
        _card("shield", visit.say("checks_title"), html.Ul(id="checks", className="checks")),
        _card("similar", visit.say("similar"), *similar, id="similar-card"),
    ]
    told = attributes(aria_label=visit.say("result"))
    scroll = html.Div(cards, className="scroll", tabIndex=0, role="region", **told)
    label = attributes(aria_label=visit.say("panel"))
    return html.Aside([scroll, _exports(visit)], className="panel", **label)


def _card(picture: str, title: str, *content: Any, **more: Any) -> html.Section:
    head = html.Div([icon(picture), html.H2(title)], className="card-head")
    return html.Section([head, *content], className="card", **more)


def _threshold(visit: Visit) -> html.Section:
    values = sorted({one["threshold"] for one in visit.boot["presets"]}, reverse=True)
    presets = [{"value": str(value), "label": number(visit.language, value, 2)} for value in values]
    measured = visit.card.facts["metrics"]["sensitivity"]
    counts = {name: measured[name] for name in ("images", "patients")}
    told = html.Output(id="threshold-told", className="told")
    head = [icon("sliders"), html.H2(visit.say("threshold")), told]
    content = [
        html.Div(head, className="card-head"),
        dmc.SegmentedControl(
            id="threshold-preset", value=str(visit.threshold), data=presets, size="xs",
            fullWidth=True, **attributes(aria_label=visit.say("threshold_presets")),
        ),
        dmc.Slider(
            id="threshold", value=visit.threshold, min=0.01, max=0.99, step=0.01, size="sm",
            label=None, thumbLabel=visit.say("threshold"), updatemode="drag", mt=10, mb=4,
        ),
        html.Div(id="operating", className="operating"),
        html.P(id="threshold-origin", className="note"),
        html.P(visit.say("measured_on", **counts), className="note"),
    ]  # fmt: skip
    return html.Section(content, className="card")


def _reading(visit: Visit) -> html.Section:
    title = visit.say("your_reading")
    buttons = [
        html.Button(
            [icon(picture), visit.say(f"general.{name}")],
            id=f"read-{name}",
            type="button",
            className=f"verdict-{name}",
            **attributes(aria_pressed="false"),
        )
        for name, picture in VERDICTS
    ]
    content = [
        html.Div(buttons, className="verdicts", role="group", **attributes(aria_label=title)),
        html.Label(visit.say("note"), htmlFor="note", className="label"),
        dcc.Textarea(id="note", className="note-field", maxLength=2000, rows=2),
        html.P(id="reading-state", className="note"),
        dmc.Switch(
            id="read-first",
            checked=visit.read_first,
            label=visit.say("read_first"),
            size="xs",
            mt=8,
        ),
    ]
    return _card("user", title, *content)


def _exports(visit: Visit) -> html.Div:
    links = [
        html.A(
            [icon(picture), visit.say(f"export_{kind}")],
            id=f"export-{kind}",
            className="export",
            download="",
        )
        for kind, picture in EXPORTS
    ]
    words: list[Any] = [icon("trash"), visit.say("remove")]
    remove = html.Button(words, id="remove", type="button", className="export quiet-button")
    told = attributes(aria_label=visit.say("exports"))
    return html.Div([*links, remove], className="exports", role="group", **told)
