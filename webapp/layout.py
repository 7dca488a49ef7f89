"""The page: what stands where. What it says of films is filled in by assets/*.js."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from .panel_view import panel
from .viewer_view import stage
from .visit import Visit, attributes, button, icon, segments
from .wording import say, section
from .worklist_view import worklist

THEME = {
    "primaryColor": "teal",
    "primaryShade": {"light": 8, "dark": 4},
    "defaultRadius": "sm",
    "fontFamily": "Inter, 'Noto Sans', 'Liberation Sans', system-ui, sans-serif",
    "colors": {
        "teal": [
            *("#e6fbf7", "#cdf5ee", "#99ebdd", "#5eead4", "#2dd4bf"),
            *("#1fb9a6", "#14958a", "#0f766e", "#0d655f", "#0a4a46"),
        ],
        "dark": [
            *("#e3e8ec", "#c3ccd3", "#9fabb4", "#76838d", "#35414a"),
            *("#27313a", "#1b242b", "#131a20", "#0e1418", "#080c0f"),
        ],
    },
}

VIEWS = ("reading", "training", "model")
KEYS = (
    *(("↑ ↓  J K", "key_step"), ("O", "key_map"), ("0 1", "key_class"), ("[ ]", "key_opacity")),
    *(("W P Z", "key_tools"), ("I", "key_invert"), ("F R", "key_fit"), ("?", "keys")),
)
_GENERAL = ("research_use_only", "finding", "no_finding", "uncertain", "does_not_rule_out")
_PAGE = (
    *("viewer_empty", "hidden", "upload_kinds"),
    *("state_waiting", "state_refused", "state_withheld"),
)


def page(visit: Visit) -> Any:
    """The whole page."""
    training = [html.Div(visit.training, className="page-head"), html.Div(id="training-content")]
    content = [
        dcc.Store(id="mode", storage_type="local"),
        dcc.Store(id="boot", data=dict(visit.boot)),
        dcc.Store(id="sink"),
        dcc.Interval(id="tick", interval=2000, disabled=True),
        html.Header([_top(visit), _synthetic(visit)]),
        html.Div([worklist(visit), stage(visit), panel(visit)], id="reading", className="reading"),
        html.Main(training, id="training", className="page", hidden=True, tabIndex=0),
        html.Main(visit.model, id="model", className="page", hidden=True, tabIndex=0),
        html.Div(id="complaint", className="complaint", role="alert", hidden=True),
        html.Div(id="announce", className="unseen", role="status"),
        _keys(visit),
    ]
    return dmc.MantineProvider(content, id="provider", theme=THEME, forceColorScheme="dark")


def _top(visit: Visit) -> html.Div:
    names = html.Div(
        [html.Strong(visit.say("general.app")), html.Span(visit.say("general.tagline"))],
        className="brand",
    )
    right = [
        _research(visit),
        _models(visit),
        _language(visit),
        html.Button(
            icon("sun"),
            id="theme",
            n_clicks=0,
            type="button",
            className="action square",
            title=visit.say("theme"),
            **attributes(aria_label=visit.say("theme")),
        ),
        button(visit, "keyboard", "keys", "keys", className="action square"),
        _user(visit),
    ]
    content = [
        html.Div([icon("lungs", "logo"), names], className="left-end"),
        segments(visit, "view", VIEWS, "views", size="sm", className="views"),
        html.Div(right, className="right-end"),
    ]
    return html.Div(content, className="top")


def _research(visit: Visit) -> html.Span:
    more = html.Span(f" · {visit.say('general.not_a_device')}", className="wide")
    content = [icon("alert"), html.B(visit.say("general.research_use_only")), more]
    return html.Span(content, className="research", role="note")


def _models(visit: Visit) -> Any:
    facts = visit.card.facts
    networks = {card.weights: card for card in reversed(visit.cards)} | {
        visit.card.weights: visit.card
    }
    if len(networks) == 1:
        title = f"{facts['version']} · SHA-256 {visit.card.weights}"
        content = [facts["title"], " ", html.B(visit.card.weights[:8])]
        return html.Span(content, className="chip wide", title=title)
    data = [
        {"value": card.key, "label": f"{card.facts['title']} · {card.weights[:8]}"}
        for card in reversed(networks.values())
    ]
    told = attributes(aria_label=visit.say("choose_model"))
    return dmc.Select(
        id="models", value=visit.card.key, data=data, size="xs", w=230, allowDeselect=False, **told
    )


def _language(visit: Visit) -> html.A:
    other, word = "en" if visit.language == "es" else "es", visit.say("other_language")
    content = [icon("language"), html.Span(word, className="wide")]
    told = {"title": word, **attributes(aria_label=word)}
    return html.A(content, href=f"/language/{other}", className="action", lang=other, **told)


def _user(visit: Visit) -> html.Details:
    account, leave = visit.say("change_password"), visit.say("sign_out")
    menu = [
        html.Strong(visit.user),
        html.A(account, href="/account/password", className="menu-line"),
        html.Button(leave, type="button", className="menu-line", **attributes(data_act="leave")),
    ]
    told = attributes(aria_label=visit.say("account", name=visit.user))
    name = [icon("user"), html.Span(visit.user, className="wide")]
    head = html.Summary(name, className="action", title=visit.user, **told)
    return html.Details([head, html.Div(menu, className="menu")], className="user")


def _synthetic(visit: Visit) -> Any:
    if not visit.card.facts["synthetic"]:
        return None
    return html.P([icon("flask"), visit.say("synthetic")], className="synthetic", role="note")


def _keys(visit: Visit) -> html.Dialog:
    lines = [
        part
        for key, name in (*KEYS, (visit.say("space"), "key_peek"))
        for part in (html.Dt(html.Kbd(key)), html.Dd(visit.say(name)))
    ]
    head = html.H2(visit.say("keys"), id="keys-title")
    close = html.Button(
        visit.say("close"), type="button", className="export", **attributes(data_act="shut")
    )
    told = attributes(aria_labelledby="keys-title")
    return html.Dialog([head, html.Dl(lines, className="keys"), close], id="keys", **told)


def texts(language: str) -> dict[str, str]:
    """The sentences that assets/*.js say."""
    return {
        **section(language, "script"),
        **{key: say(language, f"general.{key}") for key in _GENERAL},
        **{key: say(language, f"page.{key}") for key in _PAGE},
    }
