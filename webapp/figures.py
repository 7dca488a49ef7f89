"""Charts of the training view: their colours follow the theme, their axes have names."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from .card import Card
from .wording import say

_COLOURS = {"dark": ("#2dd4bf", "#fbbf24"), "light": ("#0f766e", "#b45309")}
_LINES = {"dark": ("#c3ccd3", "#27313a"), "light": ("#33404a", "#dfe5ea")}
_DOTTED = {"color": "#8b98a2", "dash": "dot", "width": 1}
_SILENT: dict[str, Any] = {"showlegend": False, "hoverinfo": "skip"}
_RATES = ("sensitivity", "specificity")
MARKED = (0.2, 0.4, 0.5)  # the thesis's thresholds


def history(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    words: Sequence[str],
    theme: str,
    best: int | None,
) -> go.Figure:
    """Lines by epoch.

    Args:
        table: `history.csv`.
        columns: the columns to draw -> their names.
        words: names of the two axes.
        theme: `dark` or `light`.
        best: the epoch to mark, if any.
    """
    figure = go.Figure()
    styles = zip(_COLOURS[theme], ("solid", "dash"), strict=True)
    for (column, name), (colour, dash) in zip(columns.items(), styles, strict=True):
        if column in table:
            line = {"color": colour, "width": 2.4, "dash": dash}
            marks = {"mode": "lines+markers", "marker": {"size": 5}}
            figure.add_scatter(x=table["epoch"], y=table[column], name=name, line=line, **marks)
    if best is not None:
        figure.add_vline(best, line=_DOTTED)
    return _styled(figure, words, theme)


def roc(card: Card, language: str, theme: str) -> go.Figure:
    """Sensitivity by 1 - specificity on the test images, with the thresholds on it."""
    first, second = _COLOURS[theme]
    curve = card.facts["roc"]
    figure = go.Figure()
    line = {"color": first, "width": 2.4}
    rates = {"x": curve["rate"], "y": curve["sensitivity"]}
    figure.add_scatter(**rates, name="ROC", mode="lines", line=line)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=_DOTTED, **_SILENT)
    marked = sorted({*MARKED, card.default_threshold})
    marks = [card.operating(threshold) for threshold in marked]
    known = [mark for mark in marks if mark["sensitivity"] and mark["specificity"]]
    figure.add_scatter(
        x=[1 - mark["specificity"][0] for mark in known],
        y=[mark["sensitivity"][0] for mark in known],
        text=[f"{mark['threshold']:g}" for mark in known],
        mode="markers+text", cliponaxis=False,
        textposition=[("bottom right", "bottom left")[place % 2] for place in range(len(known))],
        marker={"size": 10, "color": second, "symbol": "diamond"},
        name=say(language, "page.threshold"),
    )  # fmt: skip
    words = (
        f"1 \N{MINUS SIGN} {say(language, 'script.specificity')}",
        say(language, "script.sensitivity"),
    )
    styled = _styled(figure, words, theme)
    styled.update_xaxes(range=[-0.01, 1])
    styled.update_yaxes(range=[0, 1.02])
    return styled


def by_threshold(card: Card, language: str, theme: str) -> go.Figure:
    """Sensitivity and specificity at every threshold, with the bands of their intervals."""
    figure = go.Figure()
    for name, colour, dash in zip(_RATES, _COLOURS[theme], ("solid", "dash"), strict=True):
        known = [row for row in card.facts["operating"] if row[name]]
        at = [row["threshold"] for row in known]
        value, low, high = ([row[name][place] for row in known] for place in (0, 1, 2))
        band = {"fill": "toself", "fillcolor": colour, "opacity": 0.15, "line": {"width": 0}}
        figure.add_scatter(x=at + at[::-1], y=high + low[::-1], **band, **_SILENT)
        line = {"color": colour, "width": 2.4, "dash": dash}
        word = say(language, f"script.{name}")
        figure.add_scatter(x=at, y=value, name=word, mode="lines", line=line)
    styled = _styled(figure, (say(language, "page.threshold"), say(language, "page.share")), theme)
    styled.update_yaxes(range=[0, 1.02])
    return styled


def _styled(figure: go.Figure, words: Sequence[str], theme: str) -> go.Figure:
    text, grid = _LINES[theme]
    axis: dict[str, Any] = {"gridcolor": grid, "zeroline": False}
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": text, "size": 12},
        margin={"l": 54, "r": 14, "t": 8, "b": 44},
        legend={"orientation": "h", "y": 1.14, "x": 0},
        hovermode="x unified",
        xaxis={"title": words[0], **axis},
        yaxis={"title": words[1], **axis},
        uirevision="keep",
        height=300,
    )
    return figure
