"""The four cells by hand, and beside scikit-learn's matrix of each patient and each threshold."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from radzoo.evaluation import Bootstrap, Predictions
from radzoo.evaluation.confusion import called_positive, confusion
from radzoo.evaluation.estimate import Sample

GRID = np.arange(101) / 100


@pytest.fixture(scope="module")
def clustered():
    random = np.random.default_rng(8)
    labels = (random.random(150) < 0.4).astype(int)
    probabilities = np.round(np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1), 2)
    return Predictions(labels, probabilities, random.integers(40, size=150))


def counted(predictions, threshold=0.5, bootstrap=None):
    return confusion(Sample(predictions, bootstrap or Bootstrap(50)), threshold)


def cells(labels, probabilities, threshold):
    """(4,): true negative, false positive, false negative, true positive, by scikit-learn."""
    return confusion_matrix(labels, probabilities >= threshold, labels=[0, 1]).ravel()


def each_patient(predictions):
    return [predictions.patient_codes == i for i in range(predictions.patient_count)]


def test_cells_of_a_worked_example_patient_by_patient():
    # a: found, missed; b: false alarm at the very threshold, cleared twice; c: found
    labels, patients = [1, 1, 0, 0, 0, 1], ["a", "a", "b", "b", "b", "c"]
    found = counted(Predictions(labels, [0.9, 0.49, 0.5, 0.1, 0.2, 0.6], patients))
    assert found.totals.tolist() == [[0, 0, 1, 1], [2, 1, 0, 0], [0, 0, 0, 1]]
    assert found.cells.tolist() == [2, 1, 1, 2]


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.4, 0.5, 1.0])
def test_each_patient_has_the_cells_of_scikit_learn(clustered, threshold):
    found = counted(clustered, threshold)
    labels, probabilities = clustered.labels, clustered.probabilities
    assert (found.cells == cells(labels, probabilities, threshold)).all()
    for row, of in zip(found.totals, each_patient(clustered), strict=True):
        assert (row == cells(labels[of], probabilities[of], threshold)).all()


def test_resamples_are_those_of_a_loop_that_draws_patients(clustered):
    found, random = counted(clustered, 0.4, Bootstrap(30, seed=6)), np.random.default_rng(6)
    rows = [np.flatnonzero(of) for of in each_patient(clustered)]
    for resample in found.resampled:
        drawn = random.integers(len(rows), size=len(rows))
        images = np.concatenate([rows[patient] for patient in drawn])
        expected = cells(clustered.labels[images], clustered.probabilities[images], 0.4)
        assert (resample == expected).all()


def test_groups_hold_the_images_that_their_names_say():
    groups = counted(Predictions([1, 1, 0, 0], [0.9, 0.1, 0.8, 0.2], range(4))).groups
    places = {name: np.flatnonzero(chosen).tolist() for name, chosen in groups.items()}
    assert places == {
        "image": [0, 1, 2, 3],
        "positive image": [0, 1],
        "negative image": [2, 3],
        "image called positive": [0, 2],
        "image called negative": [1, 3],
        "false positive": [2],
        "true negative": [3],
    }


def test_what_is_lacking_is_said_in_order_and_nothing_else():
    one_class = counted(Predictions([0, 0], [0.1, 0.2], "ab"))
    assert one_class.lacking("negative image", "true negative") == ""
    said = one_class.lacking("positive image", "true negative", "image called positive")
    assert said == "there is no positive image and there is no image called positive"


def test_perfect_separation_and_one_positive_leave_cells_empty():
    found = counted(Predictions([0] * 9 + [1], [0.1] * 9 + [0.9], range(10)))
    assert found.cells.tolist() == [9, 0, 0, 1]
    assert found.lacking("false positive") == "there is no false positive"


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, [0, 3, 0, 1]), (0.51, [3, 0, 1, 0])])
def test_constant_probabilities_fall_on_one_side_together(threshold, expected):
    found = counted(Predictions([1, 0, 0, 0], [0.5] * 4, range(4)), threshold)
    assert found.cells.tolist() == expected


def test_calls_at_all_thresholds_at_once_are_those_of_scikit_learn_at_each(clustered):
    found = called_positive(clustered, GRID)
    assert found.shape == (clustered.patient_count, 2, 101)
    of_all = found.sum(axis=0).T
    for threshold, (alarms, hits) in zip(GRID, of_all, strict=True):
        _, wrong, _, right = cells(clustered.labels, clustered.probabilities, threshold)
        assert (alarms, hits) == (wrong, right)
    for patient in (0, 17, clustered.patient_count - 1):
        of = each_patient(clustered)[patient]
        _, wrong, _, right = cells(clustered.labels[of], clustered.probabilities[of], 0.4)
        assert found[patient, :, 40].tolist() == [wrong, right]


def test_probabilities_of_0_and_1_and_thresholds_beyond_have_defined_calls():
    predictions = Predictions([0, 1, 1], [0.0, 1.0, 0.5], ["a", "b", "b"])
    found = called_positive(predictions, np.array([0.0, 0.5, 1.0, 1.5]))
    assert found[0].tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    assert found[1].tolist() == [[0, 0, 0, 0], [2, 2, 1, 0]]
