"""Models of several findings in the loop; steps of each backend are in test_backends.py."""

import numpy as np
import pytest
from masked import FACTORS, MODEL, TRUTH, data, plan

from radzoo.backends.worker import fake, targets, training
from radzoo.backends.worker.feed import Feed
from radzoo.errors import Interrupted


def test_the_value_of_a_label_that_is_not_known_changes_no_weight():
    images, starts = np.random.default_rng(0).random((4, 8, 8, 1)), np.zeros((64, 3))
    weights = targets.Findings.weights(TRUTH.astype("float32"), FACTORS)
    np.testing.assert_array_equal(
        weights, [[2.0, 1.0, 0.0], [0.5, 0.0, 0.0], [2.0, 3.0, 0.0], [0.0, 1.0, 0.0]]
    )
    found = []
    for value in -1, 0, 1:
        fitter = fake.Adapter(print, bool).fitter(
            MODEL, {"scores/kernel": starts, "scores/bias": np.zeros(3)}
        )
        fitter.learning_rate = 1.0
        fitter.step(images, np.where(TRUTH < 0, value, TRUTH), weights)
        found.append(fitter.weights["scores/kernel"])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_validation_counts_known_labels_and_findings_with_both():
    truth = np.array([[1, -1, 0], [0, 1, 0], [1, 0, 0], [0, -1, -1]], "float32")
    probabilities = np.array([[0.9, 0.9, 0.6], [0.8, 0.3, 0.1], [0.7, 0.4, 0.2], [0.1, 0, 0.9]])
    found = targets.Findings.measured(truth, probabilities)
    # right: three of four, one of two, two of three; areas: three of four pairs, none of one
    assert found == {"val_accuracy": pytest.approx(6 / 9), "val_roc_auc": (0.75 + 0.0) / 2}


@pytest.mark.parametrize("stopped_after", [1, 3, 4])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path, stopped_after):
    truth = np.array([[1, 0], [0, -1], [-1, 1], [1, 1], [0, 0], [0, 1]], "int8")
    model = {**MODEL, "classes": 2}
    start = {"scores/kernel": np.zeros((64, 2)), "scores/bias": np.zeros(2)}
    given = data(tmp_path, truth)

    def finish(name, stopped):
        (tmp_path / name).mkdir(exist_ok=True)
        how = {"epochs": 3, "optimizer": {"name": "sgd", "learning_rate": 0.3}}
        asked = plan(tmp_path / name, phases=[how], class_weight=None, batch_size=3)
        asked["rows"] = {"train": [0, 1, 2, 3], "validation": [2, 3, 4, 5]}
        fitter = fake.Adapter(print, bool).fitter(model, start)
        feed = Feed(**given, classes=2)
        history = training.Training(fitter, feed, asked, lambda event: None, stopped).finish()
        timed = ("seconds", "images_per_s")
        return [{k: v for k, v in row.items() if k not in timed} for row in history], fitter.weights

    whole, weights = finish("whole", lambda: False)
    asked = iter(range(100))
    with pytest.raises(Interrupted):
        finish("cut", lambda: next(asked) >= stopped_after)
    resumed, others = finish("cut", lambda: False)
    assert resumed == whole
    for path, array in weights.items():
        np.testing.assert_array_equal(others[path], array)
