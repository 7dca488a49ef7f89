"""Nobody is on two sides; every side has its share of every class."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radzoo.errors import DataError
from radzoo.preprocessing import splits

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


def people(per_patient, labels):
    """A table of patients with so many images each."""
    patients = np.repeat([f"p{number}" for number in range(len(per_patient))], per_patient)
    ids = [f"i{number}" for number in range(len(patients))]
    return pd.DataFrame({"id": ids, "label": labels, "patient": patients})


def crowd(count=300, seed=0):
    draw = np.random.default_rng(seed)
    per_patient = draw.integers(1, 6, count)
    return people(per_patient, (draw.random(per_patient.sum()) < 0.3).astype(int))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(80, 200))
def test_shares_hold_within_three_percent_and_nobody_is_on_two_sides(seed, count):
    table = crowd(count, seed)
    sides = splits.split(table, SHARES, seed)
    assert table.assign(side=sides).groupby("patient")["side"].nunique().max() == 1
    for label in 0, 1:
        of_label = sides[table["label"] == label]
        for side, share in SHARES.items():
            assert abs((of_label == side).mean() - share) < 0.03 + 6 / len(of_label)


def test_the_seed_decides_and_nothing_else():
    table = crowd()
    first = splits.split(table, SHARES, seed=1)
    np.testing.assert_array_equal(first, splits.split(table.copy(), SHARES, seed=1))
    assert (first != splits.split(table, SHARES, seed=2)).any()


def test_patients_with_many_images_are_on_every_side():
    table = crowd(600)
    sides = splits.split(table, SHARES, seed=0)
    sizes = (
        table.assign(side=sides).groupby("side")["patient"].agg(lambda p: p.value_counts().mean())
    )
    assert sizes.max() - sizes.min() < 0.3


def test_twenty_patients_of_one_image_are_dealt_out_by_hand():
    table = people([1] * 20, [0, 1] * 10)
    sides = splits.split(table, {"train": 0.6, "test": 0.4}, seed=3)
    counts = pd.crosstab(sides, table["label"])
    assert counts.loc["train"].tolist() == [6, 6]
    assert counts.loc["test"].tolist() == [4, 4]


def test_a_rare_class_is_on_every_side():
    table = people([1] * 203, [0] * 200 + [1] * 3)
    assert set(splits.split(table, SHARES, seed=0)[200:]) == set(SHARES)


def test_a_side_without_a_class_is_refused_by_name():
    table = people([1] * 22, [0] * 20 + [1] * 2)
    with pytest.raises(DataError) as caught:
        splits.split(table, SHARES, seed=0, classes=("well", "sick"))
    assert "has no image of 'sick'" in str(caught.value)
    assert "20 with 'well', 2 with 'sick'" in str(caught.value)
    assert "Use more patients" in str(caught.value)


def test_missing_patients_are_refused_unless_that_is_said():
    table = crowd(50).assign(patient=pd.NA)
    with pytest.raises(DataError, match="set `patient: null` under `dataset`"):
        splits.split(table, SHARES, seed=0)
    assert set(splits.split(table, SHARES, seed=0, patients=False)) == set(SHARES)


@pytest.mark.parametrize(
    "shares", [{"train": 0.7, "test": 0.2}, {"train": 1.2, "test": -0.2}, {"trian": 1.0}]
)
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(DataError, match="shares must be positive"):
        splits.split(crowd(50), shares, seed=0)


def test_a_given_split_is_read_in_any_spelling():
    words = ["train", " Training", "val", "valid", "dev", "validation", "TEST", "testing"]
    table = people([1] * 8, [0, 1] * 4).assign(split=words)
    expected = ["train"] * 2 + ["validation"] * 4 + ["test"] * 2
    assert splits.given(table).tolist() == expected


def test_a_patient_on_two_sides_of_a_given_split_is_refused():
    table = people([2, 2], [0, 1, 0, 1]).assign(split=["train", "train", "train", "test"])
    with pytest.raises(DataError, match=r"1 of 2 patients are on two sides .* p1 among them"):
        splits.given(table)
    table = people([2, 2, 1], [0, 1, 0, 1, 0]).assign(split=["train"] * 3 + ["test"] * 2)
    assert splits.given(table, patients=False).tolist() == ["train"] * 3 + ["test"] * 2


def test_two_spellings_of_one_side_are_not_two_sides():
    table = people([2], [0, 1]).assign(split=["val", "valid"])
    assert set(splits.given(table)) == {"validation"}


def test_an_unknown_word_in_a_given_split_names_the_image():
    table = people([1, 1], [0, 1]).assign(split=["train", "later"])
    with pytest.raises(DataError, match=r"holds \['later'\] \(1 rows, the first is 'i1'\)"):
        splits.given(table)
    with pytest.raises(DataError, match="no column 'split'"):
        splits.given(table.drop(columns="split"))


def test_a_salted_name_is_the_hash_of_salt_and_name():
    expected = hashlib.sha256(b"pepperp1").hexdigest()
    assert splits.salted(["p1"], "pepper") == [expected]
