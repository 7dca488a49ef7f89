"""Differences to other patients, by hand and against plain loops."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radzoo.evaluation import Bootstrap, Predictions, external, measure
from radzoo.evaluation.intervals import wilson

HOW = Bootstrap(resamples=200)


def made_up(seed, gain, images=90, patients=40):
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 3 == 0
    scores = np.clip(random.normal(0.4 + gain * labels, 0.2), 0, 1)
    return Predictions(labels, scores, np.arange(images) % patients)


def test_a_difference_is_external_less_internal():
    internal = Predictions([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2], "abcd")
    outside = Predictions([1, 1, 0, 0, 0], [0.9, 0.2, 0.1, 0.6, 0.3], "efghi")
    found = external.difference(internal, outside, 0.5, HOW)
    # of 6 pairs of the external images, 0.9 wins three, and 0.2 one
    assert found["roc_auc"].value == pytest.approx(4 / 6 - 1)
    assert found["sensitivity"].value == pytest.approx(1 / 2 - 1)
    assert found["specificity"].value == pytest.approx(2 / 3 - 1)
    assert found["accuracy"].value == pytest.approx(3 / 5 - 1)


def test_both_sides_are_resampled_by_patient_and_on_their_own():
    internal, outside = made_up(0, 0.3), made_up(1, 0.1, 70, 30)
    found = external.difference(internal, outside, 0.5, HOW)["roc_auc"]
    looped = []
    for of, draws in ((internal, HOW), (outside, Bootstrap(200, seed=1))):
        weights = np.hstack(list(draws.draws(of.patient_count, len(of)))).T
        each = [w[of.patient_codes] for w in weights]
        looped.append([roc_auc_score(of.labels, of.probabilities, sample_weight=w) for w in each])
    apart = np.subtract(looped[1], looped[0])
    bounds = np.quantile(apart, Bootstrap().ends(30))
    assert (found.low, found.high) == pytest.approx(tuple(bounds))
    assert found.method == "two independent patient bootstraps, expanded percentile, 200 resamples"
    assert found.p_value is None


def test_as_many_patients_on_both_sides_are_not_drawn_alike():
    same = made_up(0, 0.3)
    found = external.difference(same, same, 0.5, Bootstrap(2000))["accuracy"]
    alone = measure(same, 0.5)["accuracy"]
    assert found.value == 0
    # the difference of two independent equals is root 2 times as uncertain as each
    widths = (found.high - found.low) / (alone.high - alone.low)
    assert widths == pytest.approx(np.sqrt(2), rel=0.1)


def test_a_side_without_spread_is_not_taken_as_certain():
    perfect = Predictions([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2], "abcd")
    outside = made_up(1, 0.1)
    found = external.difference(perfect, outside, 0.5, HOW)["sensitivity"]
    low, _ = wilson(1.0, 2, 0.95)  # Newcombe's method 10: each arm by itself, then square and add
    ours = measure(outside, 0.5, resamples=200, seed=1)["sensitivity"]
    assert found.value == pytest.approx(ours.value - 1)
    assert found.low == pytest.approx(max(-1, ours.value - 1 - (ours.value - ours.low)))
    assert found.high == pytest.approx(
        found.value + np.hypot(ours.high - ours.value, 1 - low), abs=1e-12
    )
    assert found.method.startswith("square-and-add of two intervals: Wilson score, 2 patients")


def test_a_published_difference_of_two_proportions_is_found_by_square_and_add():
    # Newcombe, Stat Med 17 (1998), 873-890, table II, case (a): 56/70 and 48/80,
    # method 10: 0.0524 to 0.3339
    found = [wilson(part / whole, whole, 0.95) for part, whole in ((56, 70), (48, 80))]
    first, second = (
        external.Replicated(p, *bounds, None, 1, n, n, 0, "Wilson")
        for p, n, bounds in zip((0.8, 0.6), (70, 80), found, strict=True)
    )
    assert external._square_and_add(0.2, second, first) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_what_one_side_cannot_give_has_no_difference_and_says_whose_fault_it_is():
    one_class = Predictions([0, 0, 0], [0.1, 0.6, 0.3], "abc")
    found = external.difference(made_up(0, 0.3), one_class, 0.5, HOW)
    for name in ("roc_auc", "sensitivity"):
        assert (found[name].value, found[name].low) == (None, None)
        assert found[name].note == "external: not estimable: there is no positive image"
    assert found["specificity"].value is not None


def test_one_patient_has_a_difference_without_an_interval():
    lone = Predictions([1, 0, 0], [0.9, 0.1, 0.2], "aab")
    found = external.difference(lone, made_up(0, 0.3), 0.5, HOW)["sensitivity"]
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert found.note == "internal: no interval: 1 positive image, of one patient only"
