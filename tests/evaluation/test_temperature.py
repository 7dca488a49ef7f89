"""Temperature scaling beside that of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from radzoo.evaluation import Predictions, fit_temperature, scaled


class LogOdds(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose only feature is its own log odds."""

    def fit(self, features, labels):
        self.classes_ = np.array([0, 1])
        return self

    def decision_function(self, features):
        return features[:, 0]

    def predict(self, features):
        return (features[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def validation():
    random = np.random.default_rng(1)
    odds = random.normal(0, 1.5, 250)
    labels = (random.random(250) < 1 / (1 + np.exp(-odds))).astype(int)
    return Predictions(labels, 1 / (1 + np.exp(-2.5 * odds)), range(250))


def test_it_is_that_of_scikit_learn(validation):
    odds = np.log(validation.probabilities / (1 - validation.probabilities))[:, None]
    frozen = FrozenEstimator(LogOdds().fit(odds, validation.labels))
    theirs = CalibratedClassifierCV(frozen, method="temperature").fit(odds, validation.labels)
    ours = scaled(validation, fit_temperature(validation).value)
    expected = theirs.predict_proba(odds)[:, 1]
    assert ours.probabilities == pytest.approx(expected, abs=1e-3)


def test_scaling_keeps_the_order_and_undoes_itself(validation):
    there = scaled(validation, 3.0)
    order = np.argsort(validation.probabilities)
    assert (np.diff(there.probabilities[order]) >= 0).all()
    assert scaled(there, 1 / 3).probabilities == pytest.approx(validation.probabilities)
    assert scaled(Predictions([0, 1], [0.2, 0.8], "ab"), 2.0).probabilities == pytest.approx(
        [1 / 3, 2 / 3]  # odds of 1 to 4 become 1 to 2
    )


@pytest.mark.parametrize(
    ("low", "high", "value", "bound"), [(0.2, 0.8, 0.05, "lower"), (0.8, 0.2, 20, "upper")]
)
def test_separated_classes_end_at_a_bound_and_say_so(low, high, value, bound):
    found = fit_temperature(Predictions([0, 1] * 5, [low, high] * 5, range(10)))
    assert found.value == value
    assert found.note == f"at the {bound} bound {value} of the search"


def test_constant_scores_have_a_temperature():
    even = fit_temperature(Predictions([0, 1] * 5, [0.5] * 10, range(10)))
    assert even.value == 1
    assert "0.5, which no temperature changes" in even.note
    # log odds of 0.8 are 1.386; three of four positive ask for 1.099
    uneven = fit_temperature(Predictions([0, 1, 1, 1] * 5, [0.8] * 20, range(20)))
    assert uneven.value == pytest.approx(np.log(4) / np.log(3), abs=1e-5)


def test_one_positive_has_a_temperature():
    found = fit_temperature(Predictions([1, 0, 0, 0], [0.6, 0.4, 0.3, 0.7], range(4)))
    assert 0.05 < found.value < 20
