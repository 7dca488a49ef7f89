"""The slope beside statsmodels, and what slope and intercept answer at the edges."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student

from radzoo.evaluation import Predictions, intercept, slope


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(3)
    odds = random.normal(-0.3, 1.4, 400)
    labels = (random.random(400) < 1 / (1 + np.exp(-odds))).astype(int)
    return Predictions(labels, 1 / (1 + np.exp(-1.7 * odds - 0.4)), random.integers(150, size=400))


def log_odds(predictions):
    return np.log(predictions.probabilities / (1 - predictions.probabilities))


def fitted(predictions, design, offset):
    groups = {"groups": predictions.patient_codes}
    model = sm.GLM(predictions.labels, design, sm.families.Binomial(), offset=offset)
    fit = model.fit(cov_type="cluster", cov_kwds=groups)
    width = fit.bse[-1] * student.ppf(0.975, predictions.patient_count - 1)
    return fit.params[-1], fit.params[-1] - width, fit.params[-1] + width


def test_slope_and_its_interval_are_those_of_statsmodels(predictions):
    odds, found = log_odds(predictions), slope(predictions)
    expected = fitted(predictions, sm.add_constant(odds), np.zeros(400))
    assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-6)
    assert "sandwich with patients as clusters" in found.method


def test_the_intercept_of_constant_scores_is_the_distance_in_log_odds():
    predictions = Predictions([1, 0, 0, 0] * 10, [0.5] * 40, range(40))
    assert intercept(predictions).value == pytest.approx(np.log(1 / 3), abs=1e-7)
    assert slope(predictions).note == "not estimable: all probabilities are equal"


def test_copies_of_an_image_of_the_same_patient_do_not_narrow_the_interval(predictions):
    one = predictions.where(np.unique(predictions.patient_codes, return_index=True)[1])
    labels, probabilities = np.repeat(one.labels, 5), np.repeat(one.probabilities, 5)
    often = slope(Predictions(labels, probabilities, np.repeat(one.patients, 5)))
    once = slope(one)
    assert often.value == pytest.approx(once.value, abs=1e-6)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.02)


@pytest.mark.parametrize(("label", "lost"), [(0, "positive"), (1, "negative")])
def test_one_class_has_neither(label, lost):
    predictions = Predictions([label] * 10, np.linspace(0.1, 0.9, 10), range(10))
    for found in (slope(predictions), intercept(predictions)):
        assert found.note == f"not estimable: there is no {lost} image"


@pytest.mark.parametrize("low", [0.2, 0.6])
def test_separated_classes_have_no_slope(low):
    labels = [0] * 10 + [1] * 10
    predictions = Predictions(labels, [low] * 10 + [0.6 if low < 0.5 else 0.2] * 10, range(20))
    assert "separate the classes" in slope(predictions).note
    assert intercept(predictions).value is not None


def test_one_positive_has_a_value_but_no_interval():
    predictions = Predictions([1] + [0] * 19, [0.6, *np.linspace(0.1, 0.9, 19)], range(20))
    for found in (slope(predictions), intercept(predictions)):
        assert found.value is not None
        assert found.low is None
        assert found.note == "no interval: 1 positive image, of one patient only"


def test_probabilities_of_0_and_1_are_clipped_and_wrong_ones_pull_hard():
    labels, probabilities = [1, 0] * 20, [0.0, 1.0, 1.0, 0.0, 0.4, 0.6, 0.7, 0.2] * 5
    found = slope(Predictions(labels, probabilities, range(40)))
    assert abs(found.value) < 0.1
    assert "log odds of 1e-06 to 1 - 1e-06" in found.method


def test_an_intercept_that_nothing_holds_has_no_interval():
    labels, probabilities = [1, 0, 1, 0] * 10, [0.0, 1.0, 1.0, 0.0] * 10
    found = intercept(Predictions(labels, probabilities, range(40)))
    assert found.low is None
    assert found.note == "no interval: the probabilities are too near to 0 and 1"


def nearly_constant(spread):
    random = np.random.default_rng(0)
    labels, noise = random.integers(0, 2, 60), random.standard_normal(60)
    return slope(Predictions(labels, 0.5 + spread * noise, range(60)))


@pytest.mark.parametrize("spread", [6e-8, 1e-12])
def test_probabilities_that_differ_by_rounding_have_no_slope(spread):
    assert nearly_constant(spread).note == "not estimable: all probabilities are almost equal"


def test_a_slope_of_probabilities_that_hardly_differ_says_why_it_has_no_interval():
    found = nearly_constant(1e-3)
    assert found.low is None
    assert "too alike" in found.note
