import numpy as np
import pytest
from sklearn import metrics as sklearn

from radzoo.evaluation import (
    Bootstrap,
    Predictions,
    mean_precision_recall_curve,
    mean_roc_curve,
    precision_recall_curve,
    roc_curve,
)


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(2)
    labels = (random.random(400) < 0.3).astype(int)
    probabilities = np.round(np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 2)
    return Predictions(labels, probabilities, random.integers(200, size=400))


def test_roc_curve_passes_through_the_points_of_scikit_learn(predictions):
    curve = roc_curve(predictions, resamples=100)
    rate, sensitivity, _ = sklearn.roc_curve(predictions.labels, predictions.probabilities)
    expected = np.interp(curve.false_positive_rate, rate, sensitivity)
    np.testing.assert_allclose(curve.sensitivity, expected)
    inside = (curve.low <= curve.sensitivity) & (curve.sensitivity <= curve.high)
    assert inside.mean() > 0.95


def test_roc_curve_rises_at_once_where_the_classes_are_apart():
    curve = roc_curve(Predictions([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], range(4)), resamples=50)
    np.testing.assert_array_equal(curve.sensitivity, 1)


def test_a_band_without_width_is_not_called_certain():
    labels = np.arange(60) % 2
    curve = roc_curve(Predictions(labels, labels * 0.8, range(60)), resamples=50)
    np.testing.assert_array_equal(curve.low, curve.high)
    assert curve.note == "no band: every resample gives the same curve, which is not certainty"


def test_precision_is_that_of_the_largest_threshold_that_reaches_the_sensitivity():
    predictions = Predictions([1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6, 0.5], range(5))
    curve = precision_recall_curve(predictions, resamples=50)
    at = dict(zip(curve.sensitivity.round(3).tolist(), curve.precision, strict=True))
    assert (at[0.0], at[0.33], at[0.335]) == (1, 1, 2 / 3)
    assert (at[0.665], at[0.67], at[1.0]) == (2 / 3, 3 / 5, 3 / 5)
    assert curve.prevalence == 3 / 5


def test_the_band_of_the_roc_curve_is_that_of_a_plain_loop(predictions):
    curve, random, curves = roc_curve(predictions, resamples=60, seed=9), None, []
    random = np.random.default_rng(9)
    people = predictions.patient_count
    rows = [np.flatnonzero(predictions.patient_codes == i) for i in range(people)]
    for _ in range(60):
        images = np.concatenate([rows[i] for i in random.integers(people, size=people)])
        rate, sensitivity, _ = sklearn.roc_curve(
            predictions.labels[images], predictions.probabilities[images], drop_intermediate=False
        )
        curves.append(np.interp(curve.false_positive_rate, rate, sensitivity))
    low, high = np.quantile(curves, Bootstrap().ends(people), axis=0)
    np.testing.assert_allclose(curve.low, low)
    np.testing.assert_allclose(curve.high, high)


@pytest.mark.parametrize("curve", [roc_curve, precision_recall_curve])
def test_one_class_has_no_curve(curve):
    found = curve(Predictions([1, 1], [0.2, 0.3], "ab"), resamples=10)
    assert np.isnan(found.low).all()
    assert found.note == "not estimable: the images are of one class"


def test_a_class_of_one_patient_makes_the_band_meaningless_and_says_so():
    found = roc_curve(Predictions([1, 0, 0], [0.2, 0.3, 0.1], "abc"), resamples=10)
    assert "one patient only" in found.note


def test_a_mean_curve_lies_between_those_of_its_seeds_and_of_equal_seeds_is_theirs():
    random = np.random.default_rng(5)
    labels, patients = np.arange(60) % 2, np.arange(60) // 2
    one, other = (Predictions(labels, random.random(60), patients) for _ in range(2))
    bootstrap = Bootstrap(50)
    mean = mean_roc_curve([one, other], bootstrap)
    apart = [roc_curve(seed, 50).sensitivity for seed in (one, other)]
    np.testing.assert_allclose(mean.sensitivity, np.mean(apart, axis=0))
    twice, once = (mean_precision_recall_curve(seeds, bootstrap) for seeds in ([one, one], [one]))
    np.testing.assert_allclose(twice.low, once.low)
    np.testing.assert_allclose(twice.precision, once.precision)
