import io
import shutil
import subprocess
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from radzoo.version import __version__
from radzoo.webapp.exports import dicom, picture

WEIGHTS = "0123456789ab" + "c" * 52
CR = "1.2.840.10008.5.1.4.1.1.1"


@pytest.fixture
def header():
    """Of a DICOM file in Latin-1, written and read, so that its name is bytes as from a scanner."""
    film = pydicom.Dataset()
    film.SpecificCharacterSet = "ISO_IR 100"
    film.SOPClassUID, film.SOPInstanceUID = CR, "1.2.3.4.5"
    film.StudyInstanceUID, film.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    film.PatientName, film.PatientID, film.PatientSex = "Núñez^José", "p-1", "O"
    film.StudyDate, film.StudyTime, film.AccessionNumber = "20260102", "101112", "A7"
    film.StudyDescription = "Tórax"
    film.file_meta = pydicom.dataset.FileMetaDataset()
    film.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = io.BytesIO()
    film.save_as(file, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(file.getvalue()))


def unpacked(result):
    with zipfile.ZipFile(io.BytesIO(dicom.archive(result))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def read(data):
    return pydicom.dcmread(io.BytesIO(data))


def walked(item):
    """Content items of a report as (name, value), depth first."""
    for child in item.get("ContentSequence", []):
        name = child.ConceptNameCodeSequence[0].CodeMeaning
        if child.ValueType == "NUM":
            yield name, float(child.MeasuredValueSequence[0].NumericValue)
        elif child.ValueType == "CODE":
            yield name, child.ConceptCodeSequence[0].CodeMeaning
        elif child.ValueType == "IMAGE":
            yield name, child.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        else:
            yield name, child.get("TextValue") or child.get("UID")
        yield from walked(child)


def said(result):
    return dict(walked(read(unpacked(result)["report.dcm"])))


def test_an_archive_holds_a_capture_a_class_and_a_report(make, header):
    files = unpacked(make(header=header))
    assert list(files) == ["heatmap-0.dcm", "heatmap-1.dcm", "report.dcm", "README.txt"]
    assert "TID 1500" in files["README.txt"].decode()


@pytest.mark.parametrize("lost", ["all", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
def test_without_a_film_to_refer_to_there_is_no_report_and_it_is_said_why(make, header, lost):
    if lost != "all":
        delattr(header, lost)
    files = unpacked(make(header=None if lost == "all" else header, language="es"))
    assert list(files) == ["heatmap-0.dcm", "heatmap-1.dcm", "README.txt"]
    assert "No hay informe estructurado" in files["README.txt"].decode()
    assert "SourceImageSequence" not in read(files["heatmap-0.dcm"])


def test_all_that_is_made_of_a_picture_file_is_in_one_study(make):
    first, second = (
        read(unpacked(make(note=note))["heatmap-1.dcm"]) for note in ("", "read again")
    )
    other = read(unpacked(make(upload="a" * 64))["heatmap-1.dcm"])
    assert first.StudyInstanceUID == second.StudyInstanceUID != other.StudyInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.PatientName == ""
    assert first.PatientID == ""


def test_a_capture_has_the_pixels_of_the_captioned_picture(make, header):
    result = make(header=header)
    files = unpacked(result)
    for label in (0, 1):
        image = read(files[f"heatmap-{label}.dcm"])
        np.testing.assert_array_equal(image.pixel_array, picture.captioned(result, label, 1024))


@pytest.mark.parametrize("shape", [(480, 400), (2000, 300), (300, 2000), (64, 64)])
def test_no_side_of_a_capture_is_longer_than_1024(make, shape, phantom):
    image = read(unpacked(make(picture=phantom(*shape)))["heatmap-0.dcm"])
    assert max(image.Rows, image.Columns) <= 1024


def test_a_capture_says_what_it_is(make, header):
    files = unpacked(make(header=header))
    images = [read(files[f"heatmap-{label}.dcm"]) for label in (0, 1)]
    for image in images:
        assert image.SOPClassUID.name == "Secondary Capture Image Storage"
        assert image.SeriesDescription.startswith("RESEARCH USE ONLY")
        assert image.BurnedInAnnotation == "YES"  # the file's name, which may be the patient's
        assert "PatientIdentityRemoved" not in image
        assert image.Manufacturer == "radzoo"
        assert image.SoftwareVersions == __version__
        assert image.ManufacturerModelName == "Baseline CNN"
        assert image.DeviceSerialNumber == WEIGHTS
        assert image.ContentDate == "20261122"
        for fact in ("threshold 0.400000", "tensorflow-cpu-1a2b3c4d", WEIGHTS):
            assert fact in image.DerivationDescription
        assert "Research use only" in image.ImageComments
    assert "probability 0.633900" in images[1].DerivationDescription
    assert images[0].SeriesInstanceUID == images[1].SeriesInstanceUID
    assert images[0].SOPInstanceUID != images[1].SOPInstanceUID


def test_captures_and_report_are_of_the_films_patient_and_study(make, header):
    files = unpacked(make(header=header))
    for name in ("heatmap-0.dcm", "heatmap-1.dcm", "report.dcm"):
        made = read(files[name])
        assert str(made.PatientName) == "Núñez^José"
        assert made.PatientID == "p-1"
        assert made.PatientSex == "O"
        assert made.StudyInstanceUID == "1.2.3"
        assert made.StudyDate == "20260102"
        assert made.AccessionNumber == "A7"
        assert made.StudyDescription == "Tórax"
        assert made.SeriesInstanceUID != "1.2.3.4"


def test_orientation_and_what_was_lost_are_those_of_the_film(make, header):
    header.LossyImageCompression = "01"
    known = read(unpacked(make(header=header, orientation=("P", "F")))["heatmap-0.dcm"])
    assert list(known.PatientOrientation) == ["P", "F"]
    assert known.LossyImageCompression == "01"
    unknown = read(unpacked(make(orientation=None))["heatmap-0.dcm"])
    assert not unknown.PatientOrientation
    assert "LossyImageCompression" not in unknown


def test_a_report_holds_the_numbers_and_is_not_verified(make, header):
    result = make(header=header)
    report = read(unpacked(result)["report.dcm"])
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert report.SeriesDescription.startswith("RESEARCH USE ONLY")
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    cited = evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert cited.ReferencedSOPInstanceUID == "1.2.3.4.5"
    items = dict(walked(report))
    assert items["Raw score of the positive class, not calibrated"] == 0.6339
    assert items["Calibrated probability of the positive class"] == 0.412
    assert items["Decision threshold of the raw score"] == 0.4
    assert items["Side of the decision threshold"] == "Above threshold"
    assert items["Model decision in words"] == "Above the threshold."
    assert items["SHA-256 of the model weights"] == WEIGHTS
    assert items["Algorithm Version"] == "tensorflow-cpu-1a2b3c4d"
    assert items["Reading by a doctor"] == "Uncertain · read on 2026-11-22 20:15 UTC"
    assert items["Note by a doctor"] == "Opacity at the right base."
    assert items["Source of Measurement"] == "1.2.3.4.5"
    assert items["Use of these results"].startswith("RESEARCH USE ONLY")


def test_a_report_below_the_threshold_says_that_it_rules_nothing_out(make, header):
    changes = {"probabilities": (0.7, 0.3), "verdict": None, "note": "", "calibrated": None}
    items = said(make(header=header, **changes))
    assert items["Side of the decision threshold"] == "Below threshold"
    assert items["Model decision in words"] == "Below the threshold. Does not rule out disease."
    assert "Calibrated probability of the positive class" not in items
    assert "Reading by a doctor" not in items
    assert "Note by a doctor" not in items
    spanish = said(make(header=header, language="es", **changes))
    assert spanish["Model decision in words"].endswith("No descarta enfermedad.")
    assert spanish["Language of Content Item and Descendants"] == "Spanish"


def test_synthetic_training_is_said(make, header):
    result = make(header=header, model=replace(make().model, synthetic=True))
    assert "trained on synthetic images" in said(result)["Use of these results"]
    assert "trained on synthetic images" in unpacked(result)["README.txt"].decode()


def test_the_same_result_gives_the_same_bytes(make, header):
    result = make(header=header)
    assert dicom.archive(result) == dicom.archive(result)


def test_a_header_that_breaks_the_rules_is_taken_for_what_it_is_worth(make, header):
    with warnings.catch_warnings(action="ignore"):
        header.PatientSex, header.PatientBirthDate, header.StudyTime = "X", "1950", "noon"
    header.PatientName = "ANON"  # highdicom warns of a name without a caret
    del header.StudyDate, header.PatientID
    files = unpacked(make(header=header))
    for name in ("heatmap-0.dcm", "report.dcm"):
        made = read(files[name])
        assert str(made.PatientName) == "ANON"
        assert not any((made.PatientSex, made.PatientBirthDate, made.StudyDate, made.StudyTime))


def test_hostile_text_is_text(make, header, hostile):
    title = "back\\slash & <b>" + "t" * 300
    model = replace(make().model, title=title)
    result = make(header=header, model=model, **hostile)
    files = unpacked(result)
    assert read(files["heatmap-0.dcm"]).ManufacturerModelName.startswith("back/slash & <b>")
    assert dict(walked(read(files["report.dcm"])))["Note by a doctor"].startswith("<script>")


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dsrdump of dcmtk is not installed")
def test_dcmtk_reads_the_report(make, header, tmp_path):
    (tmp_path / "report.dcm").write_bytes(unpacked(make(header=header))["report.dcm"])
    command = ["dsrdump", "+U8", "+Pl", str(tmp_path / "report.dcm")]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    for fact in ("Comprehensive SR", "UNVERIFIED", '="0.6339"', "Núñez^José", WEIGHTS):
        assert fact in found.stdout


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmdump of dcmtk is not installed")
def test_dcmtk_reads_the_captures(make, header, tmp_path):
    (tmp_path / "image.dcm").write_bytes(unpacked(make(header=header))["heatmap-1.dcm"])
    command = ["dcmdump", "+U8", "+L", str(tmp_path / "image.dcm")]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    for fact in ("SecondaryCapture", "RESEARCH USE ONLY", "[YES]", "Núñez^José", "SourceImage"):
        assert fact in found.stdout
    assert not found.stderr
