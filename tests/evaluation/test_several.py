"""Findings that are told of the same images: patients are drawn for all of them at once."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Findings, mean_roc_auc, together

NOT_KNOWN = np.nan


@pytest.fixture
def findings():
    """Three findings on 24 images of 12 patients, a fifth of the labels unknown; one is rare."""
    draw = np.random.default_rng(3)
    truth = (draw.random((24, 3)) < [0.5, 0.3, 0.0]).astype(float)
    truth[[4, 20], 2] = 1
    scores = np.round((truth + 1.5 * draw.random((24, 3))) / 3, 1)  # with ties
    truth[draw.random((24, 3)) < 0.2] = NOT_KNOWN
    truth[[4, 20], 2] = 1
    patients = np.array([f"p{number // 2}" for number in range(24)])
    return Findings(("a", "b", "rare"), truth, scores, patients)


def area(truth, scores):
    """Over all pairs of a positive and a negative, one by one; None without a pair."""
    pairs = [
        (high > low) + (high == low) / 2
        for high in scores[truth == 1]
        for low in scores[truth == 0]
    ]
    return np.mean(pairs) if pairs else None


def test_the_mean_area_is_resampled_by_patient_for_all_findings_at_once(findings):
    bootstrap = Bootstrap(resamples=300, confidence=0.9)
    people = np.unique(findings.patients)
    means, lacking = [], 0
    for draws in bootstrap.draws(len(people), len(findings.patients)):
        for times in draws.T.astype(int):
            rows = [
                row
                for person, count in zip(people, times, strict=True)
                for row in list(np.flatnonzero(findings.patients == person)) * count
            ]
            areas = [
                area(findings.truth[rows, k], findings.probabilities[rows, k]) for k in range(3)
            ]
            lacking += None in areas
            means.append(np.mean([one for one in areas if one is not None]))
    found = mean_roc_auc(findings, bootstrap)
    whole = [area(findings.truth[:, k], findings.probabilities[:, k]) for k in range(3)]
    assert found.value == pytest.approx(np.mean(whole))
    assert (found.low, found.high) == pytest.approx(bootstrap.percentiles(np.array(means), 12))
    assert 0 < lacking < 300
    assert found.note.startswith(f"{lacking} of 300 resamples lacked")


def test_a_finding_of_one_kind_is_left_out_of_the_mean(findings):
    findings.truth[:, 2] = np.where(findings.truth[:, 2] == 1, NOT_KNOWN, findings.truth[:, 2])
    found = mean_roc_auc(findings, Bootstrap(100))
    whole = [area(findings.truth[:, k], findings.probabilities[:, k]) for k in range(2)]
    assert found.value == pytest.approx(np.mean(whole))
    assert found.note == "the mean of 2 of 3 findings"


def test_what_comes_together_is_counted_where_both_are_known():
    truth = np.array([[1, 1], [1, 0], [1, NOT_KNOWN], [0, 1], [NOT_KNOWN, 1], [0, 0]])
    found = together(truth)
    np.testing.assert_array_equal(found.counts, [[3, 1], [1, 3]])
    np.testing.assert_array_equal(found.of, [[3, 2], [2, 3]])
    np.testing.assert_array_equal(found.shares, [[1, 0.5], [0.5, 1]])
