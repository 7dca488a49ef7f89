"""Paired comparisons against plain loops, SciPy and figures worked out by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from radzoo.errors import DataError
from radzoo.evaluation import Bootstrap, Predictions, comparison, delong, measure, replicates
from radzoo.evaluation.replicates import Configuration

HOW = Bootstrap(resamples=200)


def made_up(seed, gain=0.3, images=90, patients=40, labels=None):
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 3 == 0 if labels is None else labels
    scores = np.clip(random.normal(0.4 + gain * labels, 0.2), 0, 1)
    return Predictions(labels, scores, np.arange(images) % patients)


def measured(*predictions, threshold=0.5, how=HOW):
    thresholds = (threshold,) * len(predictions)
    return replicates.measure_replicates(Configuration("c", predictions, thresholds), how)


def test_one_seed_has_the_intervals_that_measure_gives():
    predictions = made_up(0)
    ours, theirs = measured(predictions), measure(predictions, 0.5, resamples=200)
    for name in (*replicates.METRICS, *replicates.COUNTS):
        found, expected = ours.metric(name), theirs[name]
        assert found.value == pytest.approx(expected.value), name
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high)), name
        assert (found.seed_sd, found.seeds) == (None, 1)
        assert (found.images, found.patients, found.positives) == (90, 40, 30)


def test_seeds_are_averaged_within_each_resample_of_patients():
    seeds = [made_up(seed) for seed in range(3)]
    found = measured(*seeds).metric("roc_auc")
    areas = [roc_auc_score(one.labels, one.probabilities) for one in seeds]
    assert found.value == pytest.approx(np.mean(areas))
    assert found.seed_sd == pytest.approx(np.std(areas, ddof=1))
    draws = np.hstack(list(HOW.draws(40, 90)))
    looped = []
    for weights in draws.T:
        weight = weights[seeds[0].patient_codes]
        drawn = [
            roc_auc_score(one.labels, one.probabilities, sample_weight=weight) for one in seeds
        ]
        looped.append(np.mean(drawn))
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(looped, Bootstrap().ends(40)))
    )
    assert (
        found.method
        == "patient bootstrap of the mean over seeds, expanded percentile, 200 resamples"
    )


@pytest.mark.parametrize(
    ("metric", "of"),
    [
        ("pr_auc", lambda y, p, w: average_precision_score(y, p, sample_weight=w)),
        ("brier", lambda y, p, w: brier_score_loss(y, p, sample_weight=w)),
        ("f1", lambda y, p, w: f1_score(y, p >= 0.5, sample_weight=w)),
    ],
)
def test_a_difference_is_that_of_the_same_patients_drawn_for_both(metric, of):
    one, other = made_up(0, 0.4), made_up(1, 0.2)
    found = comparison.difference(measured(one), measured(other), metric)
    apart = [
        of(one.labels, one.probabilities, w) - of(other.labels, other.probabilities, w)
        for weights in np.hstack(list(HOW.draws(40, 90))).T
        for w in [weights[one.patient_codes]]
    ]
    assert found.value == pytest.approx(
        of(one.labels, one.probabilities, None) - of(other.labels, other.probabilities, None)
    )
    bounds = np.quantile(apart, Bootstrap().ends(40))
    assert (found.low, found.high) == pytest.approx(tuple(bounds))
    assert (found.p_value, found.test) == (None, "none")


def test_counts_are_means_over_the_seeds():
    labels, patients = [1, 1, 1, 0, 0, 0], list("abcdef")
    one = Predictions(labels, [0.9, 0.9, 0.1, 0.1, 0.1, 0.9], patients)  # misses 1, alarms 1
    other = Predictions(labels, [0.9, 0.1, 0.1, 0.1, 0.1, 0.1], patients)  # misses 2
    both = measured(one, other)
    assert both.metric("false_negatives").value == pytest.approx(1.5)
    assert both.metric("false_positives").value == pytest.approx(0.5)


def test_the_p_value_of_areas_is_delongs_by_patient():
    ours, theirs = [made_up(0, 0.5), made_up(1, 0.5)], [made_up(2, 0.1)]
    found = comparison.difference(measured(*ours), measured(*theirs), "roc_auc")
    assert found.p_value == delong.areas([ours, theirs]).difference(0, 1).p_value
    assert found.test == "DeLong, clustered by patient"
    assert found.excludes_zero


@pytest.mark.parametrize(
    ("metric", "label"), [("sensitivity", (1,)), ("specificity", (0,)), ("accuracy", (0, 1))]
)
def test_the_p_value_of_a_rate_is_mcnemars_over_its_class(metric, label):
    one, other = made_up(0, 0.5), made_up(1, 0.1)
    chosen = np.isin(one.labels, label)
    right = [((p.probabilities >= 0.5) == p.labels)[chosen] for p in (one, other)]
    better, worse = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
    found = comparison.difference(measured(one), measured(other), metric)
    assert found.value == pytest.approx((better - worse) / chosen.sum())
    assert found.p_value == pytest.approx(binomtest(better, better + worse).pvalue)
    assert found.test == "exact McNemar"
    assert "the test takes images as independent" in found.note


def test_several_seeds_have_no_mcnemar():
    found = comparison.difference(
        measured(made_up(0), made_up(1)), measured(made_up(2), made_up(3)), "sensitivity"
    )
    assert (found.p_value, found.test) == (None, "none")
    assert found.note == "no test for a mean over seeds; the interval speaks"
    assert found.low < found.value < found.high


@pytest.mark.parametrize("metric", replicates.METRICS)
def test_identical_predictions_do_not_differ(metric):
    found = comparison.difference(measured(made_up(0)), measured(made_up(0)), metric)
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert found.method == "identical predictions"
    assert not found.excludes_zero


def test_two_perfect_models_do_not_differ_and_no_certainty_is_claimed():
    labels = np.arange(20) % 2
    one, other = (Predictions(labels, labels * a + 0.1, range(20)) for a in (0.5, 0.6))
    found = comparison.difference(measured(one), measured(other), "roc_auc")
    assert (found.value, found.low, found.high, found.p_value) == (0, None, None, 1)
    assert "which is not certainty" in found.note
    area = measured(one, other).metric("roc_auc")
    assert (area.value, area.high) == (1, 1)
    assert 0.7 < area.low < 1
    assert area.method == "Newcombe score (method 5), 10 and 10 patients, the widest of the seeds"


def test_one_class_is_not_estimable():
    one, other = (made_up(seed, labels=np.ones(90, int)) for seed in (0, 1))
    assert measured(one).metric("roc_auc").value is None
    found = comparison.difference(measured(one), measured(other), "roc_auc")
    assert (found.value, found.low, found.p_value) == (None, None, None)
    assert found.note == "not estimable: there is no negative image"


def test_one_positive_patient_has_a_difference_without_an_interval():
    labels = np.arange(90) == 3
    one, other = (made_up(seed, labels=labels) for seed in (0, 1))
    assert measured(one).metric("sensitivity").low is None
    found = comparison.difference(measured(one), measured(other), "roc_auc")
    assert found.value is not None
    assert (found.low, found.p_value) == (None, None)
    assert "the positive images are of fewer than two patients" in found.note


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (made_up(1, images=87), "they have 90 and 87 images"),
        (made_up(1, labels=np.arange(90) % 3 == 1), "the labels of 60 of 90 images"),
        (made_up(1, patients=41), "the patients of 50 of 90 images"),
    ],
)
def test_other_test_images_are_refused(other, why):
    with pytest.raises(DataError, match=f"cannot be compared in pairs: .*{why}"):
        comparison.difference(measured(made_up(0)), measured(other), "roc_auc")
    with pytest.raises(DataError, match=f"Replicates 0 and 1 of 'c' differ: .*{why}"):
        measured(made_up(0), other)


def test_each_replicate_needs_its_threshold():
    with pytest.raises(DataError, match="got 1 and 2 thresholds"):
        Configuration("c", (made_up(0),), (0.5, 0.4))


def test_holm_multiplies_the_smallest_by_the_number_of_tests():
    # 0.01 x 3, then 0.02 x 2, then 0.30 x 1; each at least as large as the one before
    assert comparison.holm([0.3, None, 0.01, 0.02]) == [
        pytest.approx(0.3),
        None,
        pytest.approx(0.03),
        pytest.approx(0.04),
    ]
    assert comparison.holm([None]) == [None]
