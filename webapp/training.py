"""The training view: the epochs of a run, finished or still going on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html

from ..experiments import source
from . import figures, telling
from .card import Card
from .service import Room
from .visit import attributes
from .wording import NOTHING, number, say

MOST = 200  # runs to choose from, the latest first
_TOOLS: Any = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}


@dataclass(frozen=True)
class Watched:
    """A run directory as far as it has come.

    Attributes:
        folder: of the run.
        manifest: `manifest.json`.
        spec: `spec.yaml`.
        history: `history.csv`; empty before the first epoch ends.
    """

    folder: Path
    manifest: dict[str, Any]
    spec: dict[str, Any]
    history: pd.DataFrame

    @property
    def is_finished(self) -> bool:
        """Whether it went to its end."""
        return (self.folder / "metrics.json").exists()

    @property
    def epochs(self) -> int:
        """How many there are to be, early stopping aside."""
        phases = self.spec["training"].get("phases") or [self.spec["training"]]
        return sum(int(phase.get("epochs", 0)) for phase in phases)

    @property
    def best(self) -> int | None:
        """The epoch that is best by what training watches."""
        monitor = self.spec["training"]["monitor"]
        if monitor not in self.history or self.history[monitor].isna().all():
            return None
        column = self.history[monitor]
        place = column.idxmin() if monitor.endswith("loss") else column.idxmax()
        return int(self.history["epoch"][place])


def runs(room: Room) -> dict[str, Path]:
    """The runs that can be watched: those that are served, and those that lie beside them."""
    found = {folder.resolve() for folder in room.runs.values()}
    for folder in room.runs.values():
        beside = folder.resolve().parent.parent.glob("*/*/manifest.json")
        latest = sorted(beside, key=lambda path: path.stat().st_mtime, reverse=True)
        found |= {path.parent for path in latest[:MOST]}
    served = [folder.resolve() for folder in room.runs.values()]
    ordered = [*served, *sorted(found - set(served))]
    return {f"{folder.parent.name}/{folder.name}": folder for folder in ordered}


def watch(folder: Path) -> Watched:
    """Read a run directory as it is now; what is not there yet is empty."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    spec = source.read(folder / "spec.yaml").data
    try:
        history = pd.read_csv(folder / "history.csv")
    except (OSError, pd.errors.EmptyDataError):
        history = pd.DataFrame({"epoch": []})
    return Watched(folder, manifest, spec, history)


def content(room: Room, language: str, chosen: str, theme: str, card: Card) -> list[Any]:
    """What the view shows below the choice of the run; the other views are of `card`."""
    folder = runs(room).get(chosen)
    if folder is None:
        return [html.P(say(language, "training.gone"))]
    watched = watch(folder)
    return [
        _head(watched, language),
        html.Div([_figure(*one) for one in _numbers(watched, language)], className="figures"),
        dmc.Progress(
            value=100 * min(1.0, len(watched.history) / max(watched.epochs, 1)), size="sm",
            **attributes(aria_label=say(language, "training.epochs")),
        ),
        html.Div(_charts(watched, _card(watched, room, card), language, theme), className="charts"),
    ]  # fmt: skip


def choice(room: Room, language: str, key: str) -> list[Any]:
    """The head of the view: its title, and which run."""
    names = list(runs(room))
    served = room.runs[key].resolve()
    value = f"{served.parent.name}/{served.name}"
    return [
        html.H1(say(language, "page.view_training")),
        dmc.Select(
            id="watched", value=value, data=names, searchable=True, allowDeselect=False, w=420,
            **attributes(aria_label=say(language, "training.choose")),
        ),
    ]  # fmt: skip


def _head(watched: Watched, language: str) -> html.Div:
    state = "finished" if watched.is_finished else str(watched.manifest.get("state", "running"))
    spec, manifest = watched.spec, watched.manifest
    told = [spec["model"]["architecture"], str(manifest["backend"]), f"seed {manifest['seed']}"]
    return html.Div(
        [
            html.Span(say(language, f"training.{state}"), className=f"chip state-{state}"),
            html.Span(manifest["title"], className="chip"),
            html.Span(" · ".join(told), className="chip"),
        ],
        className="chips",
    )


def _figure(name: str, value: str) -> html.Div:
    return html.Div([html.Small(name), html.B(value)], className="figure")


def _numbers(watched: Watched, language: str) -> list[tuple[str, str]]:
    history, done = watched.history, len(watched.history)

    def last(column: str, digits: int) -> str:
        if column not in history or not done or pd.isna(history[column].iloc[-1]):
            return NOTHING
        return number(language, float(history[column].iloc[-1]), digits)

    best = watched.best
    auc = NOTHING
    if best is not None and "val_roc_auc" in history:
        auc = number(language, float(history["val_roc_auc"][history["epoch"] == best].iloc[0]), 3)
    return [
        (say(language, "training.epochs"), f"{done} / {watched.epochs}"),
        (say(language, "training.best"), NOTHING if best is None else str(best)),
        (say(language, "training.auc_at_best"), auc),
        (say(language, "training.learning_rate"), _short(history, done)),
        (say(language, "training.speed"), last("images_per_s", 0)),
        (say(language, "training.left"), _left(watched, language)),
    ]


def _short(history: pd.DataFrame, done: int) -> str:
    return (
        f"{history['learning_rate'].iloc[-1]:.3g}"
        if done and "learning_rate" in history
        else NOTHING
    )


def _left(watched: Watched, language: str) -> str:
    if watched.is_finished:
        return say(language, "training.none_left")
    if not len(watched.history) or watched.manifest.get("state") != "running":
        return NOTHING
    seconds = float(watched.history["seconds"].median()) * (watched.epochs - len(watched.history))
    return f"{number(language, seconds / 60, 0)} min" if seconds > 90 else f"{seconds:.0f} s"


def _card(watched: Watched, room: Room, shown: Card) -> Card | None:
    """Of a run that is served: the one that is shown, or else the first of its findings."""
    keys = [key for key, folder in room.runs.items() if folder.resolve() == watched.folder]
    return shown if shown.key in keys else room.cards[keys[0]] if keys else None


def _charts(watched: Watched, card: Card | None, language: str, theme: str) -> list[Any]:
    def words(key: str) -> str:
        return say(language, f"training.{key}")

    epoch, table, best = words("epoch"), watched.history, watched.best
    pairs = [
        ("loss", {"loss": words("train"), "val_loss": words("validation")}),
        ("metrics", {"val_roc_auc": words("auc"), "val_accuracy": words("accuracy")}),
    ]
    drawn = [
        _chart(words(key), figures.history(table, columns, (epoch, words(key)), theme, best))
        for key, columns in pairs
    ]
    if card is not None:
        of = f" · {telling.finding_name(language, card.finding)}" if card.finding else ""
        drawn.append(_chart(words("roc") + of, figures.roc(card, language, theme)))
        drawn.append(_chart(words("trade") + of, figures.by_threshold(card, language, theme)))
    return drawn


def _chart(title: str, figure: Any) -> html.Section:
    return html.Section(
        [html.H2(title), dcc.Graph(figure=figure, config=_TOOLS, style={"height": "300px"})],
        className="card",
    )
