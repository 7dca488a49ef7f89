"""Folders of DICOM: headers and a CSV say what there is; what is left out is said too."""

import numpy as np
import pytest

from radzoo import preprocessing
from radzoo.errors import DataError

pytest.importorskip("pydicom", reason="pydicom is not installed")

PIXELS = np.array([[0, 255], [51, 102]], np.uint8)


@pytest.fixture
def scans(tmp_path, write_dicom):
    """Four radiographs of three patients in the folder `scans`, by class."""
    folder = tmp_path / "data" / "scans"
    for number, label in enumerate(("well", "sick", "sick", "well")):
        tags = {"PatientID": f"p{min(number, 2)}", "PatientAge": f"0{number + 30}Y"}
        tags |= {"PatientSex": "F", "ViewPosition": "PA", "StudyDate": f"2021030{number + 1}"}
        tags |= {"SOPInstanceUID": f"1.2.{number}"}
        write_dicom(folder / label / f"{number}.dcm", PIXELS, **tags)
    return folder


def load(**options):
    return preprocessing.load("dicom_folder", **{"path": "scans", "classes": CLASSES} | options)


CLASSES = ["well", "sick"]
IDS = ["sick/1.dcm", "sick/2.dcm", "well/0.dcm", "well/3.dcm"]


@pytest.mark.usefixtures("scans")
def test_headers_and_folders_say_all_there_is_to_know():
    dataset = load()
    table = dataset.table
    assert table["id"].tolist() == IDS
    assert table["label"].tolist() == [1, 1, 0, 0]
    assert table["patient"].tolist() == ["p1", "p2", "p0", "p2"]
    assert table["age"].tolist() == [31, 32, 30, 33]
    assert table["study_date"].tolist()[0] == "2021-03-02"
    assert set(table["view"]) == {"PA"}
    assert dataset.notes == ()
    np.testing.assert_allclose(dataset.read(0), PIXELS / 255, rtol=1e-6)


@pytest.mark.usefixtures("scans")
@pytest.mark.parametrize(
    ("key", "rows", "labels"),
    [
        ("path", ["sick/1.dcm,sick", "well/0.dcm,well", "gone.dcm,well"], {1: 1, 0: 0}),
        ("id", ["sick/1.dcm,sick", "well/0.dcm,well"], {1: 1, 0: 0}),
        ("SOPInstanceUID", ["1.2.3,sick", "1.2.0,well"], {3: 1, 0: 0}),
        ("PatientID", ["p2,sick", "p0,well"], {2: 1, 3: 1, 0: 0}),
    ],
)
def test_a_csv_gives_labels_by_whatever_names_images(scans, key, rows, labels):
    (scans.parent / "labels.csv").write_text("\n".join([f"{key},label", *rows]))
    dataset = load(labels="labels.csv")
    numbers = [int(one[-5]) for one in dataset.table["id"]]
    found = dict(zip(numbers, dataset.table["label"], strict=True))
    assert found == labels
    assert f"{4 - len(labels)} of 4 images were not named by the CSV." in dataset.notes
    assert ("1 names in the CSV are of no image that was read." in dataset.notes) == (
        "gone.dcm,well" in rows
    )


def test_columns_of_a_csv_are_mapped(scans):
    (scans.parent / "labels.csv").write_text("uid,Finding\n1.2.0,0\n1.2.1,1.0\n")
    columns = {"SOPInstanceUID": "uid", "label": "Finding"}
    dataset = load(labels="labels.csv", columns=columns, classes={"well": 0, "sick": 1})
    assert dataset.table["label"].tolist() == [1, 0]


def test_a_csv_that_cannot_serve_says_why(scans):
    csv = scans.parent / "labels.csv"
    csv.write_text("file,label\na,well\n")
    with pytest.raises(DataError, match="needs a column 'label' and one of 'path', 'id', 'SOPIns"):
        load(labels="labels.csv")
    csv.write_text("PatientID,label\np0,well\np0,sick\n")
    with pytest.raises(DataError, match="gives 1 images two labels, such as 'p0'"):
        load(labels="labels.csv")


def test_what_is_no_image_is_left_out_and_counted(scans, write_dicom):
    write_dicom(scans / "well" / "report", PIXELS, PixelData=None, Modality="SR")
    write_dicom(scans / "well" / "dose", PIXELS, Modality="RTDOSE")
    (scans / "well" / "Thumbs.db").write_bytes(b"1234")
    write_dicom(scans / "well" / "named.txt", PIXELS, ConversionType="WSD", SOPInstanceUID="1.2.0")
    dataset = load()
    assert len(dataset.table) == 5
    assert dataset.notes == (
        "1 files are no DICOM and were left out.",
        "2 Digital X-Ray Image Storage - For Presentation: no images, left out.",
        "1 SOPInstanceUIDs are those of several images.",
        "1 images may have text within the picture, by their headers.",
    )


def test_every_unreadable_file_is_told_at_once_or_left_out(scans, write_dicom):
    path = write_dicom(scans / "well" / "cut", PIXELS)
    path.write_bytes(path.read_bytes()[:-2])
    write_dicom(scans / "well" / "colour", PIXELS, PhotometricInterpretation="PALETTE COLOR")
    write_dicom(scans / "well" / "film", np.zeros((3, 2, 2), np.uint8), NumberOfFrames=3)
    write_dicom(scans / "ill" / "a", PIXELS)
    with pytest.raises(DataError) as caught:
        load()
    for told in (
        "3 of 8 images cannot be read:",
        f"{scans}/well/cut is cut off: 2 of 4 bytes",
        "colour is no single grey image: its pixels are PALETTE COLOR",
        "3 frames. Choose one: `frame`, 1 to 3",
        "the label 'ill' (1 images) is in no class",
    ):
        assert told in str(caught.value)
    dataset = load(skip_unreadable=True, ignore_labels=["ill"])
    assert len(dataset.table) == 4
    assert "3 images cannot be read and were left out." in dataset.notes
    assert "1 of 5 images were left out for their label." in dataset.notes


def test_a_frame_may_be_chosen(scans, write_dicom):
    frames = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    (scans / "well" / "0.dcm").unlink()
    (scans / "well" / "3.dcm").unlink()
    write_dicom(scans / "well" / "film", frames, NumberOfFrames=3)
    with pytest.raises(DataError, match="the class 'well' has no image"):
        load(skip_unreadable=True)
    for path in (scans / "sick").iterdir():
        path.unlink()
    write_dicom(scans / "sick" / "film", frames, NumberOfFrames=3)
    second, third = load(frame=2), load(frame=3)
    np.testing.assert_allclose(third.read(1), frames[2] / 255, rtol=1e-6)
    assert second.image_digests != third.image_digests
    assert second.content != third.content


def test_images_are_chosen_by_their_header(scans, write_dicom):
    write_dicom(scans / "well" / "ct", PIXELS, Modality="CT")
    write_dicom(scans / "well" / "cr", PIXELS, Modality="CR", PhotometricInterpretation="RGB")
    dataset = load(where={"Modality": ["DX", "OT"], "ViewPosition": "PA"})
    assert len(dataset.table) == 4
    assert dataset.notes == ("Left out by `where`: 1 Modality CR, 1 Modality CT.",)
    with pytest.raises(DataError, match="`where` has Modalty, which DICOM does not know"):
        load(where={"Modalty": "CT"})


def test_content_follows_files_and_labels_but_not_the_place(scans, tmp_path):
    first = load().content
    scans.rename(tmp_path / "data" / "moved")
    assert load(path="moved").content == first
    (tmp_path / "data" / "moved" / "sick" / "1.dcm").rename(
        tmp_path / "data" / "moved" / "well" / "1.dcm"
    )
    assert load(path="moved").content != first


def test_real_files_are_left_out_for_what_their_headers_say(real_data, tmp_path, monkeypatch):
    names = [f"udacity_test{number}.dcm" for number in range(1, 7)]
    rows = [f"chest/{name},{'sick' if '2' in name else 'well'}" for name in names]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]))
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    dataset = load(
        path="dicom",
        labels=str(tmp_path / "labels.csv"),
        # the view stands in the element of the patient's position, as it should not
        where={"Modality": "DX", "BodyPartExamined": "CHEST", "PatientPosition": ["PA", "AP"]},
        skip_unreadable=True,
    )
    assert dataset.table["id"].tolist() == [f"chest/udacity_test{n}.dcm" for n in (1, 2, 3)]
    assert dataset.table["age"].tolist() == [81, 58, 77]
    (left_out,) = (note for note in dataset.notes if note.startswith("Left out by `where`"))
    for reason in ("1 BodyPartExamined RIBCAGE", "1 PatientPosition XX", "Modality CT"):
        assert reason in left_out
