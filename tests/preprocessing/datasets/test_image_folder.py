"""Pictures in folders named by their class."""

import csv

import numpy as np
import pytest
from PIL import Image

from radzoo import preprocessing
from radzoo.errors import DataError

CLASSES = {"well": "NORMAL", "sick": ["BACTERIA", "VIRUS"]}
PLACES = ("NORMAL/IM-1-0001.png", "NORMAL/IM-2-0001.png", "BACTERIA/person1_a.png")


@pytest.fixture
def pictures(tmp_path):
    """Four pictures in three folders below `pictures`."""
    folder = tmp_path / "data" / "pictures"
    for grey, name in enumerate((*PLACES, "VIRUS/person2_b.png")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2), grey * 51).save(path)
    return folder


def load(**options):
    return preprocessing.load("image_folder", **{"path": "pictures", "classes": CLASSES} | options)


@pytest.mark.usefixtures("pictures")
def test_the_folder_is_the_label():
    dataset = load()
    assert dataset.classes == ("well", "sick")
    assert dict(zip(dataset.table["id"], dataset.table["label"], strict=True)) == {
        "BACTERIA/person1_a.png": 1,
        "NORMAL/IM-1-0001.png": 0,
        "NORMAL/IM-2-0001.png": 0,
        "VIRUS/person2_b.png": 1,
    }
    assert dataset.table["patient"].isna().all()
    assert (dataset.levels, dataset.notes) == (256, ())
    np.testing.assert_allclose(dataset.read(3), np.full((2, 3), 0.6), rtol=1e-6)


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("expression", "patients"),
    [
        (r"(person\d+)_|(IM-\d+)-", ["person1", "IM-1", "IM-2", "person2"]),
        ("^[a-zA-Z]+-?[0-9]", ["person1", "IM-1", "IM-2", "person2"]),
    ],
)
def test_patients_are_found_in_the_names_of_files(expression, patients):
    assert load(patient=expression).table["patient"].tolist() == patients


def test_the_first_level_may_be_the_split(pictures, tmp_path):
    for side in ("train", "valid"):
        (tmp_path / "data" / "whole" / side).mkdir(parents=True)
    (pictures / "NORMAL").rename(tmp_path / "data" / "whole" / "train" / "NORMAL")
    (pictures / "VIRUS").rename(tmp_path / "data" / "whole" / "valid" / "VIRUS")
    dataset = load(path="whole", split=True)
    assert dataset.table["split"].tolist() == ["train", "train", "valid"]
    assert dataset.table["label"].tolist() == [0, 0, 1]
    (tmp_path / "data" / "whole" / "valid").rename(tmp_path / "data" / "whole" / "rest")
    with pytest.raises(DataError, match=r"the first folders \['rest'\] are no split; they may be"):
        load(path="whole", split=True)


def test_nested_folders_are_named_by_their_whole_path(pictures):
    (pictures / "P").mkdir()
    for name in ("BACTERIA", "VIRUS"):
        (pictures / name).rename(pictures / "P" / name)
    assert load(classes={"well": "NORMAL", "sick": "P/*"}).table["label"].sum() == 2


def test_what_is_no_image_and_what_is_ignored_is_counted(pictures):
    (pictures / "NORMAL" / "Thumbs.db").write_bytes(b"123")
    (pictures / "NORMAL" / "IM-1-0001.png").rename(pictures / "NORMAL" / "IM-1-0001.txt")
    dataset = load(classes={"well": "NORMAL", "sick": "VIRUS"}, ignore_labels=["BACT*"])
    assert len(dataset.table) == 3
    assert dataset.notes == (
        "1 files are no PNG, JPEG or DICOM and were left out.",
        "1 of 4 images were left out for their folder.",
    )


def test_every_problem_is_told_at_once(pictures):
    Image.new("L", (3, 2)).save(pictures / "stray.png")
    with pytest.raises(DataError) as caught:
        load(classes={"well": "NORMAL", "sick": "VIRUS", "odd": "ODD"}, patient="(IM-[0-9])")
    for told in (
        "the folder '.' (1 images) is in no class",
        "the folder 'BACTERIA' (1 images) is in no class",
        "the class 'odd' has no image; the folders are ['', 'BACTERIA', 'NORMAL', 'VIRUS']",
        "`patient` finds none in 1 of 3 names, such as VIRUS/person2_b.png",
    ):
        assert told in str(caught.value)
    with pytest.raises(DataError, match="`patient` is no regular expression"):
        load(patient="(")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "data" / "empty").mkdir()
    with pytest.raises(DataError, match="no PNG, JPEG or DICOM lies below it"):
        load(path="empty")


def test_content_follows_pixels_and_labels_but_not_the_place(pictures, tmp_path):
    first = load()
    assert len(set(first.image_digests)) == 4
    pictures.rename(tmp_path / "data" / "moved")
    assert load(path="moved").content == first.content
    Image.new("L", (3, 2), 9).save(tmp_path / "data" / "moved" / PLACES[0])
    assert load(path="moved").content != first.content


def test_the_64_pixel_images_have_their_split_and_their_patients(real_data, monkeypatch):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    classes = {"no_finding": "0_normal", "finding": "1_abnormal"}
    dataset = load(path="nih64", classes=classes, split=True, patient="^[0-9]+")
    assert len(dataset.table) == 1000
    assert dataset.table["patient"].nunique() == 264
    assert set(dataset.table["split"]) == {"train", "valid", "test"}
    assert dataset.read(0).shape == (64, 64)


def test_the_folders_of_kermany_are_read_as_they_are_published(real_data, tmp_path, monkeypatch):
    kinds = {"IM": "NORMAL", "NORMAL2": "NORMAL"}
    for path in (real_data / "kermany").iterdir():
        folder = kinds.get(path.name.split("-")[0], "PNEUMONIA")
        place = tmp_path / "data" / "chest_xray" / "train" / folder / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    monkeypatch.setenv("RADZOO_DATA", str(tmp_path / "data"))
    dataset = load(
        path="chest_xray",
        classes={"normal": "NORMAL", "pneumonia": "PNEUMONIA"},
        split=True,
        patient="^(person[0-9]+_[a-z]+)|^(.*IM-[0-9]+)",
    )
    with (real_data / "index.csv").open() as file:
        listed = [row for row in csv.DictReader(file) if row["path"].startswith("kermany/")]
    expected = {row["path"].rpartition("/")[2]: row["label"] for row in listed}
    names = [name.rpartition("/")[2] for name in dataset.table["id"]]
    assert sorted(names) == sorted(expected)
    for name, label in zip(names, dataset.table["label"], strict=True):
        assert (expected[name] == "no_finding") == (label == 0)
    assert dataset.table["patient"].notna().all()
