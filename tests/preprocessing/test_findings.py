"""Labels of which an image may have several: how they are read, named and split."""

import numpy as np
import pandas as pd
import pytest

from radzoo.errors import DataError
from radzoo.preprocessing import findings, load, splits

SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
CSV = """\
path,patient,Effusion,Lung Mass
0.png,p0,1,0
1.png,p1,,1.0
2.png,p2,-1,1
3.png,p3,0,
"""


def test_a_csv_says_yes_no_and_nothing(folder):
    (folder / "several.csv").write_text(CSV)
    found = load(
        "table", path="several.csv", findings={"Effusion": "Effusion", "Mass": "Lung Mass"}
    )
    assert found.findings == ("Effusion", "Mass")
    np.testing.assert_array_equal(found.table["Effusion"], [1, np.nan, np.nan, 0])
    np.testing.assert_array_equal(found.table["Mass"], [0, 1, 1, np.nan])
    assert found.classes == ("no_finding", "finding")
    assert found.table["label"].tolist() == [1, 1, 1, 0]
    assert found.notes == ("Effusion is uncertain (-1) on 1 of 4 rows, which count as not known.",)


def test_what_is_no_finding_is_told_with_its_line(folder):
    (folder / "several.csv").write_text(CSV.replace("p2,-1", "p2,maybe"))
    with pytest.raises(DataError) as caught:
        load("table", path="several.csv", findings={"Effusion": "Effusion", "age": "Agee"})
    assert "findings.Effusion: line 4: 'maybe' (1 rows" in str(caught.value)
    assert "findings.age: line 1 has no column 'Agee'" in str(caught.value)


def test_every_unknown_name_is_told_with_the_nearest(made):
    images = np.zeros((4, 2, 2), np.float32)
    table = made(images).table.assign(Effusion=[1, 0, 1, np.nan], Mass=[0, 1, 0, 0])
    dataset = made(images, table=table, findings=("Effusion", "Mass"))
    assert findings.choose(dataset, "all") == ("Effusion", "Mass")
    with pytest.raises(DataError, match=r"(?s)'Efusion'.*'Effusion'.*'Mas'.*'Mass'"):
        findings.choose(dataset, ["Efusion", "Mas"])
    with pytest.raises(DataError, match="name Mass more than once"):
        findings.choose(dataset, ["Mass", "Effusion", "Mass"])
    with pytest.raises(DataError, match="names no findings"):
        findings.choose(made(images), "all")
    with pytest.raises(DataError, match="'Mass' has values other than 0, 1 and missing"):
        made(images, table=table.assign(Mass=[0, 1, 2, 0]), findings=("Mass",))


def crowd(shares, seed=0, patients=200):
    draw = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), draw.integers(1, 5, patients))
    truth = (draw.random((len(owner), len(shares))) < shares).astype(float)
    return pd.DataFrame({"patient": [f"p{number}" for number in owner]}), truth


def test_every_finding_has_its_share_on_every_side():
    table, truth = crowd([0.5, 0.2, 0.05, 0.3])
    truth[np.random.default_rng(1).random(truth.shape) < 0.1] = np.nan
    sides = splits.split(table, SHARES, strata=findings.strata(truth))
    assert table.assign(side=sides).groupby("patient")["side"].nunique().max() == 1
    for column in truth.T:
        for value in 0, 1:
            of_value = sides[column == value]
            for side, share in SHARES.items():
                assert abs((of_value == side).sum() - share * len(of_value)) <= 3


def test_one_finding_that_is_known_of_all_is_split_as_a_label_is():
    table, truth = crowd([0.3])
    table["label"], table["id"] = truth[:, 0].astype(int), np.arange(len(table)).astype(str)
    by_label = splits.split(table, SHARES, seed=4)
    np.testing.assert_array_equal(
        splits.split(table, SHARES, seed=4, strata=findings.strata(truth)), by_label
    )


def test_a_finding_on_two_images_need_not_be_on_all_sides():
    table, truth = crowd([0.4, 0.0])
    truth[[3, 50], 1] = 1
    sides = splits.split(table, SHARES, strata=findings.strata(truth))
    assert set(sides) == set(SHARES)
    assert len(set(sides[[3, 50]])) == 2
