import numpy as np
import pytest

from radzoo.errors import DataError
from radzoo.evaluation import Predictions


def test_counts_images_classes_and_patients():
    predictions = Predictions([1, 0, 1], [0.9, 0.2, 0.4], ["b", "a", "b"])
    assert (len(predictions), predictions.positives, predictions.negatives) == (3, 2, 1)
    assert predictions.patient_count == 2
    assert predictions.patient_codes.tolist() == [1, 0, 1]
    assert predictions.patients_with(predictions.labels == 1) == 1


def test_numbers_serve_as_patient_ids():
    assert Predictions([1, 0], [0.9, 0.2], [7, 7]).patient_count == 1


def test_arrays_cannot_be_changed_afterwards():
    probabilities = np.array([0.9, 0.2])
    predictions = Predictions([1, 0], probabilities, ["a", "b"])
    probabilities[0] = 0.0
    assert predictions.probabilities[0] == 0.9
    with pytest.raises(ValueError, match="read-only"):
        predictions.probabilities[0] = 0.0


def test_every_problem_is_named_at_once():
    with pytest.raises(DataError) as error:
        Predictions([1, 2, 0], [float("nan"), 1.5, 0.5], ["a", None, " "])
    message = str(error.value)
    assert "labels must be 0 or 1; got 2" in message
    assert "1 of 3 are not numbers and 1 lie outside" in message
    assert "2 of 3 images name no patient; give each of them an id of its own" in message


@pytest.mark.parametrize(
    ("labels", "probabilities", "patients", "words"),
    [
        ([1, 0], [0.5], ["a", "b"], r"shapes \(2,\), \(1,\) and \(2,\)"),
        ([[1, 0]], [[0.5, 0.5]], ["a"], "same length"),
        ([], [], [], "there is no image"),
        ([float("nan"), 1], [0.5, 0.5], ["a", "b"], "labels must be 0 or 1; got nan"),
        ([0.5, 1], [0.5, 0.5], ["a", "b"], "labels must be 0 or 1; got 0.5"),
        ([0, 1], ["high", "low"], ["a", "b"], "must be numbers"),
        ([0, 1], [0.5, np.inf], ["a", "b"], "1 lie outside"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(labels, probabilities, patients, words):
    with pytest.raises(DataError, match=words):
        Predictions(labels, probabilities, patients)
