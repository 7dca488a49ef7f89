"""Lesions from a CSV of boxes, and where the steps bring them."""

import cv2
import numpy as np
import pytest

from radzoo import preprocessing
from radzoo.errors import DataError
from radzoo.preprocessing import Pipeline

ROWS = "image,x,y,width,height\na.png,2,1,3,2\na.png,7,7,2,2\nz.png,0,0,1,1\n"


@pytest.fixture
def folder(tmp_path):
    for name in "a.png", "b.png":
        cv2.imwrite(str(tmp_path / name), np.zeros((10, 12), np.uint8))
    (tmp_path / "list.csv").write_text("path,label\na.png,1\nb.png,0\n")
    (tmp_path / "boxes.csv").write_text(ROWS)
    return tmp_path


def load(folder, **boxes):
    classes = {"no": ["0"], "yes": ["1"]}
    path = str(folder / "boxes.csv")
    return preprocessing.load(
        "table", path=str(folder / "list.csv"), classes=classes, boxes={"path": path, **boxes}
    )


def test_every_box_of_an_image_is_marked(folder):
    expected = np.zeros((10, 12), bool)
    expected[1:3, 2:5] = expected[7:9, 7:9] = True
    dataset = load(folder)
    np.testing.assert_array_equal(dataset.masks(0), expected)
    assert dataset.masks(1) is None


def test_columns_may_have_other_names_and_other_boxes_are_another_content(folder):
    before = load(folder).content
    (folder / "boxes.csv").write_text(ROWS.replace("x,y", "left,top").replace("2,1,3", "3,1,3"))
    dataset = load(folder, x="left", y="top")
    assert dataset.masks(0)[1, 5]
    assert dataset.content != before


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (ROWS.replace("width", "w"), {}, "line 1 has no column 'width'"),
        (ROWS.replace("7,7,2,2", "7,7,0,2"), {}, "line 3 is no box"),
        (ROWS.replace("7,7,2,2", "7,left,2,2"), {}, "line 3 is no box"),
        (ROWS, {"depth": "z"}, "depth"),
        (ROWS.replace("a.png", "A.PNG"), {}, "no box is of a listed image"),
    ],
)
def test_what_is_no_box_is_told(text, options, said, folder):
    (folder / "boxes.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        load(folder, **options)


def test_steps_take_what_is_marked_along():
    mask = np.zeros((8, 8), bool)
    mask[2:4, 4:6] = True
    steps = [
        ("crop_centre", {"rows": 4, "columns": 4}),
        ("normalise_brightness", {}),
        ("resize", {"rows": 8, "columns": 8}),
        ("grey_to_rgb", {}),
    ]
    moved = Pipeline(steps).moved(mask)
    assert moved.shape == (8, 8)
    assert moved[:4, 4:].all()
    assert moved.sum() <= 25


def test_a_small_mark_does_not_vanish_and_one_that_is_cut_off_does():
    mask = np.zeros((64, 64), bool)
    mask[5, 5] = True
    shrunk = Pipeline([("resize", {"rows": 8, "columns": 8})]).moved(mask)
    assert np.argwhere(shrunk).tolist() == [[0, 0]]
    assert not Pipeline([("crop_centre", {"rows": 8, "columns": 8})]).moved(mask).any()
