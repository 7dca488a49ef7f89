"""Missed images and false alarms by threshold, beside `measure` at each of some thresholds."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Predictions, at_threshold, error_counts


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(0)
    labels = (random.random(200) < 0.4).astype(int)
    probabilities = np.round(np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1), 2)
    return Predictions(labels, probabilities, random.integers(80, size=200))


@pytest.mark.parametrize("threshold", [0.2, 0.29, 0.4, 0.5])
def test_counts_and_bands_are_those_of_the_metrics(predictions, threshold):
    found = error_counts(predictions, resamples=200)
    place = round(100 * threshold)
    assert found.thresholds[place] == threshold
    metrics = at_threshold(predictions, threshold, Bootstrap(200))
    for name in ("false_negatives", "false_positives"):
        errors, expected = getattr(found, name), metrics[name]
        assert errors.count[place] == expected.value
        bounds = errors.low[place], errors.high[place]
        assert bounds == pytest.approx((expected.low, expected.high))


def test_one_positive_is_told():
    found = error_counts(Predictions([1, 0, 0], [0.7, 0.2, 0.4], range(3)), resamples=50)
    assert found.false_negatives.count[[70, 71]].tolist() == [0, 1]
    assert "positive images means nothing: they come from one patient only" in found.note


def test_constant_scores_are_a_step():
    found = error_counts(Predictions([1, 0] * 5, [0.5] * 10, range(10)), resamples=20)
    assert found.false_negatives.count[[50, 51]].tolist() == [0, 5]
    assert found.false_positives.count[[50, 51]].tolist() == [5, 0]


def test_perfect_separation_has_thresholds_without_error():
    found = error_counts(Predictions([1, 0] * 5, [0.9, 0.1] * 5, range(10)), resamples=20)
    total = found.false_negatives.count + found.false_positives.count
    assert not total[11:91].any()
