"""The model card view: what the model is, on whom it was measured, what it is not for."""

from collections.abc import Mapping
from typing import Any

from dash import html

from ..evaluation import Estimate
from . import telling
from .card import Card
from .wording import NOTHING, number, percent, say

_METRICS = ("roc_auc", "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "brier")


def content(card: Card, language: str, method: str) -> list[Any]:
    """The whole view."""

    def words(key: str, **values: Any) -> str:
        return say(language, f"card.{key}", **values)

    facts = card.facts
    rows = [
        ("intended", words("intended_text")),
        ("not_for", words("not_for_text")),
        ("data", _data(facts, language)),
        ("split", _sides(facts, language)),
        ("performance", _performance(facts, language)),
        ("subgroups", _subgroups(facts, language)),
        ("calibration", _calibration(facts, language)),
        ("heatmaps", telling.map_worth(language, card, method)),
        ("limits", _limits(facts, language)),
        ("identity", _identity(facts)),
    ]
    terms = [part for key, value in rows for part in (html.Dt(words(key)), html.Dd(value))]
    head = html.Div(
        [html.H1(facts["title"]), html.Span(words("research"), className="chip state-warning")],
        className="chips",
    )
    return [html.Div([head, html.Dl(terms, className="model-card")], className="sheet")]


def _data(facts: Mapping[str, Any], language: str) -> list[Any]:
    data = facts["data"]
    told = say(
        language, "card.data_text",
        name=data["name"], images=data["images"], patients=data["patients"], source=data["source"],
        licence=data["licence"],
    )  # fmt: skip
    synthetic = [html.Strong(say(language, "page.synthetic") + " ")] if data["synthetic"] else []
    return [*synthetic, told]


def _sides(facts: Mapping[str, Any], language: str) -> html.Table:
    head = [say(language, f"card.{key}") for key in ("side", "images", "patients", "positives")]
    counted = ("images", "patients", "positives")
    rows = [
        [say(language, f"script.side_{side}"), *(number(language, counts[key]) for key in counted)]
        for side, counts in facts["sides"].items()
    ]
    return _table(head, rows, say(language, "card.split"))


def _performance(facts: Mapping[str, Any], language: str) -> list[Any]:
    found = facts["metrics"]
    rows = []
    for name in _METRICS:
        estimate = Estimate(**found[name])
        rows.append([say(language, f"card.{name}"), *_shown(estimate, language)])
    head = [say(language, f"card.{key}") for key in ("metric", "value", "interval")]
    one = Estimate(**found["roc_auc"])
    told = say(
        language, "card.measured_on",
        images=one.images, patients=one.patients, positives=one.positives,
        threshold=number(language, facts["threshold_of_metrics"], 2),
    )  # fmt: skip
    return [html.P(told), _table(head, rows, say(language, "card.performance"))]


def _shown(estimate: Estimate, language: str) -> list[str]:
    if estimate.value is None:
        return [say(language, "script.not_measured"), ""]
    value = number(language, estimate.value, 3)
    if estimate.low is None or estimate.high is None:
        return [value, NOTHING]
    words = say(language, "general.to")
    return [
        value,
        f"{number(language, estimate.low, 3)} {words} {number(language, estimate.high, 3)}",
    ]


def _subgroups(facts: Mapping[str, Any], language: str) -> Any:
    rows = []
    for column, groups in facts["subgroups"].items():
        for name, group in groups.items():
            head = [f"{column}: {name}", number(language, group["images"])]
            few = [say(language, "card.too_few"), ""]
            rows.append([*head, *(few if group["too_few"] else _area(group, language))])
    if not rows:
        return say(language, "card.no_subgroups")
    head = [say(language, f"card.{key}") for key in ("group", "images", "roc_auc", "interval")]
    return _table(head, rows, say(language, "card.subgroups"))


def _area(group: Mapping[str, Any], language: str) -> list[str]:
    return _shown(Estimate(**group["metrics"]["roc_auc"]), language)


def _calibration(facts: Mapping[str, Any], language: str) -> str:
    if facts["temperature"] is None:
        return say(language, "script.not_measured")
    errors = {
        name: Estimate(**facts["calibration"][name]["metrics"]["ece"]).value
        for name in ("raw", "scaled")
    }
    told = {
        name: NOTHING if value is None else percent(language, value, 1)
        for name, value in errors.items()
    }
    return say(
        language,
        "card.calibration_text",
        temperature=number(language, facts["temperature"], 2),
        **told,
    )


def _limits(facts: Mapping[str, Any], language: str) -> html.Ul:
    shape, unserved = facts["input_shape"], facts.get("unserved", [])
    names = ", ".join(telling.finding_name(language, name) for name in unserved)
    lines = [
        say(language, "card.limit_size", rows=shape[0], columns=shape[1]),
        say(language, "card.limit_maps"),
        say(language, "card.limit_below"),
        say(language, "card.limit_elsewhere"),
        *([say(language, "card.limit_findings", names=names)] if unserved else []),
        *facts["notes"],
    ]
    return html.Ul([html.Li(line) for line in lines])


def _identity(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts['version']} · {facts['architecture']} · {facts['backend']} ({facts['device']}) · "
        f"seed {facts['seed']} · radzoo {facts['radzoo']} · {facts['finished']} · "
        f"SHA-256 {facts['weights']}"
    )


def _table(head: list[str], rows: list[list[str]], title: str) -> html.Table:
    return html.Table(
        [
            html.Caption(title, className="unseen"),
            html.Thead(html.Tr([html.Th(name, scope="col") for name in head])),
            html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
        ]
    )
