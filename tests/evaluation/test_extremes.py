"""Where the model is surest: extremes, and risk by coverage."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Predictions
from radzoo.evaluation.extremes import extremes
from radzoo.evaluation.intervals import wilson
from radzoo.evaluation.risk_coverage import area_under_risk, confidences, risk_coverage

FEW = Bootstrap(resamples=200)


def test_the_share_right_at_both_ends_by_hand():
    # 20 images by rising probability; of the 10 lowest 8 are negative, of the 10 highest 9 positive
    labels = [0] * 4 + [1] + [0] * 4 + [1] + [1] * 5 + [0] + [1] * 4
    predictions = Predictions(labels, np.linspace(0.01, 0.99, 20), range(20))
    found = extremes(predictions, counts=(5, 10, 11))
    assert [(e.count, e.lowest.value, e.highest.value) for e in found.found] == [
        pytest.approx((5, 0.8, 0.8)),
        pytest.approx((10, 0.8, 0.9)),
    ]
    assert found.too_many == (11,)
    last = found.found[-1].highest
    assert (last.low, last.high) == pytest.approx(wilson(0.9, 10, 0.95))
    assert last.method == "Wilson score, 10 patients as trials"


def test_images_tied_at_the_edge_count_by_the_share_that_fits():
    # the two highest are one image at 0.9 (positive) and one of four at 0.5, of which one is
    labels = [0, 0, 0, 1, 0, 1]
    predictions = Predictions(labels, [0.1, 0.5, 0.5, 0.5, 0.5, 0.9], range(6))
    (found,) = extremes(predictions, counts=(2,)).found
    assert found.highest.value == pytest.approx((1 + 1 / 4) / 2)
    assert found.lowest.value == pytest.approx((1 + 3 / 4) / 2)


def test_patients_with_several_images_are_fewer_trials():
    predictions = Predictions([0, 0, 0, 1], [0.1, 0.2, 0.8, 0.9], ["a", "a", "b", "c"])
    (found,) = extremes(predictions, counts=(2,)).found
    assert "no interval: 2 images, of one patient only" in found.lowest.note
    assert found.highest.method == "Wilson score, 2 patients as trials"


def test_how_sure_a_call_is_by_hand():
    found = confidences(np.array([0.0, 0.1, 0.2, 0.6, 1.0]), 0.2)
    assert found == pytest.approx([1, 0.5, 0, 0.5, 1])


def test_risk_and_its_area_are_those_of_a_plain_loop():
    random = np.random.default_rng(5)
    labels, probabilities = random.integers(0, 2, 100), random.random(100)
    predictions = Predictions(labels, probabilities, range(100))
    order = np.argsort(-np.abs(probabilities - 0.5))
    wrong = (probabilities >= 0.5) != labels
    risks = [wrong[order[:judged]].mean() for judged in range(1, 101)]
    curve = risk_coverage(predictions, 0.5, FEW)
    np.testing.assert_allclose(curve.risk, risks)
    area = area_under_risk(predictions, 0.5, FEW)
    assert area.value == pytest.approx(np.mean(risks))
    assert area.low < area.value < area.high
    assert (curve.low <= curve.risk + 1e-9).all()
    assert (curve.risk <= curve.high + 1e-9).all()


def test_equally_sure_images_enter_together():
    predictions = Predictions([1, 0, 1, 0], [0.9] * 4, "abcd")  # two of four are wrong
    assert risk_coverage(predictions, 0.5, FEW).risk == pytest.approx(np.full(100, 0.5))
    assert area_under_risk(predictions, 0.5, FEW).value == pytest.approx(0.5)


def test_calls_that_are_all_right_have_no_risk_and_claim_no_certainty():
    found = area_under_risk(Predictions([0, 1], [0.1, 0.9], "ab"), 0.5, FEW)
    assert (found.value, found.low) == (0, None)
    assert "every resample gives the same value" in found.note


def test_one_class_has_extremes_and_risk_all_the_same():
    predictions = Predictions([1, 1, 1, 1], [0.2, 0.6, 0.7, 0.9], "abcd")
    (found,) = extremes(predictions, counts=(2,)).found
    assert (found.lowest.value, found.highest.value) == (0, 1)
    assert risk_coverage(predictions, 0.5, FEW).risk[-1] == pytest.approx(0.25)


def test_patients_are_the_trials():
    labels, patients = [0] * 9 + [1] * 31, [*[i // 2 for i in range(10)], *range(10, 40)]
    found = extremes(Predictions(labels, np.linspace(0, 1, 40), patients), counts=(10,)).found[0]
    assert found.lowest.value == 0.9
    assert (found.lowest.low, found.lowest.high) == pytest.approx(wilson(0.9, 5, 0.95))
    assert found.lowest.method == "Wilson score, 5 patients as trials"


def test_constant_scores_are_right_as_often_as_chance():
    found = extremes(Predictions([0, 0, 0, 1] * 10, [0.5] * 40, range(40)), counts=(10,)).found[0]
    assert (found.lowest.value, found.highest.value) == (0.75, 0.25)
    assert found.lowest.low < 0.75 < found.lowest.high


def test_perfect_separation_claims_no_certainty():
    labels = np.arange(40) // 20
    found = extremes(Predictions(labels, labels, range(40)), counts=(20,)).found[0]
    assert found.lowest.value == found.highest.value == 1
    assert found.highest.low == pytest.approx(20 / (20 + 1.959964**2))


def test_one_positive_is_found_at_its_end():
    predictions = Predictions([1] + [0] * 19, np.linspace(1, 0, 20), range(20))
    assert extremes(predictions, counts=(10,)).found[0].highest.value == 0.1
