"""Folders of images that a CSV describes."""

import numpy as np
import pytest

from radzoo import preprocessing
from radzoo.errors import DataError

CLASSES = ["well", "sick"]


def load(**options):
    return preprocessing.load("table", **{"path": "list.csv", "classes": CLASSES} | options)


def test_images_labels_and_patients_are_those_of_the_csv(folder):
    dataset = load()
    assert dataset.table["label"].tolist() == [0, 1, 0, 1]
    assert dataset.table["patient"].tolist() == ["p0", "p0", "p1", "p1"]
    assert dataset.table["site"].tolist() == ["A"] * 4
    assert dataset.levels == 256
    np.testing.assert_allclose(dataset.read(1), np.full((4, 6), 1 / 3), rtol=1e-6)


def test_columns_are_mapped_and_numbers_are_read(folder):
    (folder / "list.csv").write_text(
        "File Name,Finding,Patient Age,left,x,Sex\n"
        "0.png,0,060Y,1.5,,M\n1.png,1.0,006M,2,,\n2.png,1,411Y,,,F\n"
    )
    columns = {"path": "File Name", "label": "Finding", "age": "Patient Age", "sex": "Sex"}
    dataset = load(columns=columns | {"box_x0": "left", "view": "x"}, classes={"w": 0, "s": 1})
    assert dataset.table["age"].tolist()[:2] == [60, 0.5]
    assert dataset.table["box_x0"].tolist()[:2] == [1.5, 2]
    assert dataset.table.isna()[["age", "box_x0", "sex"]].sum().tolist() == [1, 1, 1]
    assert dataset.table["patient"].isna().all()
    assert "view" not in dataset.table
    assert dataset.notes == ("1 ages are not between 0 and 120 years; they count as missing.",)


def test_rows_are_chosen_and_left_out_and_counted(folder):
    (folder / "list.csv").write_text(
        "path,label,task\n0.png,well,a\n1.png,sick,a\n2.png,odd,a\n3.png,sick,b\n"
    )
    dataset = load(where={"task": "a"}, ignore_labels=["odd"])
    assert dataset.table["id"].tolist() == ["0.png", "1.png"]
    assert dataset.notes == (
        "1 of the 4 rows of list.csv were left out by `where`.",
        "1 of 3 images were left out for their label: odd.",
    )


def test_the_root_is_where_paths_start(folder):
    (folder / "elsewhere").mkdir()
    (folder / "list.csv").rename(folder / "elsewhere" / "list.csv")
    assert len(load(path="elsewhere/list.csv", root=str(folder)).table) == 4


def test_content_follows_pixels_labels_and_order_but_not_the_place(folder, tmp_path):
    first = load().content
    folder.rename(tmp_path / "moved")
    moved = load(path=str(tmp_path / "moved" / "list.csv")).content
    assert moved == first
    text = (tmp_path / "moved" / "list.csv").read_text()
    (tmp_path / "moved" / "list.csv").write_text(text.replace("0.png,well", "0.png,sick"))
    relabelled = load(path=str(tmp_path / "moved" / "list.csv")).content
    (tmp_path / "moved" / "list.csv").write_text(text)
    data = (tmp_path / "moved" / "0.png").read_bytes()
    (tmp_path / "moved" / "1.png").write_bytes(data)
    repainted = load(path=str(tmp_path / "moved" / "list.csv")).content
    assert len({first, relabelled, repainted}) == 3


def test_every_problem_of_the_rows_is_told_at_once(folder):
    (folder / "list.csv").write_text(
        "path,label\n0.png,well\n0.png,well\nno.png,well\n1.png,ill\n2.png,\n"
    )
    with pytest.raises(DataError) as caught:
        load()
    for told in (
        f"{folder / 'list.csv'} cannot be used",
        "line 5: the label 'ill' (1 rows) is in no class",
        "line 6: the label ''",
        "the class 'sick' has no image",
        f"1 of 3 images are missing: line 4: {folder / 'no.png'}",
        "1 paths are listed more than once: '0.png' on lines 2, 3",
    ):
        assert told in str(caught.value)


def test_every_problem_of_the_columns_is_told_at_once(folder):
    with pytest.raises(DataError) as caught:
        load(columns={"patient": "patien", "vieww": "x"}, where={"tsk": 1})
    for told in (
        "columns.patient: line 1 has no column 'patien'. Did you mean 'patient'?",
        "columns.vieww: no such column of ours. Did you mean 'view'?",
        "where.tsk: line 1 has no column 'tsk'.",
    ):
        assert told in str(caught.value)


def test_a_file_that_is_no_csv_is_refused(folder):
    (folder / "list.csv").write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(DataError, match="cannot be read as a CSV"):
        load()
    (folder / "list.csv").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read as a CSV"):
        load()


BOX = {f"box_{edge}": f"bbox128_{edge}" for edge in ("x0", "y0", "x1", "y1")}
NIH = {"path": "Image Index", "label": "Finding Labels", "patient": "Patient ID"}
BUNDLES = {
    "chest X-rays": (
        {"path": "index.csv", "where": {"task": "cxr_finding"}},
        ["no_finding", "finding"],
        {"images": 1292, "shape": (256, 256)},
    ),
    "NIH at 64 pixels": (
        {"path": "index.csv", "where": {"task": "cxr_finding_64px"}},
        ["no_finding", "finding"],
        {"images": 1000, "shape": (64, 64)},
    ),
    "nodules": (
        {
            "path": "nodules/nodules.csv",
            "columns": {"path": "file", **BOX},
            "ignore_labels": ["indeterminate"],
        },
        ["benign", "malignant"],
        {"images": 733, "shape": (128, 128)},
    ),
    "NIH": (
        {
            "path": "nih/sample_labels.csv",
            "root": "nih/images",
            "columns": NIH | {"age": "Patient Age", "sex": "Patient Gender"},
        },
        {"no_finding": "No Finding", "finding": "*"},
        {"images": 712, "shape": (256, 256)},
    ),
    "NIH, extended labels": (
        {
            "path": "nih/labels_extended.csv",
            "root": "nih/images",
            "columns": {"path": "image", "patient": "Patient ID", "view": "View Position"},
        },
        {"no_finding": 0, "finding": 1},
        {"images": 712, "shape": (256, 256)},
    ),
}


@pytest.mark.parametrize(("options", "classes", "expected"), BUNDLES.values(), ids=BUNDLES)
def test_real_bundles_are_read(real_data, monkeypatch, options, classes, expected):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    dataset = load(classes=classes, **options)
    assert len(dataset.table) == expected["images"]
    assert dataset.read(0).shape == expected["shape"]
    assert dataset.table["patient"].notna().all()


def test_the_given_split_of_nih64_has_patients_on_two_sides(real_data, monkeypatch):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    options, classes, _ = BUNDLES["NIH at 64 pixels"]
    table = load(classes=classes, **options).table
    with pytest.raises(DataError, match="30 of 264 patients are on two sides"):
        preprocessing.splits.given(table)
    assert (preprocessing.splits.given(table, patients=False) == "validation").sum() == 200
