"""Decision curve, errors by threshold and extremes of made-up predictions."""

import numpy as np
import pytest

from radzoo import evaluation
from radzoo.evaluation import Bootstrap, Options, Predictions, Subject
from radzoo.experiments import plots, threshold_plots

CAPTION = plots.Caption("made up", "test", 60, 40, synthetic=True)
FEW = Bootstrap(50)


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 3 == 0
    probabilities = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    return Predictions(labels, probabilities, random.integers(40, size=60))


@pytest.fixture
def drawn(monkeypatch):
    """The text of a figure, kept as text instead of paths."""
    monkeypatch.setitem(plots.STYLE, "svg.fonttype", "none")
    return lambda paths: paths[1].read_text()


def found_extremes(predictions):
    options = Options(bootstrap=FEW)
    return evaluation.summarise({"test": predictions}, Subject("x", ("a", "b")), options)[
        "extremes"
    ]


def test_the_decision_curve_stands_beside_calling_all_and_none(tmp_path, predictions, drawn):
    curve = evaluation.decision_curve(predictions, resamples=50)
    text = drawn(threshold_plots.decision_curve(curve, curve, tmp_path, CAPTION))
    for words in ("raw probability", "calibrated", "call all", "call none", "95 % band", "Net b"):
        assert words in text
    alone = drawn(threshold_plots.decision_curve(curve, None, tmp_path, CAPTION))
    assert "calibrated" not in alone
    assert (tmp_path / "decision_curve.png").exists()


def test_the_thresholds_of_the_thesis_are_marked_with_their_counts(tmp_path, predictions, drawn):
    found = evaluation.error_counts(predictions, resamples=50)
    text = drawn(threshold_plots.errors_by_threshold(found, tmp_path, CAPTION))
    for threshold in (0.5, 0.4, 0.2):
        metrics = evaluation.at_threshold(predictions, threshold, FEW)
        missed, alarms = (metrics[f"false_{n}"].value for n in ("negatives", "positives"))
        assert f"threshold {threshold}:" in text
        assert f"{missed} missed, {alarms} false alarms" in text
    assert "95 % band" in text


def test_extremes_show_the_area_and_both_ends_beside_chance(tmp_path, predictions, drawn):
    curve, found = evaluation.risk_coverage(predictions, 0.5, FEW), found_extremes(predictions)
    text = drawn(threshold_plots.extremes(curve, found, tmp_path, CAPTION))
    assert f"AURC {found['aurc']['value']:.3f} (" in text
    assert "truly positive of all images: 0.333" in text
    assert "lowest probabilities: truly negative" in text
    for words in ("Research use only", "SYNTHETIC", "Images at each end", ">25</text>"):
        assert words in text
    assert ">50</text>" not in text


def test_one_class_is_drawn_with_what_it_has(tmp_path, drawn):
    one = Predictions([0] * 12, np.linspace(0.1, 0.9, 12), range(12))
    curve = evaluation.decision_curve(one, resamples=20)
    text = drawn(threshold_plots.decision_curve(curve, None, tmp_path, CAPTION))
    assert "not estimable: the images are of one class" in text
    counts = evaluation.error_counts(one, resamples=20)
    text = drawn(threshold_plots.errors_by_threshold(counts, tmp_path, CAPTION))
    assert "positive images means nothing: there is none" in text
    risk = evaluation.risk_coverage(one, 0.5, FEW)
    text = drawn(threshold_plots.extremes(risk, found_extremes(one), tmp_path, CAPTION))
    assert "not estimable: fewer than 20 images" in text
