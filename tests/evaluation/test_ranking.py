"""Areas against pairs counted by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from radzoo.evaluation import Predictions
from radzoo.evaluation.ranking import rank


def areas(labels, probabilities):
    n = len(labels)
    return rank(Predictions(labels, probabilities, range(n))).areas(np.ones((n, 1)))[:, 0]


def test_equal_probabilities_count_half():
    # positives 0.8 0.5, negatives 0.5 0.2 0.9: pairs won 1 1 0, tied one half, lost; 1 1 0
    # 0.8: beats 0.5 and 0.2, loses to 0.9 -> 2; 0.5: ties 0.5, beats 0.2, loses -> 1.5; of 6
    area, precision = areas([1, 1, 0, 0, 0], [0.8, 0.5, 0.5, 0.2, 0.9])
    assert area == pytest.approx(3.5 / 6)
    # recall 1/2 at 0.8 with precision 1/2, recall 1 at 0.5 with precision 2/4
    assert precision == pytest.approx(0.5 * 0.5 + 0.5 * 0.5)


def test_all_equal_is_chance():
    area, precision = areas([1, 0, 0, 0], [0.3] * 4)
    assert (area, precision) == pytest.approx((0.5, 0.25))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=30
    )
)
def test_weighted_areas_are_those_of_scikit_learn(rows):
    labels, steps, weights = (np.array(column) for column in zip(*rows, strict=True))
    scores, n = steps / 6, len(rows)
    if not weights[labels == 1].sum() or not weights[labels == 0].sum():
        return
    people = [f"{i:02}" for i in range(n)]  # weights go by the order of the sorted ids
    ranking = rank(Predictions(labels, scores, people))
    area, precision = ranking.areas(weights.astype(float)[:, None])[:, 0]
    assert area == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    assert precision == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )


def test_a_weighting_without_a_class_has_no_area():
    ranking = rank(Predictions([1, 0], [0.9, 0.1], ["a", "b"]))
    found = ranking.areas(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]))
    np.testing.assert_array_equal(np.isnan(found), [[False, True, True]] * 2)
