"""The left of the page: where films are loaded and listed; assets/upload.js and worklist.js."""

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html

from .telling import finding_name
from .visit import Visit, attributes, icon, segments

FILTERS = ("all", "above", "below", "unread")
_GRID_THEME = (
    "themeQuartz.withParams({backgroundColor:'transparent',headerBackgroundColor:'transparent',"
    "borderColor:'var(--line)',foregroundColor:'var(--text)',headerTextColor:'var(--quiet)',"
    "selectedRowBackgroundColor:'var(--chosen)',rowHoverColor:'var(--hover)',fontFamily:'inherit',"
    "fontSize:13,wrapperBorder:false,wrapperBorderRadius:0,cellHorizontalPadding:8,"
    "accentColor:'var(--accent)'})"
)


def worklist(visit: Visit) -> html.Nav:
    """Where films are loaded, and which there are."""
    content = [
        _drop(visit),
        html.Ul(id="uploads", className="uploads", **attributes(aria_label=visit.say("uploads"))),
        *_findings(visit),
        segments(visit, "filter", FILTERS, "filters", fullWidth=True, className="filter"),
        _grid(visit),
        html.Div(id="worklist-count", className="count", role="status"),
    ]
    if visit.card.facts["synthetic"]:
        content.insert(2, _examples(visit))
    return html.Nav(content, className="worklist", **attributes(aria_label=visit.say("worklist")))


def _drop(visit: Visit) -> html.Label:
    told = html.Small(visit.say("upload_kinds"), id="upload-state", role="status")
    words = html.Span([html.B(visit.say("drop")), told])
    content = [icon("upload"), words, html.Span(id="files-here")]
    return html.Label(content, className="drop", htmlFor="files")


def _examples(visit: Visit) -> html.Button:
    content: list[Any] = [icon("flask"), visit.say("examples")]
    act = attributes(data_act="examples")
    return html.Button(content, id="examples", type="button", className="quiet-button", **act)


def _findings(visit: Visit) -> list[Any]:
    """The choice of the finding by which films are listed, where the model has several."""
    if not visit.siblings:
        return []
    data = [
        {"value": card.key, "label": finding_name(visit.language, card.finding or "")}
        for card in visit.siblings
    ]
    return [
        dmc.Select(
            id="finding", value=visit.card.key, data=data, label=visit.say("finding"), size="xs",
            allowDeselect=False, searchable=True, className="filter",
        )
    ]  # fmt: skip


def _grid(visit: Visit) -> dag.AgGrid:
    return dag.AgGrid(
        id="grid",
        rowData=[],
        columnDefs=[
            _column(visit, "name", "film", "Film", flex=1, minWidth=104),
            _column(visit, "probability", "probability", "Probability", width=112),
            _column(visit, "verdict", "yours", "Verdict", width=72, sortable=False),
        ],
        getRowId="params.data.id",
        columnSize=None,
        defaultColDef={"resizable": False, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "rowHeight": 58,
            "headerHeight": 32,
            "rowSelection": {
                "mode": "singleRow",
                "checkboxes": False,
                "enableClickSelection": True,
            },
            "animateRows": False,
            "suppressNoRowsOverlay": True,
            "theme": {"function": _GRID_THEME},
        },
        className="grid",
        style={"height": "100%", "width": "100%"},
    )


def _column(visit: Visit, field: str, head: str, cell: str, **more: Any) -> dict[str, Any]:
    order = ["desc", "asc"] if field == "probability" else ["asc", "desc"]
    told = {"field": field, "headerName": visit.say(head), "cellRenderer": cell}
    return {**told, "sortingOrder": order, **more}
