"""What Dash is asked must be a question that it can answer."""

import pytest

from radzoo.webapp import csrf

CALLBACK = {
    "outputs": {"id": "out", "property": "children"},
    "inputs": [{"id": "in", "property": "value", "value": "hello"}],
    "changedPropIds": ["in.value"],
}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "out.children",
        {"output": "no.such"},
        {"output": "no.such", **CALLBACK},
        {"output": ["out.children"], **CALLBACK},
        {"output": "out.children"},
        {"output": "out.children", **CALLBACK, "inputs": []},
        {"output": "out.children", **CALLBACK, "inputs": None},
        {"output": "out.children", **CALLBACK, "inputs": [1]},
        {"output": "out.children", **CALLBACK, "inputs": [[]]},
        {"output": "out.children", **CALLBACK, "inputs": [{"id": "in"}]},
        {"output": "out.children", **CALLBACK, "inputs": CALLBACK["inputs"] * 2},
        {"output": "out.children", **CALLBACK, "inputs": [{"id": "out", "property": "value"}]},
        {"output": "out.children", **CALLBACK, "inputs": [{"id": {"a": 1}, "property": "value"}]},
        {"output": "out.children", **CALLBACK, "state": [{"id": "in", "property": "value"}]},
        {"output": "out.children", **CALLBACK, "outputs": "x"},
        {"output": "out.children", **CALLBACK, "outputs": []},
        {"output": "out.children", **CALLBACK, "outputs": None},
        {"output": "out.children", **CALLBACK, "outputs": [{"id": "out", "property": "children"}]},
        {"output": "out.children", **CALLBACK, "outputs": {"id": "in", "property": "children"}},
        {"output": "out.children", **CALLBACK, "changedPropIds": 3},
        {"output": "out.children", **CALLBACK, "changedPropIds": [{}]},
    ],
)
def test_malformed_callbacks_are_a_bad_request(inside, body):
    known = {csrf.HEADER: inside.client.get_cookie(csrf.COOKIE).value}
    answer = inside.client.post("/_dash-update-component", json=body, headers=known)
    assert answer.status_code == 400
    assert answer.json["error"]["code"] == "error_400"


@pytest.mark.parametrize("text", ["", "null", "{", "[" * 60_000, "\xff"])
def test_what_is_no_json_is_a_bad_request(inside, text):
    known = {csrf.HEADER: inside.client.get_cookie(csrf.COOKIE).value}
    answer = inside.client.post(
        "/_dash-update-component",
        data=text.encode("latin-1"),
        content_type="application/json",
        headers=known,
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        ([[]], 200),
        ([[{"id": {"kind": "x", "of": 1}, "property": "value", "value": 4}]], 200),
        ([[{"id": "in", "property": "value"}]], 400),
        ([{"id": "in", "property": "value"}], 400),
        ([[{"id": {"kind": "y", "of": 1}, "property": "value"}]], 400),
        ([[{"id": {"kind": "x"}, "property": "value"}]], 400),
        ([[{"id": {"kind": "x", "of": 1}, "property": "id"}]], 400),
        ([[[]]], 400),
    ],
)
def test_callbacks_with_wildcards_are_looked_at_too(inside, inputs, status):
    outputs = {"id": "all", "property": "children"}
    assert inside.ask("all.children", inputs=inputs, outputs=outputs).status_code == status


def test_callbacks_without_an_output_and_with_several_are_answered(inside):
    listed = [one["output"] for one in inside.client.get("/_dash-dependencies").json]
    (several,) = [output for output in listed if output.startswith("..")]
    (nothing,) = [output for output in listed if "children" not in output]
    second = several.strip(".").split("...")[1].removeprefix("out.")
    given = [{"id": "out", "property": "title"}, {"id": "out", "property": second}]
    assert "@" in second
    assert inside.ask(several, **{**CALLBACK, "outputs": given}).status_code == 200
    assert inside.ask(several, **{**CALLBACK, "outputs": given[:1]}).status_code == 400
    assert inside.ask(several, **CALLBACK).status_code == 400
    assert inside.ask(nothing, **{**CALLBACK, "outputs": []}).status_code == 204


@pytest.mark.parametrize("name", ["dash/no.js", "no_such/x.js", "os/path.js"])
def test_files_of_no_component_are_not_there(stranger, name):
    assert stranger.client.get(f"/_dash-component-suites/{name}").status_code == 404
