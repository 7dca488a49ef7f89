"""Areas and their covariance against published figures and against every pair written out."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from radzoo.evaluation import Predictions, delong

# 43 patients with ovarian cancer: albumin, total protein, K-G score, whether surgery helped.
# SAS/STAT User's Guide, PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves"; the
# complete rows of the 49 of DeLong, DeLong and Clarke-Pearson (1988)
OVARIAN = """
3.0 5.8 10 0   3.2 6.3  5 1   3.9 6.8  3 1   2.8 4.8  6 0   3.2 5.8  3 1   0.9 4.0  5 0
2.5 5.7  8 0   1.6 5.6  5 1   3.8 5.7  5 1   3.7 6.7  6 1   3.2 5.4  4 1   3.8 6.6  6 1
4.1 6.6  5 1   3.6 5.7  5 1   4.3 7.0  4 1   3.6 6.7  4 0   2.3 4.4  6 1   4.2 7.6  4 0
4.0 6.6  6 0   3.5 5.8  6 1   3.8 6.8  7 1   3.0 4.7  8 0   4.5 7.4  5 1   3.7 7.4  5 1
3.1 6.6  6 1   4.1 8.2  6 1   4.3 7.0  5 1   4.3 6.5  4 1   3.2 5.1  5 1   2.6 4.7  6 1
3.3 6.8  6 0   1.7 4.0  7 0   3.7 6.1  5 1   3.3 6.3  7 1   4.2 7.7  6 1   3.5 6.2  5 1
2.9 5.7  9 0   2.1 4.8  7 1   2.8 6.2  8 0   4.0 7.0  7 1   3.3 5.7  6 1   3.7 6.9  5 1
3.6 6.6  5 1
"""
ALBUMIN, SCORE, PROTEIN = range(3)


@pytest.fixture(scope="module")
def ovarian():
    rows = np.array(OVARIAN.split(), dtype=float).reshape(43, 4)
    tests = rows[:, 0] / 10, 1 - rows[:, 2] / 10, rows[:, 1] / 10  # a low K-G score is good
    return delong.areas([[Predictions(rows[:, 3], test, range(43))] for test in tests])


def test_areas_and_errors_are_those_of_sas(ovarian):
    assert np.round(ovarian.values, 4).tolist() == [0.7366, 0.7258, 0.6478]
    errors = np.sqrt(np.diag(ovarian.covariance))
    assert np.round(errors, 4).tolist() == [0.0927, 0.1028, 0.1000]


def test_the_difference_of_protein_to_the_score_is_that_of_sas(ovarian):
    found = ovarian.difference(PROTEIN, SCORE)
    assert (round(found.value, 4), round(found.standard_error, 4)) == (-0.0780, 0.1046)
    assert round((found.value / found.standard_error) ** 2, 4) == 0.5554
    assert round(found.p_value, 4) == 0.4561


def test_both_differences_to_the_score_together_are_those_of_sas(ovarian):
    contrast = np.array([[1, -1, 0], [0, -1, 1]])
    values = contrast @ ovarian.values
    joint = values @ np.linalg.solve(contrast @ ovarian.covariance @ contrast.T, values)
    assert (round(joint, 4), round(chi2.sf(joint, 2), 4)) == (2.5340, 0.2817)


def test_variance_is_that_of_the_package_confidenceinterval():
    # confidenceinterval 1.0.5 from PyPI, delong_roc_variance of these very images
    images = np.arange(40)
    labels = (images % 5 < 2).astype(int)
    spread = (images * 37 % 101) / 101 * 0.6 + 0.4 * labels * (images * 17 % 23) / 23
    found = delong.areas([[Predictions(labels, np.round(spread, 2), images)]])
    assert found.values[0] == pytest.approx(0.7161459, abs=1e-6)  # it counts in float32
    assert found.covariance[0, 0] == pytest.approx(0.00806808101169649, abs=1e-8)


def pairs_written_out(labels, scores, patients):
    """The covariance of two models as Obuchowski writes it (1997), pair by pair."""
    labels, patients = np.array(labels), np.array(patients)
    ill, well = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    people = sorted(set(patients))
    areas, x, y = [], [], []
    for score in scores:
        wins = [[np.sign(score[i] - score[j]) / 2 + 0.5 for j in well] for i in ill]
        area = np.mean(wins)
        up = {i: np.mean(row) for i, row in zip(ill, wins, strict=True)}
        down = {j: np.mean([row[k] for row in wins]) for k, j in enumerate(well)}
        x.append([sum(up[i] - area for i in ill if patients[i] == who) for who in people])
        y.append([sum(down[j] - area for j in well if patients[j] == who) for who in people])
        areas.append(area)
    m, n, both = len(ill), len(well), len(people)
    has_ill, has_well = len(set(patients[ill])), len(set(patients[well]))

    def covariance(a, b):
        s10 = has_ill / ((has_ill - 1) * m) * np.dot(x[a], x[b])
        s01 = has_well / ((has_well - 1) * n) * np.dot(y[a], y[b])
        s11 = both / (both - 1) * (np.dot(x[a], y[b]) + np.dot(x[b], y[a]))
        return s10 / m + s01 / n + s11 / (m * n)

    return areas, [[covariance(a, b) for b in (0, 1)] for a in (0, 1)]


IMAGES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 5), st.integers(0, 6)),
    min_size=4,
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(IMAGES)
def test_areas_and_covariance_are_those_of_every_pair_written_out(rows):
    labels, first, second, patients = zip(*rows, strict=True)
    for label in (0, 1):
        assume(len({p for p, k in zip(patients, labels, strict=True) if k == label}) > 1)
    scores = [np.array(first) / 5, np.array(second) / 5]
    found = delong.areas([[Predictions(labels, score, patients)] for score in scores])
    areas, covariance = pairs_written_out(labels, scores, patients)
    np.testing.assert_allclose(found.values, areas)
    np.testing.assert_allclose(found.values, [roc_auc_score(labels, score) for score in scores])
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)


def test_a_mean_over_seeds_has_the_variance_of_the_mean():
    random = np.random.default_rng(0)
    labels, patients = np.arange(60) % 2, np.arange(60) // 3
    seeds = [Predictions(labels, (random.random(60) + labels) / 2, patients) for _ in range(3)]
    apart, together = delong.areas([[seed] for seed in seeds]), delong.areas([seeds])
    assert together.values[0] == pytest.approx(apart.values.mean())
    assert together.covariance[0, 0] == pytest.approx(apart.covariance.mean())


def test_images_of_one_patient_count_less_than_independent_ones():
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(20) % 2, 4)
    scores = np.clip(0.3 + 0.2 * labels + np.repeat(random.normal(0, 0.1, 20), 4), 0, 1)
    clustered, apart = (
        delong.areas([[Predictions(labels, scores, people)]])
        for people in (np.repeat(np.arange(20), 4), np.arange(80))
    )
    # four equal images a patient: a quarter of the information; 10/9 and 40/39 correct for few
    ratio = clustered.covariance[0, 0] / apart.covariance[0, 0]
    assert ratio == pytest.approx(4 * (10 / 9) / (40 / 39))


def pair(labels, first, second, patients=None):
    people = range(len(labels)) if patients is None else patients
    models = [[Predictions(labels, scores, people)] for scores in (first, second)]
    return delong.areas(models).difference(0, 1)


def test_identical_models_do_not_differ():
    assert pair([0, 1, 0, 1], *[[0.2, 0.3, 0.4, 0.5]] * 2) == delong.AreaDifference(0, 0, 1)


def test_two_perfect_models_do_not_differ():
    found = pair([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.4, 0.1, 0.6, 0.7])
    assert found == delong.AreaDifference(0, 0, 1)


def test_a_perfect_model_against_a_constant_one_has_no_p_value():
    found = pair([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.5] * 4)
    assert (found.value, found.p_value) == (0.5, None)
    assert found.note == "no p value: neither area varies between patients"


def test_one_class_is_not_estimable():
    found = pair([1, 1, 1], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1])
    assert found == delong.AreaDifference(
        None, None, None, "not estimable: there is no negative image"
    )


def test_one_positive_patient_has_a_difference_but_no_error():
    found = pair([1, 1, 0, 0], [0.9, 0.1, 0.5, 0.3], [0.9, 0.8, 0.5, 0.3], ["a", "a", "b", "c"])
    assert found.value == pytest.approx(0.5 - 1)
    assert (found.standard_error, found.p_value) == (None, None)
    assert found.note == "no interval and no p value: the positive images are of one patient only"
