"""`explain` as it is typed, on a small run that was really trained."""

import csv
import json

import cv2
import numpy as np
import pytest

from radzoo.explain import album

SPEC = """
title: Small
dataset: {name: phantom_nodules, options: {images: 120, difficulty: 0.1}}
model: {architecture: tiny_cnn}
training: {optimizer: {name: adam, learning_rate: 0.01}, epochs: 6, batch_size: 16}
evaluation: {resamples: 100}
backends: [tensorflow]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(small=SPEC)
    draw = np.random.default_rng(0)
    for name in "first", "second":
        image = draw.integers(0, 255, (64, 64), dtype=np.uint8)
        cv2.imwrite(str(place.path / f"{name}.png"), image)
    cv2.imwrite(str(place.path / "large.png"), np.zeros((300, 200), np.uint8))
    (place.path / "text.png").write_text("no image")
    return place


@pytest.fixture(scope="module")
def run(place):
    done = place.run("run", "small.yaml", "--out", "runs")
    assert done.returncode == 0, done.stderr
    (folder,) = (place.path / "runs" / "small").iterdir()
    return folder


def test_images_become_pictures_numbers_and_a_page(place, run):
    done = place.run("explain", run, "first.png", "second.png", "--opacity", "0.4", "--out", "maps")
    assert (done.returncode, done.stderr) == (0, "")
    names = {path.name for path in (place.path / "maps").iterdir()}
    assert names == {
        *(f"00{n}-{name}.{kind}" for n, name in ((1, "first"), (2, "second"))
          for kind in ("png", "svg", "npz")),
        "explanations.html",
    }  # fmt: skip
    with np.load(place.path / "maps" / "001-first.npz") as kept:
        assert kept["raw"].shape == (2, 16, 16)
        assert kept["maps"].shape == (2, 64, 64)
        assert 0 <= kept["maps"].min() <= kept["maps"].max() <= 1
        assert kept["probabilities"].sum() == pytest.approx(1)
        shown = cv2.imread(str(place.path / "first.png"), cv2.IMREAD_GRAYSCALE) / 255
        np.testing.assert_allclose(kept["image"][..., 0], shown, atol=1e-6)
    page = (place.path / "maps" / "explanations.html").read_text()
    assert "Research use only" in page
    assert page.count("<figure>") == 2


def test_what_is_shown_is_what_the_run_predicted(place, run):
    """The probability under a picture is that of predictions.csv: the same preprocessing."""
    done = place.run("explain", run, "--extremes", "2", "--out", "extremes", "--json")
    assert done.returncode == 0, done.stderr
    page = (place.path / "extremes" / "explanations.html").read_text()
    rows = [line.split(",") for line in (run / "predictions.csv").read_text().splitlines()]
    head, *rows = rows
    places = {name: head.index(name) for name in ("split", "id", "probability")}
    test = [
        (float(row[places["probability"]]), row[places["id"]])
        for row in rows
        if row[places["split"]] == "test"
    ]
    for probability, name in [*sorted(test)[:1], *sorted(test)[-1:]]:
        assert f"{name}: benign {1 - probability:.3f}, malignant {probability:.3f}" in page
    assert "SYNTHETIC DATA" in page
    assert page.count("<figure>") == 4


def test_one_class_alone_is_drawn_if_it_is_asked_for(place, run):
    done = place.run("explain", run, "first.png", "--class", "1", "--out", "one-1")
    assert done.returncode == 0, done.stderr
    alone = cv2.imread(str(place.path / "one-1" / "001-first.png"))
    assert alone.shape[1] == 160 * (2 * 2.9 + 0.9)  # the image and one map, at 160 dots an inch


def test_layers_and_filters_are_drawn(place, run):
    done = place.run("explain", "layers", run, "first.png", "--out", "layers")
    assert done.returncode == 0, done.stderr
    drawn = {path.stem for path in (place.path / "layers").glob("*.png")}
    assert {"layer-block1", "layer-block2", "layer-block3"} <= drawn
    done = place.run("explain", "filters", run, "--layer", "block2", "--out", "filters")
    assert done.returncode == 0, done.stderr
    with np.load(place.path / "filters" / "filters-block2.npz") as kept:
        assert kept["pictures"].shape[1:] == (64, 64, 1)


def test_an_audit_is_measured_kept_and_reported(place, run):
    assert "Not measured" in (run / "report.html").read_text()
    done = place.run("explain", "audit", run, "--count", "6", "--json")
    assert done.returncode == 0, done.stderr
    kept = json.loads((run / "explanations" / "audit-gradcam.json").read_text())
    assert kept["localisation"]["all"]["hit"]["images"] > 0
    assert kept["randomisation"]["cascade"]
    assert kept["seeds"] == {
        "not_measured": "no run beside this one differs from it in its seed alone"
    }
    for found in kept["backends"]["largest"].values():
        assert found["largest_difference"] <= 1e-4
    report = (run / "report.html").read_text()
    assert "Strongest point on the lesion" in report
    assert "<h3>gradcam (layer block3, grid 16 x 16)</h3>" in report


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["first.png", "--class", "2"], "'2'"),
        (["first.png", "--layer", "scores"], "has no grid of rows and columns"),
        (["first.png", "--layer", "blok1"], "blok1"),
        (["first.png", "--method", "gradcamm"], "gradcam"),
        (["first.png", "--opacity", "0"], "--opacity"),
        (["first.png", "--method", "tf_keras_vis.gradcam", "--backend", "jax"], "tensorflow only"),
        (["large.png", "text.png", "missing.png"], "large.png is 300 x 200 x 1"),
        ([], "Name images"),
        (["first.png", "--extremes", "2"], "one of the two"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_message(arguments, said, place, run):
    done = place.run("explain", run, *arguments, "--out", "bad")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place.path / "bad").exists()


def test_all_bad_files_are_told_at_once(place, run):
    done = place.run("explain", run, "large.png", "text.png", "missing.png")
    assert all(name in done.stderr for name in ("large.png", "text.png", "missing.png"))


@pytest.mark.parametrize(
    ("asked", "labels"), [("both", [0, 1]), ("1", [1]), ("benign", [0]), ("0", [0])]
)
def test_a_class_is_asked_for_by_name_or_number(asked, labels):
    assert album.chosen(("benign", "malignant"), asked) == labels


@pytest.fixture(scope="module")
def cases(place):
    """Two cases, one of them below, a file that is broken and one that is no image."""
    folder = place.path / "hospital"
    (folder / "ward").mkdir(parents=True)
    for name, target in ("first.png", "a.png"), ("second.png", "ward/b.png"):
        (folder / target).write_bytes((place.path / name).read_bytes())
    (folder / "broken.png").write_bytes((place.path / "first.png").read_bytes()[:900])
    (folder / "notes.txt").write_text("nothing to see")
    return folder


def test_cases_are_read_beside_the_words_of_a_radiologist(place, run, cases):
    (place.path / "words.csv").write_text(
        "file,words,truth\na.png,Nódulo <i>apical</i>,malignant\nward/b.png,,benign\n",
        encoding="utf-8",
    )
    done = place.run("cases", run, cases, "--words", "words.csv", "--out", "read")
    assert done.returncode == 0, done.stderr
    assert "not read: broken.png" in done.stderr
    text = (place.path / "read" / "cases.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["file"] for row in rows] == ["a.png", "ward/b.png"]
    place.run("explain", run, "first.png", "--out", "one")
    with np.load(place.path / "one" / "001-first.npz") as kept:
        assert float(rows[0]["probability"]) == pytest.approx(float(kept["probabilities"][1]))
    thresholds = [name for name in rows[0] if name.startswith("at ")]
    assert "at 0.5" in thresholds
    for row in rows:
        for name in thresholds:
            above = float(row["probability"]) >= float(name.removeprefix("at "))
            assert row[name] == ("malignant" if above else "benign")
    page = (place.path / "read" / "cases.html").read_text(encoding="utf-8")
    assert "Nódulo &lt;i&gt;apical&lt;/i&gt;" in page
    assert "1 files are no PNG" in page
    missed = int(float(rows[0]["probability"]) < 0.5)
    assert f"{missed} of 1 (" in page
    assert "Research use only" in page


def test_words_that_fit_no_file_are_told_all_at_once(place, run, cases):
    (place.path / "wrong.csv").write_text(
        "file,words,truth\nc.png,x,\na.png,x,cancer\na.png,x,\n", encoding="utf-8"
    )
    done = place.run("cases", run, cases, "--words", "wrong.csv", "--out", "none")
    assert done.returncode == 2
    for told in ("line 2: there is no image 'c.png'", "line 3: truth 'cancer'", "line 4: 'a.png'"):
        assert told in done.stderr
    assert not (place.path / "none").exists()
