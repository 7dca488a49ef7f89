"""De-identified copies: nothing of a patient, the same picture, and what belongs together stays."""

import datetime

import numpy as np
import pytest

from radzoo.errors import DataError, RunError
from radzoo.preprocessing import copies, readers
from radzoo.preprocessing.deidentify import Pseudonyms

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
pytest.importorskip("dicomanonymizer", reason="dicom-anonymizer is not installed")

from pydicom.tag import Tag  # noqa: E402

PIXELS = (np.arange(12).reshape(3, 4) * 300).astype(np.uint16)
SECRET = {
    **{"PatientName": "Secret^Ana", "PatientID": "SECRET1", "InstitutionName": "SECRET"},
    **{"ReferringPhysicianName": "Secret^Doc", "AccessionNumber": "SECRET", "StudyID": "SECRET"},
    **{"PatientBirthDate": "19390722", "StudyDate": "20210305", "SeriesDate": "20210305"},
    **{"StudyTime": "093742", "StudyDescription": "SECRET", "PatientComments": "SECRET"},
    **{"DeviceSerialNumber": "SECRET", "StationName": "SECRET", "ProtocolName": "SECRET"},
    **{"WindowCenterWidthExplanation": "SECRET", "ImageComments": "SECRET"},
    **{"StudyInstanceUID": "1.2.97531.1", "SeriesInstanceUID": "1.2.97531.2"},
    **{"SOPInstanceUID": "1.2.97531.3", "FrameOfReferenceUID": "1.2.97531.4"},
    **{"PatientAge": "091Y", "PatientSex": "F"},
}
SHOWN = {
    **{"BitsStored": 12, "PhotometricInterpretation": "MONOCHROME1", "ViewPosition": "PA"},
    **{"WindowCenter": 1500, "WindowWidth": 3000, "PixelPaddingValue": ("US", 0)},
    **{"PixelSpacing": [0.2, 0.1], "InstanceNumber": 7, "BodyPartExamined": "CHEST"},
}
TELLTALE = (b"SECRET", b"Secret", b"19390722", b"20210305", b"0937", b"97531", b"091Y")
KEY = b"k" * 32


@pytest.fixture
def copied(tmp_path, write_dicom):
    """Copies one radiograph, with other tags as given: the copy as pydicom reads it."""

    def make(names=None, name="a/Secret.dcm", **tags):
        source = tmp_path / "in"
        write_dicom(source / name, PIXELS, **SECRET | SHOWN | tags)
        nested = pydicom.dcmread(source / name)
        item = pydicom.Dataset()
        item.PatientName, item.StudyDate = "Secret^Nested", "20210305"
        nested.RequestAttributesSequence = [item]
        nested.private_block(0x19, "SECRET MAKER", create=True).add_new(1, "PN", "Secret^Private")
        nested.save_as(source / name)
        told = list(copies.write(source, tmp_path / "out", names or Pseudonyms(KEY)))
        assert [one.why for one in told] == [""] * len(told)
        return pydicom.dcmread(tmp_path / "out" / told[-1].copy)

    return make


def test_nothing_of_the_patient_is_found_again(copied, tmp_path):
    copied()
    source = (tmp_path / "in" / "a" / "Secret.dcm").read_bytes()
    assert all(telltale in source for telltale in TELLTALE)
    (copy,) = (tmp_path / "out").rglob("*.dcm")
    assert [one for one in TELLTALE if one in copy.read_bytes()] == []
    assert "ecret" not in str(copy.relative_to(tmp_path / "out"))


def test_the_picture_and_what_measures_it_stay(copied, tmp_path):
    copy = copied()
    (path,) = (tmp_path / "out").rglob("*.dcm")
    before = readers.read(tmp_path / "in" / "a" / "Secret.dcm")
    np.testing.assert_array_equal(readers.read(path), before)
    assert before.min() == before[0, 0] == 0  # padding, which inverted would be white
    assert (list(copy.PixelSpacing), copy.InstanceNumber) == ([0.2, 0.1], 7)
    assert (copy.ViewPosition, copy.BodyPartExamined) == ("PA", "CHEST")


def test_the_copy_says_what_was_done(copied):
    def methods(copy):
        return [item.CodeValue for item in copy.DeidentificationMethodCodeSequence]

    copy = copied()
    assert copy.PatientIdentityRemoved == "YES"
    assert copy.LongitudinalTemporalInformationModified == "REMOVED"
    assert methods(copy) == ["113100"]
    assert (copy.StudyDate, copy.StudyTime, copy.PatientSex) == ("", "", "")
    assert "PatientAge" not in copy
    copy = copied(Pseudonyms(KEY[::-1] + b"2", "shift", characteristics=True), "b")
    assert methods(copy) == ["113100", "113107", "113108"]  # CID 7050 of PS3.16
    assert copy.LongitudinalTemporalInformationModified == "MODIFIED"


def test_old_age_is_one_of_ninety(copied):
    keeps = Pseudonyms(KEY, characteristics=True)
    copy = copied(keeps)
    assert (copy.PatientAge, copy.PatientSex) == ("090Y", "F")
    copy = copied(keeps, "b", PatientAge="007M", SOPInstanceUID="1.2.97531.7")
    assert copy.PatientAge == "007M"


def test_what_belongs_together_stays_together_and_by_this_key_alone(copied):
    first = copied(name="a")
    second = copied(name="b", SOPInstanceUID="1.2.97531.30")
    other = copied(name="c", SOPInstanceUID="1.2.97531.31", PatientID="SECRET2")
    for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert first[name].value == second[name].value
    assert first.PatientID == first.PatientName != other.PatientID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert all(name.startswith("2.25.") for name in (first.SOPInstanceUID, first.StudyInstanceUID))
    elsewhere = Pseudonyms(b"another key of thirty-two letters")
    assert elsewhere.patient("SECRET1") != first.PatientID == Pseudonyms(KEY).patient("SECRET1")
    assert elsewhere.uid("1.2.97531.1") != first.StudyInstanceUID


def test_shifted_dates_keep_their_distance_and_their_patient(copied):
    shifts = Pseudonyms(KEY, "shift")
    first = copied(shifts, "a")
    second = copied(shifts, "b", StudyDate="20210312", SOPInstanceUID="1.2.97531.30")
    days = [datetime.date.fromisoformat(copy.StudyDate) for copy in (first, second)]
    assert (days[1] - days[0]).days == 7
    assert datetime.timedelta(0) < datetime.date(2021, 3, 5) - days[0] <= datetime.timedelta(3650)
    assert first.SeriesDate == first.StudyDate
    assert first.PatientBirthDate == ""
    day = datetime.date(2021, 3, 5)
    assert shifts.shifted(day, "SECRET1") != shifts.shifted(day, "SECRET2")


def test_only_what_is_listed_is_kept(copied):
    copy = copied()
    assert not any(element.tag.is_private for element in copy.iterall())
    sequences = [element.keyword for element in copy if element.VR == "SQ"]
    assert sequences == ["DeidentificationMethodCodeSequence"]
    assert Tag("ImageComments") not in copy


def test_every_file_is_told_and_none_is_written_over(tmp_path, write_dicom):
    source, names = tmp_path / "in", Pseudonyms(KEY)
    write_dicom(source / "1", PIXELS, **SECRET, BurnedInAnnotation="YES")
    write_dicom(source / "2", PIXELS + 1, **SECRET)  # another picture of the same UID
    write_dicom(source / "3", PIXELS, PhotometricInterpretation="PALETTE COLOR")
    write_dicom(source / "4", PIXELS, PixelData=None, Modality="SR")
    (source / "5.txt").write_text("notes")
    told = {str(one.source): one for one in copies.write(source, tmp_path / "out", names)}
    assert list(told) == ["1", "2", "3", "4", "5.txt"]
    assert [one.copy is not None for one in told.values()] == [True, False, False, False, False]
    assert [one.image for one in told.values()] == [True, True, True, False, False]
    assert told["1"].text
    assert "there is another" in told["2"].why
    assert told["3"].why == "is no single grey image: its pixels are PALETTE COLOR."
    assert told["5.txt"].why == "is no DICOM file."
    (copy,) = (tmp_path / "out").rglob("*.dcm")
    before = copy.read_bytes()
    again = next(iter(copies.write(source, tmp_path / "out", names)))
    assert (again.why, copy.read_bytes()) == ("", before)


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    made = copies.key(tmp_path / "key")
    assert len(made) == 64
    assert copies.key(tmp_path / "key") == made
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    (tmp_path / "short").write_text("abc")
    with pytest.raises(RunError, match="holds 3 characters; a key needs 32"):
        copies.key(tmp_path / "short")


def test_places_that_would_mix_or_tell_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    key = tmp_path / "key"
    with pytest.raises(DataError, match="is no folder"):
        copies.check(tmp_path / "none", tmp_path / "out", key)
    with pytest.raises(RunError, match="lie within each other"):
        copies.check(tmp_path / "in", tmp_path / "in" / "out", key)
    with pytest.raises(RunError, match="lies among the copies"):
        copies.check(tmp_path / "in", tmp_path / "out", tmp_path / "out" / "key")


def test_the_command_tells_each_file_and_fails_if_one_was_refused(tmp_path, write_dicom, place_in):
    place = place_in(tmp_path)
    write_dicom(tmp_path / "in" / "a", PIXELS, **SECRET)
    write_dicom(tmp_path / "in" / "b", PIXELS, PhotometricInterpretation="PALETTE COLOR")
    (tmp_path / "in" / "notes.txt").write_text("SECRET")
    done = place.run("data", "deidentify", "in", "out")
    assert done.returncode == 1
    assert done.stdout.startswith("a: P")
    assert "b: is no single grey image: its pixels are PALETTE COLOR." in done.stdout
    assert "1 copied, 1 refused, 1 that are no images left out." in done.stdout
    assert "1 images were not copied" in done.stderr
    assert (tmp_path / "out.key").exists()
