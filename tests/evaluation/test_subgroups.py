import numpy as np
import pandas as pd
import pytest

from radzoo.evaluation import Bootstrap, Predictions, age_bands, measure, measure_groups

FEW = Bootstrap(100)


def halves(n=80):
    random = np.random.default_rng(1)
    labels = np.arange(n) % 2
    return Predictions(labels, np.clip(random.normal(0.3 + 0.4 * labels, 0.2), 0, 1), range(n))


def test_each_group_is_measured_by_itself():
    predictions = halves()
    groups = ["PA"] * 40 + ["AP"] * 40
    found = measure_groups(predictions, groups, bootstrap=FEW)
    assert list(found) == ["AP", "PA"]
    alone = predictions.where(np.array(groups) == "PA")
    assert found["PA"].metrics == measure(alone, resamples=100)
    assert (found["PA"].images, found["PA"].patients, found["PA"].positives) == (40, 40, 20)


def test_nine_positives_are_too_few_for_a_number():
    predictions = halves()
    groups = np.array(["big"] * 62 + ["small"] * 18)  # 9 and 9
    found = measure_groups(predictions, groups, bootstrap=FEW)
    assert found["small"].too_few
    assert (found["small"].images, found["small"].positives) == (18, 9)
    assert not found["big"].too_few


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, "", " "])
def test_missing_is_a_group_of_its_own_and_last(missing):
    found = measure_groups(halves(), ["z"] * 40 + [missing] * 40, bootstrap=FEW)
    assert list(found) == ["z", "unknown"]
    assert found["unknown"].images == 40


def test_a_group_per_image_is_asked_for():
    with pytest.raises(ValueError, match="got 3 groups for 80 images"):
        measure_groups(halves(), ["a", "b", "c"])


def test_ages_fall_into_bands_and_typing_errors_into_none():
    ages = [0, 17.9, 18, 39, 40, 64, 65, 120, 411, -1, None, float("nan"), "58", "058Y"]
    assert age_bands(ages) == [
        *["0-17"] * 2,
        *["18-39"] * 2,
        *["40-64"] * 2,
        *["65 and over"] * 2,
        *["unknown"] * 4,
        "40-64",
        "unknown",
    ]
