"""Risk and coverage by hand, and beside a plain loop over images and patients."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Predictions, area_under_risk, risk_coverage
from radzoo.evaluation.risk_coverage import confidences


def looped(labels, probabilities, threshold):
    """The mean of the risks after each image; equally sure ones share their errors."""
    sure = confidences(probabilities, threshold)
    order = np.argsort(-sure, kind="stable")
    wrong = ((probabilities >= threshold) != (labels == 1))[order].astype(float)
    for value in np.unique(sure):
        wrong[sure[order] == value] = wrong[sure[order] == value].mean()
    return np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1))


def test_confidence_is_the_share_of_the_way_from_the_threshold():
    found = confidences(np.array([0, 0.1, 0.2, 0.6, 1.0]), 0.2)
    assert found == pytest.approx([1, 0.5, 0, 0.5, 1])
    p = np.random.default_rng(0).random(50)
    assert (np.argsort(confidences(p, 0.5)) == np.argsort(np.maximum(p, 1 - p))).all()


def test_the_area_of_a_worked_example():
    # from the surest: right, wrong, right, wrong: risks 0, 1/2, 1/3, 2/4
    predictions = Predictions([1, 1, 0, 1], [0.99, 0.05, 0.1, 0.45], range(4))
    found = area_under_risk(predictions, 0.5, Bootstrap(100))
    assert found.value == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    curve = risk_coverage(predictions, 0.5, Bootstrap(100))
    assert curve.risk[[24, 49, 74, 99]] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.coverage[[24, 99]].tolist() == [0.25, 1]


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_area_and_interval_are_those_of_a_loop_over_patients(decimals):
    random = np.random.default_rng(3)
    labels, probabilities = random.integers(0, 2, 60), np.round(random.random(60), decimals)
    predictions = Predictions(labels, probabilities, random.integers(25, size=60))
    found = area_under_risk(predictions, 0.4, Bootstrap(60, seed=4))
    assert found.value == pytest.approx(looped(labels, probabilities, 0.4))
    patients, values = predictions.patient_count, []
    rows = [np.flatnonzero(predictions.patient_codes == i) for i in range(patients)]
    random = np.random.default_rng(4)
    for _ in range(60):
        drawn = random.integers(patients, size=patients)
        images = np.concatenate([rows[patient] for patient in drawn])
        values.append(looped(labels[images], probabilities[images], 0.4))
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(values, Bootstrap().ends(patients)))
    )


def test_one_class_and_one_positive_have_a_risk():
    rising = np.linspace(0.05, 0.95, 20)
    none = area_under_risk(Predictions([0] * 20, rising, range(20)), 0.5, Bootstrap(50))
    one = area_under_risk(Predictions([0] * 19 + [1], rising, range(20)), 0.5, Bootstrap(50))
    assert one.value < none.value
    assert one.low < one.value < one.high


def test_one_patient_has_no_interval():
    predictions = Predictions([0, 1, 1], [0.6, 0.7, 0.2], ["same"] * 3)
    assert "of one patient only" in area_under_risk(predictions, 0.5, Bootstrap(20)).note
    assert "one patient only" in risk_coverage(predictions, 0.5, Bootstrap(20)).note


def test_a_threshold_beyond_1_calls_nothing_positive():
    predictions = Predictions([0, 1], [0.0, 1.0], "ab")
    assert area_under_risk(predictions, 1.5, Bootstrap(20)).value == pytest.approx(0.25)
