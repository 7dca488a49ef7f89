"""A room on a model of several findings: each is a model of its own there, on one network."""

import csv
import io
import json
import zipfile

import cv2
import numpy as np
import pydicom
import pytest
from browsers import axe, loaded, segment, visit
from PIL import Image
from rooms import close_room, open_room

from radzoo.explain import explainer
from radzoo.webapp import audit_log, opening

OPTIONS = ("--workers", "1", "--method", "layercam")  # Grad-CAM's maps are empty after 2 epochs
FINDINGS = ("effusion", "cardiomegaly", "pneumothorax")
SPEC = """
title: Three
dataset:
  name: phantom_chest
  options: {images: 60, size: 64, difficulty: 0.0, finding_share: 0.8}
  findings: [effusion, cardiomegaly, pneumothorax]
model: {architecture: tiny_cnn, options: {input_shape: [64, 64, 1]}}
training: {optimizer: {name: adam, learning_rate: 0.01}, epochs: 2, batch_size: 16}
evaluation: {resamples: 100, target_sensitivity: 0.9}
backends: [tensorflow]
"""


@pytest.fixture(scope="module")
def place(place_in, tmp_path_factory):
    """Where a run of three findings was done."""
    made = place_in(tmp_path_factory.mktemp("findings"))
    made.write(three=SPEC)
    done = made.run("run", "three.yaml", "--out", "runs")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def room(place, tmp_path_factory):
    """A room on it."""
    (run,) = (place.path / "runs" / "three").iterdir()
    made = open_room(place, run, tmp_path_factory.mktemp("home"), *OPTIONS)
    yield made
    close_room(made)


@pytest.fixture(scope="module")
def reader(room):
    """Someone in it."""
    return room.enter("reader")


@pytest.fixture(scope="module")
def studies(reader):
    """The studies of the examples of the room."""
    return reader.ask("POST", "/api/v1/examples", json={}).json()["ids"]


@pytest.fixture(scope="module")
def keys(reader):
    """The key of each finding's model."""
    return {one["finding"]: one["key"] for one in reader.get("/api/v1/models")["models"]}


def test_each_measured_finding_is_a_model_with_the_weights_of_the_run(room, reader, keys):
    models = reader.get("/api/v1/models")["models"]
    measured = json.loads((room.run / "metrics.json").read_text())["findings"]
    assert set(keys) == {name for name, one in measured.items() if "folder" in one}
    assert set(keys) == set(FINDINGS)
    weights = json.loads((room.run / "manifest.json").read_text())["weights_sha256"]
    assert {one["weights"] for one in models} == {weights}
    assert len({weights, *keys.values()}) == 4
    for name, key in keys.items():
        facts = reader.get(f"/api/v1/models/{key}")
        area = json.loads((room.run / measured[name]["folder"] / "metrics.json").read_text())
        assert facts["metrics"] == area["splits"]["test"]["metrics"]
        assert facts["version"] == room.run.name


def test_each_finding_gets_what_explain_says_of_it(room, reader, studies, keys):
    prepared = explainer.prepare(room.run)
    image = prepared.read(next(room.home.glob("models/*/examples/example-1.png")))
    with prepared.connected() as ready:
        (told,) = ready.explain(image[None], ["film"], prepared.method("layercam"))
    assert all(one.any() for one in told.maps)
    shown, path = {}, f"/api/v1/studies/{studies[0]}"
    for number, name in enumerate(FINDINGS):
        found = reader.get(f"{path}?model={keys[name]}")["found"]
        score = told.probabilities[number]
        assert found["probabilities"] == pytest.approx([1 - score, score], abs=1e-5)
        shown[keys[name]] = found["probabilities"][1]
        for label, share in enumerate([0 * told.maps[number], told.maps[number]]):
            content = reader.ask("GET", f"{path}/maps/{label}?model={keys[name]}").content
            grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
            np.testing.assert_allclose(grey / 255, share, atol=0.5 / 255 + 1e-5)
    listed = [(one["model"], one["probability"]) for one in found["findings"]]
    assert listed == sorted(shown.items(), key=lambda one: -one[1])


def test_similar_cases_have_the_truth_of_the_finding(room, reader, studies, keys):
    with (room.run / "predictions.csv").open() as file:
        truth = {row["id"]: row for row in csv.DictReader(file)}
    for name, key in keys.items():
        cases = reader.get(f"/api/v1/studies/{studies[0]}?model={key}")["found"]["similar"]
        known = [case for case in cases if "case" in case]
        assert len(known) == 4
        for case in known:
            assert case["label"] == int(truth[case["id"]][f"truth: {name}"])


def test_a_threshold_is_of_one_finding(reader, studies, keys):
    ask = {"threshold": 0.77, "model": keys["effusion"]}
    assert reader.ask("PUT", "/api/v1/settings", json=ask).status_code == 204
    found = reader.get(f"/api/v1/studies/{studies[0]}?model={keys['cardiomegaly']}")["found"]
    cuts = {one["model"]: one["threshold"] for one in found["findings"]}
    default = reader.get(f"/api/v1/models/{keys['pneumothorax']}")["presets"][0]["threshold"]
    assert (cuts[keys["effusion"]], cuts[keys["pneumothorax"]]) == (0.77, default)


def test_exports_carry_the_weights_and_the_finding(room, reader, studies, keys):
    weights = json.loads((room.run / "manifest.json").read_text())["weights_sha256"]
    study, uids = f"/api/v1/studies/{studies[0]}", []
    for name, key in keys.items():
        query = f"?model={key}&threshold=0.5"
        png = Image.open(io.BytesIO(reader.ask("GET", f"{study}/heatmap/1.png{query}").content))
        assert png.text["radzoo:weights_sha256"] == weights
        assert png.text["radzoo:class"].lower() == name
        assert reader.ask("GET", f"{study}/heatmap/0.png{query}").status_code == 404
        assert reader.ask("GET", f"{study}/report.pdf{query}").content[:5] == b"%PDF-"
        archive = io.BytesIO(reader.ask("GET", f"{study}/dicom.zip{query}").content)
        with zipfile.ZipFile(archive) as files:
            assert files.namelist() == ["heatmap-1.dcm", "README.txt"]
            capture = pydicom.dcmread(io.BytesIO(files.read("heatmap-1.dcm")))
        assert weights in capture.DerivationDescription
        assert f"Three: {name}" in capture.DerivationDescription
        uids.append(capture.SOPInstanceUID)
        table = reader.ask("GET", f"/api/v1/worklist.csv{query}").content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(table)))
        assert {(row["weights_sha256"], row["model_title"]) for row in rows} == {
            (weights, f"Three: {name}")
        }
    assert len(set(uids)) == 3  # what differs is another object

    def look(session):
        lines = session.query(audit_log.AuditLine).filter_by(action="exported_pdf").all()
        return [(line.detail["model"], line.detail["finding"]) for line in lines]

    told = opening.in_database(room.home, None, look)
    assert told == [(weights[:16], name) for name in keys]


def test_the_page_lists_by_a_finding_and_goes_from_one_to_another(browser, room):
    with visit(browser, room, "chooses", "es") as page:
        page.click("#examples")
        page.until("radzoo.state.rows.length > 3")
        loaded(page)
        film = page.evaluate("radzoo.state.rows[2].id")
        page.evaluate("id => radzoo.select(id)", film)
        lines = page.locator(".all-findings button")
        page.until("id => radzoo.state.detail.id === id", film)
        assert sorted(lines.locator("b").all_inner_texts()) == [
            "Cardiomegalia", "Derrame", "Neumotórax",
        ]  # fmt: skip
        assert page.input_value("#finding") == "Derrame"
        assert page.locator(".all-findings [aria-current] b").inner_text() == "Derrame"
        assert page.locator("#map-class input").count() == 1
        assert page.locator("#layout input[value=classes]").count() == 0
        page.keyboard.press("0")  # there is no map against a finding
        assert page.evaluate("radzoo.viewer.view.label") == 1
        assert axe(page) == []
        with page.expect_navigation():
            lines.filter(has_text="Neumotórax").click()
        page.wait_for_selector("body[data-ready]")
        loaded(page)
        assert page.evaluate("radzoo.state.selected") == film
        assert page.input_value("#finding") == "Neumotórax"
        assert page.locator(".big span").inner_text() == "Neumotórax"
        assert "Sin neumotórax" in page.locator("#outcome").inner_text()
        scores = [row["probability"] for row in page.evaluate("radzoo.state.rows")]
        first = page.locator(".ag-row[row-index='0'] .cell-share strong").inner_text()
        assert first == page.evaluate("p => radzoo.probability(p)", max(scores))
        page.click("#finding")
        with page.expect_navigation():
            page.get_by_role("option", name="Cardiomegalia").click()
        page.wait_for_selector("body[data-ready]")
        assert page.evaluate("radzoo.boot.classes[1]") == "Cardiomegalia"
        segment(page, "view", "training")
        page.locator("#training-content .js-plotly-plot").nth(3).wait_for(timeout=30_000)
        charts = page.locator("#training-content h2").all_inner_texts()
        assert [name.endswith(" · Cardiomegalia") for name in charts] == [False, False, True, True]


def test_reading_first_tells_of_no_finding_before(browser, room, keys):
    example = next(room.home.glob("models/*/examples/example-2.png"))
    first = room.enter("first")
    first.ask("PUT", "/api/v1/settings", json={"read_first": True})
    study = first.load("film.png", example.read_bytes())["id"]
    for key in keys.values():
        assert first.get(f"/api/v1/studies/{study}?model={key}")["found"] is None
        (row,) = first.get(f"/api/v1/studies?model={key}")["studies"]
        assert (row["probability"], row["withheld"]) == (None, True)
    with visit(browser, room, "first", "en") as page:
        loaded(page)
        assert page.locator(".all-findings").count() == 0
        page.click("#read-no_finding")
        page.locator(".all-findings button").nth(2).wait_for()
