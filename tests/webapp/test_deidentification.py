"""Nothing that a header says of a patient, a place or a day is found again in what is kept."""

import io
import json
import struct
import warnings

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.datadict import DicomDictionary
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit

from radzoo.webapp.decoding import decode

PIXELS = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint16)
DATE, TIME, NUMBER, FLOAT, UID = "19390722", "093742.1379", 48_879, 1234.5625, "1.2.826.0.1.97531"
SHORT = {  # a recognisable value of each VR that is no text
    **{"DA": DATE, "TM": TIME, "DT": DATE + TIME, "UI": UID + ".{}", "UR": "http://SECRET/{}"},
    **{"AS": "087Y", "IS": "4887913", "DS": "31415.926", "AT": 0xBEEFBEEF},
    **{"FL": FLOAT, "FD": FLOAT, "OF": struct.pack("<f", FLOAT), "OD": struct.pack("<d", FLOAT)},
    **{"US": NUMBER, "UL": NUMBER * 65_537, "SS": 0x5EED, "SL": 0x5EED5EED},
    **{"SV": 0x5EED5EED5EED5EED, "UV": 0x5EED5EED5EED5EED},
    **dict.fromkeys(("OB", "OW", "OL", "OV", "UN"), b"SECRETSECRETSECR"),
}
TELLTALE = (
    *(b"SECRET", b"Secret", DATE.encode(), TIME.encode(), UID.encode(), b"4887913", b"31415.926"),
    *(struct.pack("<f", FLOAT), struct.pack("<d", FLOAT), struct.pack("<I", 0x5EED5EED)),
    *(struct.pack("<I", NUMBER * 65_537), struct.pack("<I", 0xBEEFBEEF), b"087Y"),
)
SHOWING = {  # what a picture cannot be shown without, and what groups are no part of a header
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Modality"),
    *("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "VOILUTFunction"),
    *("ModalityLUTSequence", "VOILUTSequence", "SpecificCharacterSet"),
}


def value_of(vr, number):
    """A recognisable one; ambiguous VRs are tried as their first."""
    kind = vr[:2]
    value = SHORT.get(kind, f"SECRET{number:05d}")
    return value.format(number) if isinstance(value, str) else value


def fill(file, depth):
    """Put a recognisable value into every element of the standard, sequences to a depth."""
    for number, (tag, (vr, _, _, _, keyword)) in enumerate(DicomDictionary.items()):
        group = tag >> 16
        if group in (0x0000, 0x0002, 0x0004, 0xFFFE, 0x7FE0, 0xFFFC) or tag & 0xFFFF == 0:
            continue
        if keyword in SHOWING or not keyword:
            continue
        if vr == "SQ":
            if depth:
                item = pydicom.Dataset()
                item.PatientName, item.PatientID = f"Secret^{number}", f"SECRET{number}"
                item.add_new(0x00091001, "LO", "SECRET private in a sequence")
                item.add_new(0x00090010, "LO", "SECRET MAKER")
                if keyword == "RequestAttributesSequence":
                    fill(item, depth - 1)
                file.add_new(tag, "SQ", [item])
            continue
        file.add_new(tag, vr[:2], value_of(vr, number))


@pytest.fixture(scope="module")
def named():
    """A radiograph in whose header every element tells something."""
    file = pydicom.Dataset()
    fill(file, depth=3)
    block = file.private_block(0x0019, "SECRET MAKER", create=True)
    for number, vr in enumerate(("LO", "PN", "UN", "OB", "ST", "UI", "DA", "FD")):
        block.add_new(number, vr, value_of(vr, number))
    nested = pydicom.Dataset()
    nested.PatientName = "Secret^Within"
    block.add_new(0x20, "SQ", [nested])
    file.add_new(0x60003000, "OW", b"SECRETSECRET")  # an overlay
    file.add_new(0x60000022, "LO", "SECRET overlay")
    _add_picture(file)
    file.file_meta.SourceApplicationEntityTitle = "SECRETAE"
    file.file_meta.PrivateInformationCreatorUID = UID
    file.file_meta.PrivateInformation = b"SECRET"
    file.preamble = b"SECRET" + bytes(122)
    return file


@pytest.fixture
def plain():
    """A radiograph with a short header, to be changed."""
    file = pydicom.Dataset()
    _add_picture(file)
    file.StudyDate, file.InstitutionName = DATE, "SECRET"
    return file


def _add_picture(file):
    file.PatientName, file.PatientID, file.PatientSex = "Secret^Ana", "SECRET-1", "F"
    file.ViewPosition, file.PatientOrientation = "PA", ["L", "F"]
    file.WindowCenter, file.WindowWidth = "64", "128"
    file.Modality, file.PhotometricInterpretation, file.SamplesPerPixel = "DX", "MONOCHROME2", 1
    file.Rows, file.Columns = PIXELS.shape
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
    file.PixelRepresentation = 0
    file.PixelData = PIXELS.tobytes() + b"SECRETSECRET"  # longer than the picture
    file["PixelData"].VR = "OW"
    file.SOPClassUID = pydicom.uid.CTImageStorage
    file.SOPInstanceUID = UID + ".9"
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def kept(folder, file, keep_identifiers=False):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.save_as(folder / "upload", enforce_file_format=True)
    facts, _ = decode(folder / "upload", folder / "out", keep_identifiers)
    return facts


def test_no_element_of_a_header_is_found_again(tmp_path, named):
    facts = kept(tmp_path, named)
    assert len(named) > 3000
    source = (tmp_path / "upload").read_bytes()
    assert all(telltale in source for telltale in TELLTALE)
    told = json.dumps(facts, ensure_ascii=False).encode()
    for name in ("film.dcm", "header.json"):
        data = (tmp_path / "out" / name).read_bytes()
        assert [one for one in TELLTALE if one in data] == []
    assert [one for one in TELLTALE if one in told] == []


def test_only_what_shows_a_film_is_kept(tmp_path, named):
    kept(tmp_path, named)
    film = pydicom.dcmread(tmp_path / "out" / "film.dcm")
    assert not any(element.tag.is_private for element in film.iterall())
    assert (film.PatientName, film.PatientID) == ("ANONYMIZED", "ANONYMIZED")
    assert (film.ViewPosition, list(film.PatientOrientation)) == ("PA", ["L", "F"])
    assert (film.PatientSex, film.AccessionNumber, film.StudyID) == ("", "", "")
    assert film.PatientIdentityRemoved == "YES"
    assert film.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert "PatientAge" not in film
    assert len(film) < 45
    header = json.loads((tmp_path / "out" / "header.json").read_text())
    assert header["00185101"]["Value"] == ["PA"]
    assert "7FE00010" not in header


def test_uids_are_new_every_time_and_agree_within_a_file(tmp_path, named):
    seen = set()
    for _ in range(2):
        kept(tmp_path, named)
        film = pydicom.dcmread(tmp_path / "out" / "film.dcm")
        assert film.file_meta.MediaStorageSOPInstanceUID == film.SOPInstanceUID
        seen |= {film.SOPInstanceUID, film.StudyInstanceUID, film.SeriesInstanceUID}
    assert len(seen) == 6
    assert all(uid.startswith("2.25.") for uid in seen)


@pytest.mark.parametrize(
    ("age", "told", "with_identifiers"),
    [
        ("045Y", "45", "45"),
        ("089Y", "89", "89"),
        ("090Y", "90+", "90"),
        ("104Y", "90+", "104"),
        ("007M", "7M", "7M"),
        ("62", "62", "62"),
        ("SECRET", "", ""),
    ],
)
def test_age_and_sex_are_told_on_screen_only(tmp_path, plain, age, told, with_identifiers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ages that pydicom would not write
        plain.PatientAge = age
    facts = kept(tmp_path, plain)
    assert (facts["age"], facts["sex"], facts["study_date"]) == (told, "F", "")
    assert facts["identified"] is False
    facts = kept(tmp_path, plain, keep_identifiers=True)
    assert (facts["age"], facts["study_date"]) == (with_identifiers, DATE)
    assert facts["identified"] is True


def test_a_code_that_the_standard_does_not_know_is_not_told(tmp_path, plain):
    codes = ("BodyPartExamined", "ImageLaterality", "BurnedInAnnotation", "LossyImageCompression")
    for name in codes:
        setattr(plain, name, "SECRET")
    facts = kept(tmp_path, plain)
    assert (facts["body_part"], facts["burned_in"]) == ("", "")
    assert b"SECRET" not in (tmp_path / "out" / "film.dcm").read_bytes()


def test_identifiers_are_kept_where_that_is_asked_for(tmp_path, plain):
    kept(tmp_path, plain, keep_identifiers=True)
    film = pydicom.dcmread(tmp_path / "out" / "film.dcm")
    assert film.PatientName == "Secret^Ana"
    assert film.preamble == bytes(128)
    assert "Secret^Ana" in (tmp_path / "out" / "header.json").read_text()


def test_a_comment_in_a_compressed_picture_is_not_kept(tmp_path, plain):
    stream = io.BytesIO()
    Image.fromarray(PIXELS.astype(np.uint8)).save(stream, "JPEG", comment=b"SECRET")
    frame = stream.getvalue()
    file = pydicom.dcmread(io.BytesIO(_bytes(plain)))
    file.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit = 7
    file.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
    file["PixelData"].VR, file["PixelData"].is_undefined_length = "OB", True
    kept(tmp_path, file)
    assert b"SECRET" not in (tmp_path / "out" / "film.dcm").read_bytes()


def test_a_big_endian_header_is_blanked_too(tmp_path, plain):
    plain.PixelData = PIXELS.astype(">u2").tobytes()
    plain.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    kept(tmp_path, plain)
    data = (tmp_path / "out" / "film.dcm").read_bytes()
    assert not any(telltale in data for telltale in TELLTALE)


def _bytes(file):
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()
