"""Metrics by hand, intervals by a plain loop over patients, and every edge case's answer."""

import json

import numpy as np
import pytest
from sklearn import metrics as sklearn

from radzoo.evaluation import NAMES, Bootstrap, Predictions, at_threshold, measure

FEW = {"resamples": 300}


@pytest.fixture(scope="module")
def clustered():
    random = np.random.default_rng(5)
    labels = (random.random(300) < 0.35).astype(int)
    probabilities = np.round(np.clip(random.normal(0.4 + 0.25 * labels, 0.2), 0, 1), 2)
    return Predictions(labels, probabilities, random.integers(90, size=300))


def worked():
    """Four true positives, one missed, two false alarms, three true negatives."""
    labels = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    probabilities = [0.9, 0.8, 0.7, 0.5, 0.4, 0.6, 0.5, 0.3, 0.2, 0.1]
    return Predictions(labels, probabilities, range(10))


def test_rates_and_counts_of_a_worked_example():
    values = {name: found.value for name, found in measure(worked(), **FEW).items()}
    counts = ("true_positives", "false_negatives", "false_positives", "true_negatives")
    assert [values[name] for name in counts] == [4, 1, 2, 3]  # 0.5 itself is called positive
    assert values["accuracy"] == pytest.approx(7 / 10)
    assert values["sensitivity"] == pytest.approx(4 / 5)
    assert values["specificity"] == pytest.approx(3 / 5)
    assert values["ppv"] == pytest.approx(4 / 6)
    assert values["npv"] == pytest.approx(3 / 4)
    assert values["f1"] == pytest.approx(8 / 11)
    assert values["balanced_accuracy"] == pytest.approx(0.7)
    assert values["mcc"] == pytest.approx((4 * 3 - 2 * 1) / np.sqrt(6 * 5 * 5 * 4))
    assert values["lr_positive"] == pytest.approx((4 / 5) / (2 / 5))
    assert values["lr_negative"] == pytest.approx((1 / 5) / (3 / 5))
    # wins of each positive over the 5 negatives: 5, 5, 5, 3.5, 3
    assert values["roc_auc"] == pytest.approx(21.5 / 25)
    errors = [0.1, 0.2, 0.3, 0.5, 0.6, 0.6, 0.5, 0.3, 0.2, 0.1]
    assert values["brier"] == pytest.approx(np.mean(np.square(errors)))


def test_every_estimate_states_its_method_and_its_counts(clustered):
    found = measure(clustered, **FEW)
    assert tuple(found) == NAMES
    for estimate in found.values():
        assert "patient bootstrap, expanded percentile, 300 resamples" in estimate.method
        assert (estimate.images, estimate.patients) == (300, clustered.patient_count)
        assert estimate.positives == clustered.positives
        assert estimate.low <= estimate.value <= estimate.high
    json.dumps([estimate.as_dict() for estimate in found.values()], allow_nan=False)


SCIKIT_LEARN = {
    "roc_auc": sklearn.roc_auc_score,
    "pr_auc": sklearn.average_precision_score,
    "brier": sklearn.brier_score_loss,
    "accuracy": lambda y, p: sklearn.accuracy_score(y, p >= 0.5),
    "sensitivity": lambda y, p: sklearn.recall_score(y, p >= 0.5),
    "specificity": lambda y, p: sklearn.recall_score(1 - y, p < 0.5),
    "ppv": lambda y, p: sklearn.precision_score(y, p >= 0.5),
    "npv": lambda y, p: sklearn.precision_score(1 - y, p < 0.5),
    "f1": lambda y, p: sklearn.f1_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: sklearn.balanced_accuracy_score(y, p >= 0.5),
    "mcc": lambda y, p: sklearn.matthews_corrcoef(y, p >= 0.5),
    "lr_positive": lambda y, p: sklearn.class_likelihood_ratios(y, p >= 0.5)[0],
    "lr_negative": lambda y, p: sklearn.class_likelihood_ratios(y, p >= 0.5)[1],
}


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_value_and_interval_are_those_of_scikit_learn_in_a_loop_over_patients(clustered, name):
    metric, found = SCIKIT_LEARN[name], measure(clustered, resamples=100, seed=4)[name]
    random, values = np.random.default_rng(4), []
    rows = [np.flatnonzero(clustered.patient_codes == i) for i in range(clustered.patient_count)]
    for _ in range(100):
        drawn = random.integers(len(rows), size=len(rows))
        images = np.concatenate([rows[patient] for patient in drawn])
        values.append(metric(clustered.labels[images], clustered.probabilities[images]))
    assert found.value == pytest.approx(metric(clustered.labels, clustered.probabilities))
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(values, Bootstrap().ends(clustered.patient_count)))
    )


def test_copies_of_an_image_of_the_same_patient_do_not_narrow_the_interval(clustered):
    base = clustered.where(np.unique(clustered.patient_codes, return_index=True)[1])
    labels, probabilities = np.repeat(base.labels, 9), np.repeat(base.probabilities, 9)
    copied = Predictions(labels, probabilities, np.repeat(base.patients, 9))
    for name in ("roc_auc", "sensitivity", "f1"):
        once, often = measure(base, **FEW)[name], measure(copied, **FEW)[name]
        assert (once.value, once.low, once.high) == pytest.approx(
            (often.value, often.low, often.high)
        )


def test_the_interval_of_a_count_is_that_of_its_rate_times_the_class(clustered):
    found = at_threshold(clustered, 0.5, Bootstrap(300))
    missed, rate = found["false_negatives"], found["sensitivity"]
    assert missed.low == pytest.approx((1 - rate.high) * clustered.positives)
    assert missed.high == pytest.approx((1 - rate.low) * clustered.positives)
    assert str(missed).startswith(f"{missed.value} (")


def test_perfect_separation_claims_no_certainty():
    labels = [0] * 12 + [1] * 8
    found = measure(Predictions(labels, np.array(labels) * 0.8 + 0.1, range(20)), **FEW)
    assert found["roc_auc"].value == 1
    assert found["roc_auc"].method == "Newcombe score (method 5), 8 and 12 patients"
    assert 0.7 < found["roc_auc"].low < 1
    assert found["roc_auc"].high == 1
    assert found["sensitivity"].method == "Wilson score, 8 patients as trials"
    assert found["sensitivity"].low == pytest.approx(8 / (8 + 1.959964**2), abs=1e-6)
    assert found["false_negatives"].value == 0
    assert found["false_negatives"].high == pytest.approx(8 * (1 - found["sensitivity"].low))
    jaccard = 8 / (8 + 1.959964**2)
    assert found["f1"].low == pytest.approx(2 * jaccard / (1 + jaccard), abs=1e-6)
    low = {name: found[name].low for name in ("sensitivity", "specificity", "balanced_accuracy")}
    gap = np.hypot(1 - low["sensitivity"], 1 - low["specificity"]) / 2
    assert low["balanced_accuracy"] == pytest.approx(1 - gap)
    lows, share = (low["sensitivity"], low["specificity"]), 0.4
    called = share * lows[0] + (1 - share) * (1 - lows[1])
    worst = (sum(lows) - 1) * np.sqrt(share * (1 - share) / (called * (1 - called)))
    assert (found["mcc"].value, found["mcc"].high) == (1, pytest.approx(1))
    assert found["mcc"].low == pytest.approx(worst)
    assert found["lr_positive"].note == "not estimable: there is no false positive"
    assert found["lr_negative"].value == 0
    assert found["lr_negative"].high == pytest.approx((1 - lows[0]) / lows[1])
    assert (found["pr_auc"].value, found["pr_auc"].low) == (1, None)
    assert "no score interval is established" in found["pr_auc"].note


def test_wilson_counts_patients_and_not_images():
    labels = [1] * 30 + [0] * 30
    predictions = Predictions(labels, labels, [i // 10 for i in range(60)])
    found = measure(predictions, **FEW)["sensitivity"]
    assert found.low == pytest.approx(3 / (3 + 1.959964**2), abs=1e-6)


@pytest.mark.parametrize(("label", "lost"), [(0, "positive"), (1, "negative")])
def test_one_class_gives_no_ranking_and_says_why(label, lost):
    found = measure(Predictions([label] * 20, np.linspace(0, 1, 20), range(20)), **FEW)
    open_ones = ("roc_auc", "pr_auc", "f1", "ppv", "npv", "balanced_accuracy", "mcc")
    for name in (*open_ones, "lr_positive", "lr_negative"):
        assert (found[name].value, found[name].low) == (None, None)
        assert found[name].note == f"not estimable: there is no {lost} image"
        assert str(found[name]) == "not estimable"
    assert found["accuracy"].low < found["accuracy"].value
    known, unknown = ("specificity", "sensitivity")[:: 1 if label == 0 else -1]
    assert found[known].value == 0.5
    assert found[unknown].value is None
    assert sum(found[name].value for name in NAMES[-4:]) == 20


def test_one_positive_has_values_but_no_interval():
    found = measure(Predictions([1] + [0] * 19, np.linspace(1, 0, 20), range(20)), **FEW)
    for name in ("roc_auc", "pr_auc", "sensitivity", "f1", "false_negatives", "balanced_accuracy"):
        assert found[name].value is not None
        assert (found[name].low, found[name].method) == (None, "none")
        assert found[name].note == "no interval: 1 positive image, of one patient only"
    assert found["specificity"].low is not None


def test_positives_of_a_single_patient_have_no_interval():
    predictions = Predictions([1, 1, 0, 0, 0], [0.9, 0.2, 0.8, 0.1, 0.2], ["a", "a", "b", "c", "d"])
    found = measure(predictions, **FEW)["sensitivity"]
    assert found.value == 0.5
    assert found.note == "no interval: 2 positive images, of one patient only"


def test_resamples_without_a_class_are_left_out_and_counted():
    predictions = Predictions([1, 1, 1, 0, 0, 0], [0.9, 0.3, 0.6, 0.5, 0.2, 0.7], range(6))
    found = measure(predictions, resamples=500)["roc_auc"]
    lost = int(found.note.split()[0])
    assert lost == pytest.approx(500 * 2 / 2**6, abs=12)  # all 6 draws from 3 of 6 patients, twice
    assert found.note.endswith("of 500 resamples could not give this number and were left out")


def test_nothing_called_positive_leaves_ppv_open():
    found = measure(Predictions([1, 0, 1, 0], [0.1, 0.2, 0.3, 0.1], range(4)), **FEW)
    assert found["ppv"].note == "not estimable: there is no image called positive"
    assert found["sensitivity"].value == 0
    assert found["mcc"].note == "not estimable: there is no image called positive"
    assert found["lr_positive"].note == "not estimable: there is no false positive"
    assert found["lr_negative"].value == 1


def test_everything_called_positive_leaves_the_negative_ratio_open():
    found = measure(Predictions([1, 0, 1, 0], [0.9] * 4, range(4)), **FEW)
    assert found["lr_negative"].note == "not estimable: there is no true negative"
    assert found["lr_positive"].value == 1
    assert found["mcc"].note == "not estimable: there is no image called negative"


def test_a_ratio_over_the_alarms_of_one_patient_has_no_interval():
    predictions = Predictions([1, 1, 1, 0, 0, 0], [0.9, 0.2, 0.7, 0.8, 0.1, 0.2], range(6))
    found = measure(predictions, **FEW)["lr_positive"]
    assert found.value == pytest.approx((2 / 3) / (1 / 3))
    assert found.note == "no interval: 1 false positive, of one patient only"


def test_same_seed_same_interval(clustered):
    assert measure(clustered, **FEW, seed=1) == measure(clustered, **FEW, seed=1)
    assert measure(clustered, **FEW, seed=1) != measure(clustered, **FEW, seed=2)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    random, held = np.random.default_rng(0), 0
    for seed in range(120):
        labels = np.arange(120) % 2
        scores = 1 / (1 + np.exp(-random.normal(labels * np.sqrt(2), 1)))
        found = measure(Predictions(labels, scores, range(120)), resamples=200, seed=seed)
        held += found["roc_auc"].low <= 0.8413447 <= found["roc_auc"].high  # Phi(1)
    assert 0.88 <= held / 120 <= 0.99
