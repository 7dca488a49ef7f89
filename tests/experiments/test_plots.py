"""Figures of made-up predictions: files, words, and nothing global left behind."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from radzoo import evaluation
from radzoo.evaluation import Predictions
from radzoo.experiments import plots

CAPTION = plots.Caption("made up $1", "test", 60, 40, synthetic=True)


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    probabilities = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    return Predictions(labels, probabilities, random.integers(40, size=60))


@pytest.fixture(scope="module")
def metrics(predictions):
    return evaluation.measure(predictions, resamples=100)


@pytest.fixture
def drawn(monkeypatch):
    """The text of each figure, kept as text instead of paths."""
    monkeypatch.setitem(plots.STYLE, "svg.fonttype", "none")
    return lambda paths: paths[1].read_text()


def is_a_pair(paths, folder, name):
    assert paths == [folder / f"{name}.png", folder / f"{name}.svg"]
    assert imread(paths[0]).shape[1] > 600
    assert [path.name for path in sorted(folder.iterdir())] == [f"{name}.png", f"{name}.svg"]
    return True


def test_every_figure_says_its_data_its_numbers_and_its_use(tmp_path, predictions, metrics, drawn):
    curve = evaluation.roc_curve(predictions, resamples=50)
    for text in (
        drawn(plots.roc(curve, metrics["roc_auc"], tmp_path, CAPTION)),
        drawn(plots.confusion_matrix(metrics, ("well", "ill"), 0.5, tmp_path, CAPTION)),
        drawn(plots.learning_curves({"loss": [1.0]}, tmp_path, CAPTION)),
    ):
        for words in ("made up $1 (SYNTHETIC images) · test", "Research use"):
            assert words in text


def test_unknown_patients_are_not_counted():
    assert "60 images, patients unknown" in str(plots.Caption("d", "test", 60))


def test_roc_names_its_area_its_band_and_its_points(tmp_path, predictions, metrics, drawn):
    curve = evaluation.roc_curve(predictions, resamples=50)
    points = {"max Youden": (0.75, 0.5), "cost 10 to 1": (0.75, 0.5), "threshold 0.5": (0.6, 0.9)}
    text = drawn(plots.roc(curve, metrics["roc_auc"], tmp_path, CAPTION, points))
    assert f"ROC AUC {metrics['roc_auc'].value:.3f}" in text
    assert f"(95 %: {metrics['roc_auc'].low:.3f} to {metrics['roc_auc'].high:.3f})" in text
    assert "95 % band, patients resampled" in text
    assert "Sensitivity (recall)" in text
    assert text.count("sensitivity 0.750, specificity 0.500") == 1  # two points in one place
    assert "sensitivity 0.600, specificity 0.900" in text
    assert is_a_pair([tmp_path / "roc.png", tmp_path / "roc.svg"], tmp_path, "roc")


def test_precision_recall_shows_the_prevalence(tmp_path, predictions, metrics, drawn):
    curve = evaluation.precision_recall_curve(predictions, resamples=50)
    points = {"max Youden": (0.75, 0.5)}
    text = drawn(plots.precision_recall(curve, metrics["pr_auc"], tmp_path, CAPTION, points))
    assert "chance: prevalence 0.500" in text
    assert "sensitivity 0.750, precision 0.500" in text


def test_one_class_is_drawn_as_not_estimable(tmp_path, drawn):
    predictions = Predictions([1] * 20, np.linspace(0, 1, 20), range(20))
    found = evaluation.measure(predictions, resamples=20)
    curve = evaluation.roc_curve(predictions, resamples=20)
    assert "not estimable: the images" in drawn(
        plots.roc(curve, found["roc_auc"], tmp_path, CAPTION)
    )
    text = drawn(plots.confusion_matrix(found, ("well", "ill"), 0.5, tmp_path, CAPTION))
    assert "0.0 % of 0" in text
    assert "no interval" in text


def test_marks_leave_out_points_without_a_number():
    number, none = {"value": 0.5}, {"value": None}
    points = [
        {"name": "a", "test": {"sensitivity": number, "specificity": number, "ppv": none}},
        {"name": "validation only", "validation": {"sensitivity": number}},
    ]
    assert plots.marks(points) == {"a": (0.5, 0.5)}
    assert plots.marks(points, "ppv") == {}


def test_confusion_matrix_shows_counts_shares_and_intervals(tmp_path, metrics, drawn):
    text = drawn(plots.confusion_matrix(metrics, ("well", "ill"), 0.5, tmp_path, CAPTION))
    missed = metrics["false_negatives"]
    assert f">{missed.value}</text>" in text
    assert f"{100 * missed.value / 30:.1f} % of 30" in text
    assert f"95 %: {100 * missed.low / 30:.1f} to {100 * missed.high / 30:.1f} %" in text
    for verdict in ("cleared", "false alarm", "MISSED", "found", "truly ill", "called well"):
        assert verdict in text


HISTORY = {
    "epoch": [1, 2, 3, 4],
    "phase": [1, 1, 2, 2],
    "loss": [0.9, 0.7, 0.5, 0.3],
    "val_loss": [0.9, 0.6, 0.7, 0.8],
    "val_roc_auc": [0.5, 0.6, 0.9, 0.8],
    "images_per_s": [10.0, 10.0, 10.0, 10.0],
}


def test_learning_curves_mark_the_epoch_with_the_least_loss(tmp_path, drawn):
    text = drawn(plots.learning_curves(HISTORY, tmp_path, CAPTION))
    assert text.count("Epoch (dashed: 2, best validation loss)") == 2  # loss and ROC AUC
    assert "phase 2" in text
    assert "images_per_s" not in text


def test_learning_curves_mark_the_epoch_with_the_most_of_a_metric(tmp_path, drawn):
    table = pd.DataFrame(HISTORY).assign(phase=["head", "head", "rest", "rest"])
    text = drawn(plots.learning_curves(table, tmp_path, CAPTION, monitor="val_roc_auc"))
    assert "Epoch (dashed: 3, best validation ROC AUC)" in text
    assert "rest" in text


def test_an_epoch_that_begins_anew_in_each_phase_is_counted_on(tmp_path, drawn):
    history = {**HISTORY, "epoch": [1, 2, 1, 2]}
    text = drawn(plots.learning_curves(history, tmp_path, CAPTION, monitor="val_roc_auc"))
    assert "Epoch (dashed: 3" in text


@pytest.mark.parametrize("history", [{"epoch": [1]}, {"loss": []}])
def test_a_history_without_a_curve_is_refused(tmp_path, history):
    with pytest.raises(ValueError, match="Nothing to draw"):
        plots.learning_curves(history, tmp_path, CAPTION)


def test_unfinished_columns_of_a_history_are_drawn_as_gaps(tmp_path):
    history = {"loss": [0.9, None, 0.4], "val_loss": [None, None, None]}
    assert len(plots.learning_curves(history, tmp_path, CAPTION)) == 2


def samples(predictions, threshold=0.5):
    chosen = plots.most_telling(predictions, threshold, each=2)
    images = np.zeros((len(chosen), 8, 8))
    names = [f"a_very_long_name_of_an_image_{i:04}.png" for i in chosen]
    labels, probabilities = predictions.labels[chosen], predictions.probabilities[chosen]
    return plots.Samples(images, labels, probabilities, names, ("well", "ill"), threshold)


def test_samples_are_the_surest_of_each_kind():
    predictions = Predictions([1, 1, 1, 0, 0, 0, 1], [0.2, 0.1, 0.4, 0.9, 0.6, 0.3, 0.5], range(7))
    assert plots.most_telling(predictions, 0.5, each=2).tolist() == [1, 0, 3, 4, 6, 5]


def test_sample_predictions_say_verdict_truth_and_probability(tmp_path, predictions, drawn):
    shown = samples(predictions)
    text = drawn(plots.sample_predictions(shown, tmp_path, CAPTION))
    for words in ("✗ MISSED, p = 0.", "✗ false alarm", "✓ found", "✓ cleared", "truth: ill"):
        assert words in text
    assert "…" in text
    assert is_a_pair(
        [tmp_path / "sample_predictions.png", tmp_path / "sample_predictions.svg"],
        tmp_path,
        "sample_predictions",
    )


def test_a_kind_of_call_that_never_happened_has_no_row(tmp_path, drawn):
    predictions = Predictions([1, 0], [0.9, 0.1], range(2))
    text = drawn(plots.sample_predictions(samples(predictions), tmp_path, CAPTION))
    assert "MISSED" not in text
    assert "found" in text


def test_the_same_numbers_give_the_same_bytes(tmp_path, metrics):
    first, second = (
        [path.read_bytes() for path in plots.confusion_matrix(metrics, "ab", 0.5, folder, CAPTION)]
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert first == second
