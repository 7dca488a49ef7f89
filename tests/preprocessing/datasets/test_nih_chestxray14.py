"""NIH ChestX-ray14 as the NIH and Kaggle lay it out."""

import gzip

import numpy as np
import pytest
from PIL import Image

from radzoo import preprocessing
from radzoo.errors import DataError
from radzoo.preprocessing import nih_files

OLD_HEADER = (  # of 2017: each line ends with a comma
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
OLD_ROWS = (  # labels, patient, age, sex, view
    ("00000001_000", "Cardiomegaly", 1, 58, "M", "PA"),
    ("00000001_001", "Cardiomegaly|Infiltration", 1, 58, "M", "PA"),
    ("00000002_000", "No Finding", 2, 412, "F", "AP"),
    ("00000003_000", "Hernia", 3, 81, "F", "PA"),
    ("00000004_000", "No Finding", 4, 0, "M", "PA"),
    ("00000005_000", "Infiltration", 5, 70, "F", "AP"),
)
BOXES = (
    "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    "00000001_001.png,Infiltrate,128.0,256.0,512.0,128.0,,,\n"
    "00000001_001.png,Cardiomegaly,0.0,0.0,128.0,128.0,,,\n"
)


def draw(path, grey, size=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (size, size), grey).save(path)


@pytest.fixture
def whole(tmp_path):
    """The NIH's layout: archives unpacked side by side, lists of the split, boxes."""
    folder = tmp_path / "data" / "nih_chestxray14"
    lines = []
    for row, (name, labels, patient, age, sex, view) in enumerate(OLD_ROWS):
        draw(folder / f"images_{1 + row // 3:03d}" / "images" / f"{name}.png", 40 * row)
        lines.append(f"{name}.png,{labels},0,{patient},{age},{sex},{view},9,9,0.1,0.1,\n")
    (folder / "Data_Entry_2017.csv").write_text(OLD_HEADER + "".join(lines))
    names = [f"{row[0]}.png\n" for row in OLD_ROWS]
    (folder / "train_val_list.txt").write_text("".join(names[:3] + names[4:5]))
    (folder / "test_list.txt").write_text("".join(names[3:4] + names[5:]))
    (folder / "BBox_List_2017.csv").write_text(BOXES)
    return folder


def sample(folder, ages=("060Y", "411Y", "006M", "001D")):
    """Kaggle's layout of the sample: the table twice, images two folders down."""
    header = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,"
    lines = [header + "View Position,OriginalImageWidth,OriginalImageHeight\n"]
    for row, age in enumerate(ages):
        name, label = f"0000001{row}_005.png", ("Mass|Nodule", "No Finding")[row % 2]
        draw(folder / "sample" / "images" / name, row)
        lines.append(f"{name},{label},005,0000001{row},{age},F,AP,3056,2544\n")
    for place in folder, folder / "sample":
        (place / "sample_labels.csv").write_text("".join(lines))
    return folder


def load(**options):
    return preprocessing.load("nih_chestxray14", **options)


@pytest.mark.usefixtures("whole")
def test_images_are_found_in_every_archive_and_read_by_their_row():
    dataset = load()
    greys = [round(float(dataset.read(row).mean()) * 255) for row in range(6)]
    assert greys == [0, 40, 80, 120, 160, 200]
    assert dataset.table["patient"].tolist()[:3] == ["00000001", "00000001", "00000002"]
    assert dataset.table["view"].tolist() == ["PA", "PA", "AP", "PA", "PA", "AP"]
    assert dataset.table["sex"].tolist() == ["M", "M", "F", "F", "M", "F"]


@pytest.mark.usefixtures("whole")
def test_a_finding_is_any_label_and_a_target_is_one_of_them():
    finding, one = load(), load(target="Infiltration")
    assert finding.classes == ("no_finding", "finding")
    assert finding.table["label"].tolist() == [1, 1, 0, 1, 0, 1]
    assert one.classes == ("no_infiltration", "infiltration")
    assert one.table["label"].tolist() == [0, 1, 0, 0, 0, 1]
    assert finding.table["Cardiomegaly"].tolist() == [1, 1, 0, 0, 0, 0]
    assert len(finding.findings) == 14
    assert finding.table[list(finding.findings)].to_numpy().sum() == 5
    assert one.content != finding.content
    assert one.image_digests == finding.image_digests


@pytest.mark.usefixtures("whole")
def test_an_age_of_three_digits_is_missing_and_counted():
    dataset = load()
    assert dataset.table["age"].fillna(-1).tolist() == [58, 58, -1, 81, 0, 70]
    assert dataset.notes == ("1 ages are not between 0 and 120 years; they count as missing.",)


def test_ages_of_the_sample_have_units(tmp_path):
    folder = sample(tmp_path / "kaggle")
    ages = load(path=str(folder)).table["age"]
    np.testing.assert_allclose(ages.fillna(-1), [60, -1, 0.5, 1 / 365.25])


@pytest.mark.usefixtures("whole")
def test_the_official_lists_are_the_split_and_validation_is_taken_from_train_val_by_patient():
    assert load(validation=0).table["split"].tolist() == ["train"] * 3 + ["test", "train", "test"]
    nearly_all = load(validation=0.9999).table["split"].tolist()
    assert nearly_all == ["validation"] * 3 + ["test", "validation", "test"]


def test_validation_is_a_share_of_patients_and_the_same_for_every_target(whole):
    names = [f"{patient:08d}_{image:03d}.png" for patient in range(200) for image in range(2)]
    kinds = ["Mass", "No Finding", "Edema", "No Finding"] * 100
    lines = [f"{n},{k},0,{n[:8]},60,M,PA,9,9,1,1,\n" for n, k in zip(names, kinds, strict=True)]
    (whole / "Data_Entry_2017.csv").write_text(OLD_HEADER + "".join(lines))
    (whole / "train_val_list.txt").write_text("\n".join(names))
    (whole / "test_list.txt").unlink()
    for name in names:
        (whole / name).write_bytes(b"")
    table, other = load(validation=0.25).table, load(validation=0.25, target="Mass").table
    assert table.groupby("patient")["split"].nunique().max() == 1
    assert 28 <= table["patient"][table["split"] == "validation"].nunique() <= 72  # 50, 3.6 sd
    assert table["split"].equals(other["split"])


def test_with_one_list_alone_the_others_are_on_the_other_side(whole):
    (whole / "train_val_list.txt").unlink()
    sides = load(validation=0).table["split"].tolist()
    assert sides == ["train", "train", "train", "test", "train", "test"]


def test_the_sample_has_no_split(tmp_path):
    assert "split" not in load(path=str(sample(tmp_path / "kaggle"))).table


@pytest.mark.usefixtures("whole")
def test_masks_are_the_targets_boxes_in_the_size_of_the_image():
    finding, one = load(), load(target="Infiltration")
    expected = np.zeros((8, 8), bool)
    expected[2:3, 1:5] = True  # 256 to 384 and 128 to 640 of 1024 pixels
    np.testing.assert_array_equal(one.masks(1), expected)
    expected[0, 0] = True
    np.testing.assert_array_equal(finding.masks(1), expected)
    assert finding.masks(0) is None
    assert load(target="Hernia").masks is None


@pytest.mark.usefixtures("whole")
def test_views_and_a_list_choose_images_and_are_counted():
    dataset = load(views=["PA"], listed="train_val_list.txt")
    assert dataset.table["id"].str[:8].tolist() == ["00000001", "00000001", "00000004"]
    assert dataset.notes == (
        "2 of 6 images were left out: their view is not PA.",
        "1 of 4 images were left out: their name is not in train_val_list.txt.",
    )


@pytest.mark.usefixtures("whole")
def test_a_view_that_is_not_there_is_told():
    with pytest.raises(DataError, match=r"has no view 'LL'. It has: AP, PA"):
        load(views=["PA", "LL"])


def test_images_that_are_not_there_are_counted_or_skipped(whole):
    (whole / "images_001" / "images" / "00000002_000.png").unlink()
    with pytest.raises(DataError, match=r"^1 of 6 images that Data_Entry_2017.csv lists are not"):
        load()
    dataset = load(missing="skip")
    assert len(dataset.table) == 5
    assert "1 of 6 images that Data_Entry_2017.csv lists are not there" in dataset.notes[0]


def test_the_corrected_table_is_preferred_and_may_be_compressed(whole):
    text = (whole / "Data_Entry_2017.csv").read_text()
    later = text.replace("x,y],", "x,y]").replace(",\n", "\n").replace("No Finding,0,2", "Mass,0,2")
    (whole / "Data_Entry_2017_v2020.csv.gz").write_bytes(gzip.compress(later.encode()))
    assert load().table["Mass"].tolist() == [0, 0, 1, 0, 0, 0]
    older = load(path=str(whole / "Data_Entry_2017.csv"))
    assert older.table["Mass"].sum() == 0


def test_a_folder_without_a_table_says_what_is_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"has no Data_Entry_2017\*.csv and no sample_labels.csv"):
        load(path=str(tmp_path))


def test_problems_of_the_table_are_told_together(whole):
    text = (whole / "Data_Entry_2017.csv").read_text()
    wrong = text.replace("Hernia", "Hernya") + text.splitlines()[1] + "\n"
    (whole / "Data_Entry_2017.csv").write_text(wrong)
    with pytest.raises(DataError, match=r"1 images more than once.*the label 'Hernya'"):
        load()
    (whole / "Data_Entry_2017.csv").write_text("Image Index,Labels\na.png,b\n")
    with pytest.raises(DataError, match="line 1 has no column 'Finding Labels', 'Follow-up #'"):
        load()


def test_a_misspelt_target_is_corrected():
    with pytest.raises(DataError, match=r"got 'pneumonia'. Did you mean 'Pneumonia'"):
        load(target="pneumonia")


def test_links_that_go_in_a_circle_are_followed_once(whole):
    (whole / "images_001" / "again").symlink_to(whole)
    assert len(load().table) == 6


def test_checks_compare_with_what_is_published(whole):
    entry = preprocessing.get("nih_chestxray14")
    (whole / "images_012.tar.gz").write_bytes(b"")
    found = {check.what: check for check in entry.checks(path=str(whole), target="Mass")}
    assert found["images in Data_Entry_2017.csv"][1:] == (112_120, 6)
    assert found["of these, files found"][1:] == (6, 6)
    assert found["names in train_val_list.txt"][1:] == (86_524, 4)
    assert found["MD5 of images_012.tar.gz"].found == "d41d8cd98f00b204e9800998ecf8427e"


def test_the_published_tables_have_the_published_counts(real_data):
    """The counts of each label are those of the NIH's README and of Kaggle's page."""
    labels = real_data / "labels"
    checks = list(nih_files.checks(str(labels / "Data_Entry_2017_v2020.csv.gz")))
    checks += nih_files.checks(str(labels / "sample_labels.csv"))
    assert {c.what for c in checks if c.expected != c.found} == {"of these, files found"}
    assert next(c.found for c in checks if c.what.startswith("boxes")) == 984
    given = nih_files.table(labels / "Data_Entry_2017_v2020.csv.gz")["Finding Labels"]
    counts = given.str.get_dummies("|").sum()
    assert (counts["Hernia"], counts["Infiltration"], counts["No Finding"]) == (227, 19_894, 60_361)


def test_real_images_have_their_labels(real_data):
    dataset = load(path=str(real_data / "nih"))
    assert dataset.table["label"].value_counts().to_dict() == {0: 358, 1: 354}
    assert dataset.table["age"].between(0, 120).all()
    assert dataset.read(0).shape == (256, 256)
