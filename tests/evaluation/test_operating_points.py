import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radzoo import evaluation
from radzoo.evaluation import Predictions


@pytest.fixture
def validation():
    labels = [0, 0, 0, 1, 0, 1, 0, 1, 1, 1]
    probabilities = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    return Predictions(labels, probabilities, range(10))


def test_target_sensitivity_is_the_largest_threshold_that_reaches_it(validation):
    assert evaluation.target_sensitivity(validation, 0.8).threshold == 0.5
    assert evaluation.target_sensitivity(validation, 0.81).threshold == 0.3
    assert evaluation.target_sensitivity(validation, 1).threshold == 0.3


def test_target_specificity_is_the_smallest_threshold_that_reaches_it(validation):
    assert evaluation.target_specificity(validation, 0.8).threshold == 0.5
    assert evaluation.target_specificity(validation, 1).threshold == 0.7


def test_youden_prefers_to_miss_nobody_among_equals(validation):
    # 0.7: 3/5 + 5/5; 0.5: 4/5 + 4/5; 0.3: 5/5 + 3/5: all 0.6
    assert evaluation.max_youden(validation).threshold == 0.3


def test_a_dear_miss_lowers_the_threshold(validation):
    assert evaluation.minimal_cost(validation, 10).threshold == 0.3  # 2 alarms, nobody missed
    assert evaluation.minimal_cost(validation, 0.4).threshold == 0.7  # 2 missed, no alarm


def test_where_alarms_cost_all_nothing_is_called_positive():
    predictions = Predictions([1, 0, 0], [0.2, 0.5, 1.0], range(3))
    point = evaluation.minimal_cost(predictions, 0.1)
    assert point.threshold > 1
    assert evaluation.measure(predictions, point.threshold)["false_positives"].value == 0


def test_a_point_tells_its_origin(validation):
    assert evaluation.fixed(0.4).chosen_on == "beforehand"
    point = evaluation.target_sensitivity(validation, 0.95)
    assert (point.name, point.chosen_on) == ("sensitivity >= 0.95", "validation")
    assert point.rule == "largest threshold with sensitivity (recall) of at least 0.95"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=40),
    st.floats(0.05, 1),
)
def test_no_other_threshold_does_better(rows, target):
    labels, steps = (np.array(column) for column in zip(*rows, strict=True))
    if len(set(labels.tolist())) < 2:
        return
    p = steps / 20
    predictions = Predictions(labels, p, range(len(rows)))
    candidates = np.append(np.unique(p), 1.1)
    sensitivity = np.array([(p[labels == 1] >= t).mean() for t in candidates])
    specificity = np.array([(p[labels == 0] < t).mean() for t in candidates])
    reached = candidates[sensitivity >= target - 1e-9]
    assert evaluation.target_sensitivity(predictions, target).threshold == reached.max()
    best = (sensitivity + specificity).max()
    chosen = evaluation.max_youden(predictions).threshold
    gained = (p[labels == 1] >= chosen).mean() + (p[labels == 0] < chosen).mean()
    assert gained == pytest.approx(best)


def test_what_cannot_be_chosen_is_refused(validation):
    with pytest.raises(ValueError, match="both classes"):
        evaluation.max_youden(Predictions([1, 1], [0.2, 0.3], "ab"))
    with pytest.raises(ValueError, match=r"\(0, 1\]; got 95"):
        evaluation.target_sensitivity(validation, 95)
    with pytest.raises(ValueError, match="above 0; got 0"):
        evaluation.minimal_cost(validation, 0)
