"""Predictive values elsewhere, by Bayes' theorem on paper."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Predictions
from radzoo.evaluation.confusion import confusion
from radzoo.evaluation.estimate import Sample
from radzoo.evaluation.prevalence import at_prevalence


def at(predictions, prevalence, resamples=300):
    sample = Sample(predictions, Bootstrap(resamples))
    return at_prevalence(sample, confusion(sample, 0.5), prevalence)


def made(found, missed, alarms, cleared):
    labels = [1] * (found + missed) + [0] * (alarms + cleared)
    probabilities = [0.9] * found + [0.1] * missed + [0.9] * alarms + [0.1] * cleared
    return Predictions(labels, probabilities, range(len(labels)))


def test_the_interval_is_that_of_the_rates_in_a_loop_over_patients():
    predictions, values = made(30, 10, 15, 45), []
    random, called = np.random.default_rng(0), predictions.probabilities >= 0.5
    order = np.argsort(predictions.patients)  # patients are numbered by their sorted ids
    for _ in range(300):
        images = order[random.integers(100, size=100)]
        ill = predictions.labels[images] == 1
        sensitivity, alarms = called[images][ill].mean(), called[images][~ill].mean()
        values.append(0.1 * sensitivity / (0.1 * sensitivity + 0.9 * alarms))
    found = at(predictions, 0.1).ppv
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(values, Bootstrap().ends(100)))
    )


def test_perfect_separation_claims_no_certainty():
    found = at(made(10, 0, 0, 20), 0.05)
    lows = (10 / (10 + 1.959964**2), 20 / (20 + 1.959964**2))  # Wilson's
    assert found.ppv.value == 1
    ppv = 0.05 * lows[0] / (0.05 * lows[0] + 0.95 * (1 - lows[1]))
    assert found.ppv.low == pytest.approx(ppv, abs=1e-6)
    assert "10 and 20 patients as trials, worst and best" in found.ppv.method
    npv = 0.95 * lows[1] / (0.95 * lows[1] + 0.05 * (1 - lows[0]))
    assert found.npv.low == pytest.approx(npv, abs=1e-6)


def test_nothing_called_positive_leaves_ppv_open():
    found = at(made(0, 5, 0, 5), 0.1)
    assert found.ppv.note == "not estimable: there is no image called positive"
    assert found.npv.value == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("counts", "lost"), [((0, 0, 3, 3), "positive"), ((3, 3, 0, 0), "negative")]
)
def test_one_class_is_not_estimable(counts, lost):
    found = at(made(*counts), 0.1)
    assert found.ppv.note == found.npv.note == f"not estimable: there is no {lost} image"


def test_one_positive_has_a_value_but_no_interval():
    found = at(made(1, 0, 4, 10), 0.1)
    assert found.ppv.value is not None
    assert found.ppv.note == "no interval: 1 positive image, of one patient only"
