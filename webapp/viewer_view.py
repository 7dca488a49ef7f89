"""The middle of the page: a film with its tools and its maps; assets/viewer.js draws it."""

import dash_mantine_components as dmc
from dash import html

from .visit import Visit, attributes, button, icon, segments

PRESETS = ("file", "lung", "mediastinum", "bone")
LAYOUTS = ("single", "split", "classes")
COLOURS = ("inferno", "viridis", "cividis")


def stage(visit: Visit) -> html.Main:
    """A film and all that is done with it."""
    words = [icon("lungs"), html.P(visit.say("viewer_empty"))]
    empty = html.Div(words, id="viewer-empty", className="empty")
    content = [
        html.H1(visit.say("viewer"), className="unseen"),
        _tools(visit),
        html.Div([html.Div(id="viewer", className="viewer"), empty], id="stage", className="stage"),
        _overlay(visit),
        html.P([icon("info"), visit.say("general.map_caveat")], className="caveat"),
    ]
    return html.Main(content, className="middle")


def _tools(visit: Visit) -> html.Div:
    def tool(picture: str, act: str, **state: str) -> html.Button:
        return button(visit, picture, f"tool_{act}", act, className="tool", **state)

    on, off = attributes(aria_pressed="true"), attributes(aria_pressed="false")
    hands = [
        tool("contrast", "window", **on),
        tool("hand", "pan", **off),
        tool("zoom", "zoom", **off),
    ]
    acts = [
        tool("invert", "invert", **off),
        tool("fit", "fit"),
        tool("reset", "reset"),
        tool("full", "full"),
    ]
    content = [
        html.Div(hands, className="tools-group"),
        html.Div(acts, className="tools-group"),
        segments(visit, "preset", PRESETS, "presets"),
        html.Span(className="space"),
        segments(visit, "layout", LAYOUTS[:2] if visit.siblings else LAYOUTS, "layouts"),
    ]
    told = attributes(aria_label=visit.say("tools"))
    return html.Div(content, className="tools", role="toolbar", **told)


def _overlay(visit: Visit) -> html.Div:
    names, labels = visit.boot["classes"], visit.boot["labels"]
    classes = [{"value": str(one), "label": f"{one} · {names[one]}"} for one in labels]
    shown, label = {"size": "xs"}, attributes(aria_label=visit.say("map_class"))
    content = [
        dmc.Switch(id="map-on", checked=True, label=visit.say("map", method=visit.boot["method"])),
        dmc.SegmentedControl(
            id="map-class", value="1", data=classes, **shown, **label
        ),
        _slider(visit, "map-opacity", "opacity", 45, 100),
        _slider(visit, "map-cut", "cut_off", 25, 90),
        dmc.Select(
            id="map-colours", value=COLOURS[0], data=list(COLOURS), w=96, allowDeselect=False,
            **shown, **attributes(aria_label=visit.say("colours")),
        ),
    ]  # fmt: skip
    told = attributes(aria_label=visit.say("map_controls"))
    return html.Div(content, className="overlay", role="group", **told)


def _slider(visit: Visit, name: str, key: str, value: int, most: int) -> html.Div:
    label = visit.say(key)
    slider = dmc.Slider(
        id=name, value=value, min=0, max=most, size="sm", label=None, w=84, thumbLabel=label,
        updatemode="drag",
    )  # fmt: skip
    return html.Div([html.Span(label), slider, html.Output(id=f"{name}-told")], className="slider")
