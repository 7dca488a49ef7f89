"""Net benefit by hand and beside dcurves 1.1.7, whose figures are written down here."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Predictions, decision_curve
from radzoo.evaluation.confusion import confusion
from radzoo.evaluation.decision import net_benefit
from radzoo.evaluation.estimate import Sample

LABELS = [0, 0, 1, 1, 0, 1, 0, 1, 0, 0]
PROBABILITIES = [0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.6, 0.55, 0.05, 0.3]
# dcurves.dca(..., thresholds=[0.1, 0.2, 0.35, 0.5, 0.75]): the model, all
DCURVES = {
    0.1: (0.344444, 0.333333),
    0.2: (0.3, 0.25),
    0.35: (0.292308, 0.076923),
    0.5: (0.2, -0.2),
    0.75: (0.2, -1.4),
}


def at(predictions, threshold, resamples=200):
    sample = Sample(predictions, Bootstrap(resamples))
    return net_benefit(sample, confusion(sample, threshold), threshold)


@pytest.mark.parametrize("threshold", DCURVES)
def test_curve_and_points_are_those_of_dcurves(threshold):
    predictions = Predictions(LABELS, PROBABILITIES, range(10))
    curve = decision_curve(predictions, resamples=50)
    place = round(100 * threshold) - 1
    assert curve.thresholds[place] == threshold
    both = curve.net_benefit[place], curve.treat_all[place]
    assert both == pytest.approx(DCURVES[threshold], abs=1e-6)
    point = at(predictions, threshold)
    assert (point.model.value, point.treat_all.value) == pytest.approx(both)


def test_the_interval_is_that_of_a_loop_over_patients_and_the_band_is_the_same():
    random = np.random.default_rng(2)
    labels, probabilities = random.integers(0, 2, 80), random.random(80)
    predictions = Predictions(labels, probabilities, random.integers(30, size=80))
    people = predictions.patient_count
    rows = [np.flatnonzero(predictions.patient_codes == i) for i in range(people)]
    random, values = np.random.default_rng(0), []
    for _ in range(200):
        drawn = random.integers(people, size=people)
        images = np.concatenate([rows[patient] for patient in drawn])
        called, ill = probabilities[images] >= 0.3, labels[images] == 1
        values.append((called & ill).mean() - 3 / 7 * (called & ~ill).mean())
    found, curve = at(predictions, 0.3).model, decision_curve(predictions, resamples=200)
    expected = np.quantile(values, Bootstrap().ends(people))
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert (curve.low[29], curve.high[29]) == pytest.approx(tuple(expected))


def test_a_threshold_of_1_or_more_has_no_price():
    point = at(Predictions(LABELS, PROBABILITIES, range(10)), 1.5)
    assert point.model.note == "not estimable: a false positive has no price at the threshold 1.5"
    assert point.treat_all.value is None


def test_perfect_separation_finds_the_prevalence_with_an_interval():
    labels = [1] * 4 + [0] * 12
    found = at(Predictions(labels, labels, range(16)), 0.5).model
    assert found.value == 0.25
    assert found.low < 0.25 < found.high


def test_one_positive_has_a_value_but_no_interval():
    predictions = Predictions([1] + [0] * 9, [0.9] + [0.1] * 9, range(10))
    found = at(predictions, 0.5).model
    assert (found.value, found.low) == (0.1, None)
    assert "1 positive image, of one patient only" in found.note
    assert "one patient only" in decision_curve(predictions, resamples=10).note


def test_constant_scores_are_calling_all_or_none():
    predictions = Predictions(LABELS, [0.4] * 10, range(10))
    low, high = at(predictions, 0.3), at(predictions, 0.5)
    assert low.model == low.treat_all
    assert (high.model.value, high.model.low) == (0, None)
