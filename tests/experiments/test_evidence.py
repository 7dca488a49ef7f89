"""What a probability is worth, in a run's report: tables, sentences and figures together."""

import base64
import re

import numpy as np
import pytest
from matplotlib.image import imread

from radzoo import evaluation
from radzoo.evaluation import Bootstrap, Options, Predictions, Subject
from radzoo.experiments import evidence_tables, figures, report
from radzoo.experiments.spec import Evaluation

CLASSES = ("well", "ill")
DRAWN = (
    "roc",
    "precision_recall",
    "confusion_matrix",
    "reliability",
    "decision_curve",
    "errors_by_threshold",
    "extremes",
)


def made(seed, images=60):
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 3 == 0
    probabilities = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    return Predictions(labels, probabilities, random.integers(40, size=images))


def measured(test, validation=None, **changes):
    splits = {"test": test} if validation is None else {"validation": validation, "test": test}
    options = Options(youden=False, bootstrap=Bootstrap(100), **changes)
    return evaluation.summarise(splits, Subject("made up", CLASSES, synthetic=True), options)


def drawn(summary, test, folder):
    caption = figures.caption(summary, ("test",))
    figures.draw(summary, Evaluation(resamples=100), test, folder, caption)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with the figures of made-up predictions, their summary, and the files' bytes."""
    folder, test = tmp_path_factory.mktemp("evidence"), made(0)
    summary = measured(test, made(1), prevalence=0.02)
    return folder, summary, drawn(summary, test, folder / "plots")


def texts(table):
    """Each row's cells without the letters of their footnotes."""
    return [[f"{value} {interval}".strip() for value, interval, _ in row] for row in table.rows]


def section_of(page, name):
    (found,) = re.findall(rf'<section aria-labelledby="{name}">.*?</section>', page, flags=re.S)
    return found


def test_every_figure_is_written_as_png_and_svg(run):
    folder, _, files = run
    assert set(files) == {f"{name}.{kind}" for name in DRAWN for kind in ("png", "svg")}
    for name in DRAWN:
        picture = imread(folder / "plots" / f"{name}.png")[..., :3]
        assert picture.std() > 0.02  # something is on it
        assert files[f"{name}.svg"].lstrip().startswith(b"<?xml")


def test_the_same_predictions_give_the_same_bytes(run, tmp_path):
    test = made(0)
    assert drawn(measured(test, made(1), prevalence=0.02), test, tmp_path) == run[2]


@pytest.mark.parametrize(
    ("section", "figure", "sentence"),
    [
        ("points", "errors_by_threshold", "A lower threshold misses fewer images"),
        ("calibration", "reliability", "about 3 in 10 should be"),
        ("decision", "decision_curve", "less the false alarms at the price"),
        ("extremes", "extremes", "How often the model is right where it is surest"),
    ],
)
def test_each_section_carries_its_sentence_and_its_figure(run, section, figure, sentence):
    folder, summary, files = run
    found = section_of(report.render(folder, summary, {}), section)
    assert sentence in found
    assert base64.b64encode(files[f"{figure}.svg"]).decode() in found
    assert f"{report.FIGURES[figure]}.</figcaption>" in found


def test_calibration_has_a_column_for_each_kind_of_probability(run):
    found = evidence_tables.calibration(run[1])
    assert found.head == ["", "raw probability", "calibrated probability"]
    raw, scaled = (run[1]["calibration"][side]["metrics"]["brier"] for side in ("raw", "scaled"))
    (row,) = [row for row in texts(found) if row[0].startswith("Brier")]
    for cell, brier in zip(row[1:], (raw, scaled), strict=True):
        assert cell == f"{brier['value']:.3f} ({brier['low']:.3f} to {brier['high']:.3f})"
    alone = evidence_tables.calibration(measured(made(0)))
    assert alone.head == ["", "raw probability"]
    assert {len(row) for row in alone.rows} == {2}


def test_how_the_temperature_was_found_is_a_sentence(run):
    found = run[1]["calibration"]["temperature"]
    assert evidence_tables.temperature(run[1]) == (
        f"They are calibrated by a temperature of {found['value']:.3g}, fitted on 60 validation "
        f"images, {made(1).patient_count} patients."
    )
    unknown = evidence_tables.temperature({**run[1], "patients_known": False})
    assert unknown.endswith("fitted on 60 validation images.")


def test_why_there_is_no_temperature_is_a_sentence():
    said = "They could not be calibrated: "
    none = evidence_tables.temperature(measured(made(0)))
    assert none == f"{said}there are no validation images."
    one_class = Predictions([0] * 20, np.linspace(0, 1, 20), range(20))
    found = evidence_tables.temperature(measured(made(0), one_class))
    assert found == f"{said}the validation images are of one class."


def test_net_benefit_and_predictive_values_of_a_worked_example():
    # 3 found, 1 missed, 2 false alarms, 4 cleared at 0.5, each image of its own patient
    labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    test = Predictions(labels, [0.9] * 3 + [0.1] + [0.9] * 2 + [0.1] * 4, range(10))
    summary = measured(test, prevalence=0.1)
    (benefit,) = texts(evidence_tables.decision(summary))
    assert [cell.split(" (")[0] for cell in benefit] == [
        "threshold 0.5",
        "0.5",
        "0.100",  # 3/10 - 2/10
        "-0.200",  # 4/10 - 6/10
        "0",
    ]
    (values,) = texts(evidence_tables.at_prevalence(summary))
    # sensitivity 3/4 and specificity 2/3: 0.075 / (0.075 + 0.3) and 0.6 / (0.6 + 0.025)
    assert [cell.split(" (")[0] for cell in values[2:]] == ["0.200", "0.960"]


def test_extremes_of_a_worked_example_name_what_does_not_fit():
    labels = [0] * 8 + [1, 1] + [1] * 9 + [0]
    summary = measured(Predictions(labels, np.linspace(0.01, 0.99, 20), range(20)))
    found = evidence_tables.extremes(summary)
    assert found.head == ["Images", "lowest: truly 'well'", "highest: truly 'ill'"]
    (row,) = texts(found)
    assert [cell.split(" (")[0] for cell in row] == ["10", "0.800", "0.900"]
    assert "Too few test images for 20, 25, 50 at each end" in evidence_tables.too_many(summary)
    assert evidence_tables.too_many(measured(made(0, images=100))) == ""


def test_fewer_images_than_the_smallest_count_leave_the_sentence_alone(tmp_path):
    summary = measured(made(0, images=19))
    assert evidence_tables.extremes(summary) is None
    found = section_of(report.render(tmp_path, summary, {}), "extremes")
    assert "Too few test images for 10, 20, 25, 50" in found
    assert "<table" not in found


def test_perfect_separation_is_drawn_and_has_no_slope(tmp_path):
    labels = np.arange(24) % 2
    test = Predictions(labels, labels * 0.8 + 0.1, range(24))
    summary = measured(test)
    assert len(drawn(summary, test, tmp_path)) == 2 * len(DRAWN)
    rows = {row[0]: row[1] for row in texts(evidence_tables.calibration(summary))}
    assert rows["Calibration slope (1 is right)"] == "not estimable"
    assert rows["Brier score (lower is better)"] == "0.010 (no interval)"


def test_one_class_has_no_net_benefit_and_the_note_says_why():
    summary = measured(Predictions([0] * 24, np.linspace(0.1, 0.9, 24), range(24)))
    found = evidence_tables.decision(summary)
    (benefit,) = texts(found)
    assert benefit[2:4] == ["not estimable", "not estimable"]
    assert ("a", "not estimable: there is no positive image") in found.footnotes


def test_nothing_measured_has_no_table_and_no_sentence():
    tables = evidence_tables
    for table in (tables.calibration, tables.decision, tables.at_prevalence, tables.extremes):
        assert table({}) is None
    assert (tables.temperature({}), tables.too_many({})) == ("", "")
