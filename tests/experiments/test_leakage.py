"""A prepared bad example: one patient, and one image, on two sides; and the way out."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radzoo.errors import DataError
from radzoo.experiments import data, plan, runner
from radzoo.preprocessing import leaks

SPEC = """\
title: Bad
dataset:
  name: table
  options: {path: bad.csv, classes: {well: well, sick: sick}}
  split: given
preprocessing: [{name: resize, rows: 16, columns: 16}]
model: {architecture: tiny_cnn, options: {input_shape: [16, 16, 1]}}
training: {epochs: 1}
evaluation: {resamples: 100}
backends: [fake]
"""


@pytest.fixture
def bad(tmp_path, monkeypatch):
    """24 images of 24 patients; `bad(image, patient)` gives the last those of the first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "cache"))
    Path("bad.yaml").write_text(SPEC)

    def bad(image, patient):
        rng = np.random.default_rng(0)
        rows = []
        for number in range(24):
            side = ("train", "validation", "test")[number // 8]
            source = 0 if number == 23 and image else number
            owner = 0 if number == 23 and patient else number
            rng = np.random.default_rng(source)
            Image.fromarray(rng.integers(0, 255, (16, 16), np.uint8)).save(f"{number}.png")
            label = "sick" if number in (0, 23) or number % 2 else "well"
            rows.append([f"{number}.png", label, f"p{owner}", side])
        with open("bad.csv", "w", newline="") as file:
            csv.writer(file).writerows([["path", "label", "patient", "split"], *rows])

    return bad


def notes_of():
    (one,) = plan.plans(Path("bad.yaml"))
    told = []
    outcome = runner.run(one, Path("runs"), told.append)
    texts = [event["text"] for event in told if event["event"] == "note"]
    return outcome, [text for text in texts if "two sides" in text]


def test_a_patient_on_two_sides_stops_the_run(bad):
    bad(image=False, patient=True)
    with pytest.raises(DataError, match="1 of 23 patients are on two sides"):
        notes_of()


def test_an_image_on_two_sides_is_told_and_stands_in_the_report(bad):
    bad(image=True, patient=False)
    outcome, (note,) = notes_of()
    assert "1 of the train side, 1 of the test side" in note
    assert "The same image is on two sides" in (outcome.path / "report.html").read_text()


def test_what_is_left_out_mends_both(bad):
    bad(image=True, patient=True)
    Path("out.csv").write_text("id,check\n23.png,leak\n")
    (one,) = plan.plans(Path("bad.yaml"), ["dataset.leave_out=out.csv"])
    cohort = data.load(one.spec.dataset)
    assert cohort.notes == ("1 of 24 images were left out, as out.csv lists them.",)
    images = np.stack([cohort.dataset.read(row) for row in range(23)])
    assert leaks.on_two_sides(images, cohort.sides) == {}


def test_a_run_is_another_by_what_is_left_out_not_by_how_it_is_listed(bad):
    bad(image=False, patient=False)

    def folder(*overrides):
        (one,) = plan.plans(Path("bad.yaml"), overrides)
        return one.folder(data.load(one.spec.dataset).dataset.content)

    Path("out.csv").write_text("id,check\n23.png,leak\n")
    Path("other.csv").write_text("id\n23.png\n")
    Path("more.csv").write_text("id\n23.png\n22.png\n")
    out, other, more = (
        folder(f"dataset.leave_out={name}.csv") for name in ("out", "other", "more")
    )
    assert out == other
    assert len({folder(), out, more}) == 3
