"""What the page asks of the server by Dash, and what stays in the browser; the rest is the API."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from . import training
from .language import of_request as language
from .service import Room
from .visit import chosen as shown


def register(app: Dash, room: Room) -> None:
    """Give the page its callbacks."""
    _in_browser(app)

    @app.callback(
        Output("training-content", "children"),
        Input("tick", "n_intervals"),
        Input("view", "value"),
        Input("watched", "value"),
        Input("mode", "data"),
    )
    def watch(_ticks: int | None, view: str, chosen: str, theme: str | None) -> Any:
        if view != "training":
            return no_update
        card = shown(room.cards)
        return training.content(room, language(), chosen, theme or "dark", card)


def _in_browser(app: Dash) -> None:
    def runs(name: str, outputs: Any, *inputs: Any, first: bool = True) -> None:
        function = ClientsideFunction("radzoo", name)
        app.clientside_callback(function, outputs, *inputs, prevent_initial_call=not first)

    sink = Output("sink", "data", allow_duplicate=True)
    initial = "initial_duplicate"

    def into_sink(name: str, *inputs: Any) -> None:
        function = ClientsideFunction("radzoo", name)
        app.clientside_callback(function, sink, *inputs, prevent_initial_call=initial)

    into_sink("start", Input("boot", "data"))
    into_sink("layout", Input("layout", "value"))
    into_sink("preset", Input("preset", "value"))
    into_sink("filter", Input("filter", "value"))
    into_sink("chosen", Input("grid", "selectedRows"))
    into_sink("read_first", Input("read-first", "checked"))
    into_sink("model", Input("models", "value"))
    into_sink("model", Input("finding", "value"))
    runs("threshold", Output("threshold-told", "children"), Input("threshold", "value"))
    chosen = Input("threshold-preset", "value")
    runs("preset_threshold", Output("threshold", "value"), chosen, first=False)
    runs("page", Output("tick", "disabled"), Input("view", "value"))
    runs(
        "theme",
        [Output("provider", "forceColorScheme"), Output("mode", "data")],
        Input("theme", "n_clicks"),
        State("mode", "data"),
    )
    names = ("map-on", "map-class", "map-opacity", "map-cut", "map-colours")
    inputs = [Input(name, "checked" if name == "map-on" else "value") for name in names]
    told = [Output("map-opacity-told", "children"), Output("map-cut-told", "children")]
    runs("map", told, *inputs)
