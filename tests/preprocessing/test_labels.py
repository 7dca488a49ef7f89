"""Labels become classes."""

import pytest

from radzoo.preprocessing import labels


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [
        (["b", "a", "b"], ["a", "b"], [1, 0, 1]),
        (["0", "1"], {"well": 0, "sick": [1, 2]}, [0, 1]),
        ([0.0, 1.0], {"well": 0, "sick": 1}, [0, 1]),
        ([b"1", b"0"], {"well": 0, "sick": 1}, [1, 0]),
        (["True", "False"], {"well": False, "sick": True}, [1, 0]),
        (["No Finding", "Mass|Edema"], {"none": "No Finding", "some": "*"}, [0, 1]),
        (["Mass", "Mass|Edema"], {"other": "*", "edema": "*Edema*"}, [0, 1]),
        (["*x", "[1]"], {"other": "*", "bracket": "[1]*"}, [0, 1]),
    ],
)
def test_each_label_gets_its_class(values, classes, expected):
    found = labels.assign(values, classes)
    assert found.labels.tolist() == expected
    assert not found.unknown


def test_ignored_and_unknown_labels_are_told_apart():
    found = labels.assign(["a", "b", "c", "c"], ["a"], ignore=["b"])
    assert found.labels.tolist() == [0, labels.IGNORED, labels.IGNORED, labels.IGNORED]
    assert found.unknown == {"c": 2}


def test_a_label_ignored_by_name_is_not_taken_by_a_star():
    assert labels.assign(["b"], {"a": "*"}, ignore=["b"]).labels.tolist() == [labels.IGNORED]
