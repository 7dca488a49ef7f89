"""What a threshold is good for: net benefit, predictive values elsewhere, errors of both kinds."""

import numpy as np
import pytest
from sklearn.metrics import class_likelihood_ratios, confusion_matrix, matthews_corrcoef

from radzoo.evaluation import Bootstrap, Predictions, measure
from radzoo.evaluation.confusion import confusion
from radzoo.evaluation.decision import decision_curve, net_benefit
from radzoo.evaluation.estimate import Sample
from radzoo.evaluation.prevalence import at_prevalence
from radzoo.evaluation.trade_off import error_counts

FEW = Bootstrap(resamples=300)


@pytest.fixture(scope="module")
def predictions():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 200)
    probabilities = np.clip(0.5 + 0.2 * (labels - 0.5) + random.normal(0, 0.2, 200), 0, 1)
    return Predictions(labels, probabilities, [f"p{n // 2}" for n in range(200)])


def ten(threshold_cells="TP3 FN1 FP2 TN4"):
    """Ten images: 3 found, 1 missed, 2 false alarms, 4 cleared, at 0.5; each of a patient."""
    labels = [1] * 3 + [1] + [0] * 2 + [0] * 4
    return Predictions(labels, [0.9] * 3 + [0.1] + [0.9] * 2 + [0.1] * 4, range(10))


def counted(predictions, threshold, bootstrap=FEW):
    sample = Sample(predictions, bootstrap)
    return sample, confusion(sample, threshold)


def test_net_benefit_by_hand():
    # Vickers and Elkin: TP/n - FP/n * pt/(1 - pt); treat all: 4/10 - 6/10 * pt/(1 - pt).
    found = net_benefit(*counted(ten(), 0.2), 0.2)
    assert found.model.value == pytest.approx(3 / 10 - 2 / 10 * 0.25)
    assert found.treat_all.value == pytest.approx(4 / 10 - 6 / 10 * 0.25)
    assert found.model.low <= found.model.value <= found.model.high


def test_the_decision_curve_is_the_net_benefit_at_each_threshold(predictions):
    curve = decision_curve(predictions, resamples=300)
    assert curve.thresholds[[0, -1]] == pytest.approx([0.01, 0.99])
    for place in (9, 29, 49, 79):
        threshold = float(curve.thresholds[place])
        alone = net_benefit(*counted(predictions, threshold), threshold)
        assert curve.net_benefit[place] == pytest.approx(alone.model.value)
        assert curve.treat_all[place] == pytest.approx(alone.treat_all.value)
        assert (curve.low[place], curve.high[place]) == pytest.approx(
            (alone.model.low, alone.model.high)
        )


def test_one_class_has_no_net_benefit():
    only = Predictions([1, 1], [0.2, 0.9], "ab")
    assert "there is no negative image" in net_benefit(*counted(only, 0.5), 0.5).model.note
    curve = decision_curve(only, resamples=100)
    assert np.isnan(curve.net_benefit).all()
    assert "of one class" in curve.note


def test_predictive_values_at_a_prevalence_by_bayes():
    # sensitivity 3/4, specificity 4/6, prevalence 1 %
    found = at_prevalence(*counted(ten(), 0.5), 0.01)
    assert found.ppv.value == pytest.approx(0.0075 / (0.0075 + (1 / 3) * 0.99))
    assert found.npv.value == pytest.approx((2 / 3) * 0.99 / ((2 / 3) * 0.99 + 0.25 * 0.01))
    assert found.ppv.low < found.ppv.value < found.ppv.high


def test_predictive_values_at_the_prevalence_of_the_images_are_their_own(predictions):
    share = predictions.positives / len(predictions)
    found, own = at_prevalence(*counted(predictions, 0.5), share), measure(predictions)
    assert found.ppv.value == pytest.approx(own["ppv"].value)
    assert found.npv.value == pytest.approx(own["npv"].value)


def test_a_prevalence_out_of_range_is_refused(predictions):
    with pytest.raises(ValueError, match="between 0 and 1; got 1"):
        at_prevalence(*counted(predictions, 0.5), 1)


def test_errors_at_each_threshold_are_those_of_scikit_learns_confusion_matrix(predictions):
    found = error_counts(predictions, resamples=300)
    for place in (0, 20, 40, 50, 80, len(found.thresholds) - 1):
        called = predictions.probabilities >= found.thresholds[place]
        _, alarms, missed, _ = confusion_matrix(predictions.labels, called, labels=[0, 1]).ravel()
        assert found.false_positives.count[place] == alarms
        assert found.false_negatives.count[place] == missed
    errors = found.false_negatives
    assert (errors.low <= errors.count + 1e-9).all()
    assert (errors.count <= errors.high + 1e-9).all()
    assert found.note == ""


def test_errors_of_a_class_that_is_not_there_have_no_band():
    found = error_counts(Predictions([0, 0], [0.2, 0.9], "ab"), resamples=100)
    assert found.note == "the band of the positive images means nothing: there is none"
    assert np.isnan(found.false_negatives.low).all()


def test_matthews_and_likelihood_ratios_are_those_of_scikit_learn(predictions):
    found = measure(predictions, 0.5, resamples=300)
    called = predictions.probabilities >= 0.5
    positive, negative = class_likelihood_ratios(predictions.labels, called)
    assert found["mcc"].value == pytest.approx(matthews_corrcoef(predictions.labels, called))
    assert found["lr_positive"].value == pytest.approx(positive)
    assert found["lr_negative"].value == pytest.approx(negative)
    for name in ("mcc", "lr_positive", "lr_negative"):
        assert found[name].low < found[name].value < found[name].high


def test_ratios_that_divide_by_nothing_say_so():
    perfect = measure(Predictions([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "abcd"), resamples=100)
    assert perfect["mcc"].value == 1
    assert perfect["lr_negative"].value == 0
    assert perfect["lr_positive"].value is None
    assert "there is no false positive" in perfect["lr_positive"].note
    constant = measure(Predictions([0, 1], [0.7, 0.7], "ab"), resamples=100)
    assert constant["mcc"].value is None
    assert "there is no image called negative" in constant["mcc"].note
