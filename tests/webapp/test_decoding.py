"""What becomes of files that are taken: the pixels that `readers.read` sees, and what is said."""

import gzip
import io
import json
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from radzoo.errors import DataError, FilmRefused
from radzoo.preprocessing import readers
from radzoo.webapp.decoding import decode, label
from radzoo.webapp.wording import LANGUAGES, say

RAMP = np.add.outer(np.arange(96), np.arange(80)).astype(np.uint8)  # 0 to 174
WIDE = (RAMP * np.uint16(300)).astype(np.uint16)


@pytest.fixture
def film(tmp_path):
    """Decodes a picture, an array, or a path into tmp_path/out."""

    def make(source, kind="PNG", keep_identifiers=False, **options):
        path = tmp_path / "upload"
        if hasattr(source, "save_as"):
            source.save_as(path, enforce_file_format=True)
        else:
            image = source if isinstance(source, Image.Image) else Image.fromarray(source)
            image.save(path, kind, **options)
        return decode(path, tmp_path / "out", keep_identifiers)

    return make


def shown(folder, facts):
    depth = {8: "u1", 16: "<u2"}[facts["depth"]]
    raw = gzip.decompress((folder / "pixels.gz").read_bytes())
    return np.frombuffer(raw, depth).reshape(facts["shown_rows"], facts["shown_columns"])


def dicom(array, **tags):
    """A chest radiograph in DICOM, with other tags as given."""
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.Modality, file.ViewPosition, file.BodyPartExamined = "DX", "PA", "CHEST"
    file.PatientOrientation = ["L", "F"]
    file.PhotometricInterpretation, file.SamplesPerPixel = "MONOCHROME2", 1
    file.Rows, file.Columns = array.shape
    file.BitsAllocated = file.BitsStored = 8 * array.dtype.itemsize
    file.PixelRepresentation = int(array.dtype.kind == "i")
    file.PixelData = array.tobytes()
    file["PixelData"].VR = "OW"
    for name, value in tags.items():
        setattr(file, name, value)
    file.HighBit = file.BitsStored - 1
    return file


def test_a_grey_png_keeps_its_values(film, tmp_path):
    facts, image = film(RAMP)
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), RAMP)
    np.testing.assert_array_equal(image, RAMP.astype(np.float32) / np.float32(255))
    assert image.dtype == np.float32
    assert facts == {
        **{"kind": "PNG", "rows": 96, "columns": 80, "shown_rows": 96, "shown_columns": 80},
        **{"bits": 8, "depth": 8, "highest": 174, "orientation": None, "identified": False},
        **dict.fromkeys(("modality", "view", "body_part", "age", "sex", "study_date"), ""),
        **{"photometric": "", "burned_in": "", "notes": ["cut_levels"]},
        # 77 of 7680 pixels are 1 %: of values 0 to 11 there are 78; at most 38 are above 0.5 %
        **{"window": [(11 + 166) / 2, 166.0 - 11.0]},
    }
    with Image.open(tmp_path / "out" / "film.png") as kept:
        assert (kept.mode, kept.info) == ("L", {})


def test_sixteen_bits_stay_sixteen(film, tmp_path):
    facts, _ = film(WIDE)
    assert (facts["bits"], facts["depth"], facts["highest"], facts["notes"]) == (16, 16, 52_200, [])
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), WIDE)
    with Image.open(tmp_path / "out" / "film.png") as kept:
        np.testing.assert_array_equal(np.asarray(kept), WIDE)


def test_every_value_of_sixteen_bits_survives(film, tmp_path):
    every = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
    facts, _ = film(every)
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), every)


def test_colour_becomes_luminance(film, tmp_path):
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:20, :, 0], picture[20:, :, 1] = 255, 255
    facts, _ = film(picture)
    values = shown(tmp_path / "out", facts)
    assert (values[0, 0], values[39, 0]) == (76, 150)  # 0.299 and 0.587 of 255
    assert facts["notes"][:1] == ["colour"]


@pytest.mark.parametrize(
    ("mode", "notes"),
    [
        ("RGBA", ["colour", "transparent", "cut_levels"]),
        ("LA", ["transparent", "cut_levels"]),
        ("P", ["palette", "cut_levels"]),
        ("1", ["cut_levels", "clipped"]),
    ],
)
def test_what_a_picture_was_is_said(film, tmp_path, mode, notes):
    facts, image = film(Image.fromarray(RAMP).convert(mode))
    assert facts["notes"] == notes
    np.testing.assert_array_equal(readers.read(tmp_path / "out" / "film.png"), image)


def test_a_palette_with_transparency_is_taken(film):
    picture = Image.fromarray(RAMP).convert("P")
    facts, _ = film(picture, transparency=bytes(range(256)))
    assert facts["notes"] == ["palette", "transparent", "cut_levels"]


TURNS = {  # what brings the picture upright, by the EXIF standard
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].T,
    8: np.rot90,
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_held_otherwise_is_turned_upright(film, tmp_path, kind, orientation):
    corner = np.zeros((64, 48), np.uint8)
    corner[:16, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    facts, image = film(corner, kind, exif=exif)
    upright = TURNS[orientation](corner)
    np.testing.assert_allclose(shown(tmp_path / "out", facts), upright, atol=4)
    assert image.shape == (facts["rows"], facts["columns"]) == upright.shape
    assert ("turned" in facts["notes"]) == (orientation != 1)
    np.testing.assert_array_equal(readers.read(tmp_path / "out" / "film.png"), image)


def test_interlaced_and_shallow_pngs_are_whole(film, tmp_path):
    for size in ((33, 47), (40, 32), (96, 80)):
        for mode in ("L", "RGB", "1", "P"):
            picture = Image.fromarray(np.resize(RAMP, size)).convert(mode)
            _, image = film(picture, interlace=1, bits=4)
            np.testing.assert_array_equal(readers.read(tmp_path / "upload"), image)


def test_a_large_film_is_shown_smaller_by_area(film, tmp_path):
    small = np.add.outer(np.arange(2048) % 7, np.arange(1024) % 5).astype(np.uint8) * 10
    blocks = np.repeat(np.repeat(small, 2, 0), 2, 1)
    facts, image = film(blocks)
    assert (facts["rows"], facts["columns"]) == image.shape == (4096, 2048)
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), small)


@pytest.mark.parametrize(("size", "small"), [((600, 400), (160, 107)), ((90, 60), (90, 60))])
def test_thumbnails_are_small_and_windowed(film, tmp_path, size, small):
    picture = np.full(size, 100, np.uint8)
    picture[: size[0] // 2] = 110
    film(picture)
    with Image.open(tmp_path / "out" / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size[::-1] == small
        values = np.asarray(thumbnail)
    assert values[:10].min() > 245  # 100 to 110 became the whole scale
    assert values[-10:].max() < 10


def test_exposure_is_said(film):
    white = np.where(np.arange(6400).reshape(80, 80) < 400, 255, RAMP[:80] + 1).astype(np.uint8)
    assert "clipped" in film(white)[0]["notes"]  # 400 of 6400 are 6 %
    assert film(RAMP // 3)[0]["notes"] == ["cut_levels", "dark"]  # 58 of 255


def test_monochrome1_is_turned_bone_white(film, tmp_path):
    values = WIDE // 16  # 0 to 3262
    facts, image = film(
        dicom(
            values,
            BitsStored=12,
            PhotometricInterpretation="MONOCHROME1",
            WindowCenter="1000",
            WindowWidth="2000",
        )
    )
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), 4095 - values)
    assert facts["window"] == [3095.0, 2000.0]
    assert (facts["bits"], facts["depth"], facts["highest"]) == (12, 16, 4095)
    assert facts["notes"] == ["inverted"]
    assert image[0, 0] == 1


@pytest.mark.parametrize(
    ("slope", "intercept", "centre", "expected"),
    [
        ("1", "-1024", "40", 40 + 1024 + 32_768),  # HU; 0 is what -32768 means
        ("0.5", "0", "100", 200 + 32_768),  # in steps of the detector
        ("-1", "0", "0", 32_767),  # the greatest stored value means the least
    ],
)
def test_rescaled_values_are_shown_in_steps(film, tmp_path, slope, intercept, centre, expected):
    stored = WIDE.astype(np.int16) // 30
    facts, _ = film(
        dicom(
            stored,
            Modality="CT",
            RescaleSlope=slope,
            RescaleIntercept=intercept,
            WindowCenter=centre,
            WindowWidth="400",
        )
    )
    wide = stored.astype(int)
    values = 32_767 - wide if slope == "-1" else wide + 32_768
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), values)
    assert facts["window"] == [expected, 800.0 if slope == "0.5" else 400.0]


def test_a_modality_lut_is_applied_before_it_is_shown(film, tmp_path):
    item = pydicom.Dataset()
    item.LUTDescriptor = [256, 0, 16]
    item.LUTData = [(n * 256) for n in range(256)]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    facts, image = film(dicom(RAMP, ModalityLUTSequence=[item]))
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), RAMP.astype(int) * 256)
    np.testing.assert_array_equal(readers.read(tmp_path / "upload"), image)


def test_thirty_two_bits_are_brought_to_sixteen(film, tmp_path):
    facts, _ = film(dicom(RAMP.astype(np.uint32) << 24))
    expected = np.rint((RAMP.astype(float) * 2**24) * 65_535 / (2**32 - 1))
    np.testing.assert_array_equal(shown(tmp_path / "out", facts), expected)


@pytest.mark.parametrize("width", ["0", "-5", ""])
def test_a_window_that_is_none_is_made_of_the_values(film, width):
    facts, _ = film(dicom(WIDE, Modality="CT", WindowCenter="5", WindowWidth=width))
    assert facts["window"] == [88.5 * 300, 155.0 * 300]


def test_a_window_beside_all_values_is_not_used(film):
    facts, _ = film(dicom(WIDE, Modality="CT", WindowCenter="60000", WindowWidth="10"))
    assert facts["window"] == [88.5 * 300, 155.0 * 300]


HOUNSFIELD = {"RescaleSlope": "0.03", "RescaleIntercept": "-1000"}  # to 566, 2.5 % above 400


@pytest.mark.parametrize(
    ("tags", "notes"),
    [
        ({}, []),
        ({"ViewPosition": "LL"}, ["lateral"]),
        ({"ViewPosition": ""}, ["view_unknown"]),
        ({"ViewPosition": "LLD"}, ["view_unknown"]),
        ({"PatientOrientation": ""}, ["orientation_unknown"]),
        ({"BodyPartExamined": "KNEE"}, ["not_chest"]),
        ({"Modality": "CT", "ViewPosition": "", **HOUNSFIELD}, []),
        ({"Modality": "MR"}, ["not_radiograph"]),
        ({"Modality": "US"}, ["burned_in", "not_radiograph"]),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, ["not_radiograph"]),
        ({"BurnedInAnnotation": "YES"}, ["burned_in"]),
        ({"ConversionType": "WSD"}, ["burned_in"]),
        ({"LossyImageCompression": "01"}, ["lossy"]),
    ],
)
def test_what_a_reader_should_know_is_noted(film, tags, notes):
    facts, _ = film(dicom(WIDE, **tags))
    assert facts["notes"] == notes
    for code in facts["notes"]:
        assert all(len(say(language, f"film.{code}")) > 20 for language in LANGUAGES)


SHIPPED = sorted((Path(pydicom.data.__file__).parent / "test_files").glob("*.dcm"))


@pytest.mark.parametrize("keep_identifiers", [False, True])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_files_of_pydicom_keep_their_pixels_or_are_refused(tmp_path, path, keep_identifiers):
    try:
        facts, image = decode(path, tmp_path / "out", keep_identifiers)
    except FilmRefused as refused:
        for language in LANGUAGES:
            say(language, f"refused.{refused.code}", **refused.values)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, of headers that are not tidy
        np.testing.assert_array_equal(readers.read(path), image)
        np.testing.assert_array_equal(readers.read(tmp_path / "out" / "film.dcm"), image)
    assert json.loads((tmp_path / "out" / "header.json").read_text()).get("7FE00010") is None
    assert json.loads(json.dumps(facts)) == facts


def test_real_films_keep_their_pixels(real_data, tmp_path):
    films = [*sorted(real_data.glob("dicom/c*/*.dcm")), *sorted(real_data.glob("nih1024/*"))[:2]]
    taken = 0
    for place, path in enumerate([*films, *sorted(real_data.glob("covid/*"))[:20]]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = readers.read(path)
                _, image = decode(path, tmp_path / str(place), False)
            except DataError:
                continue
            (kept,) = (tmp_path / str(place)).glob("film.*")
            np.testing.assert_array_equal(readers.read(kept), expected)
            np.testing.assert_array_equal(image, expected)
        taken += 1
    assert taken >= 40


def test_a_preamble_is_not_kept(tmp_path):
    file = io.BytesIO()
    dicom(WIDE).save_as(file, enforce_file_format=True)
    (tmp_path / "upload").write_bytes(b"MZ" * 64 + file.getvalue()[128:])
    for keep_identifiers in (False, True):
        decode(tmp_path / "upload", tmp_path / "out", keep_identifiers)
        assert (tmp_path / "out" / "film.dcm").read_bytes()[:132] == bytes(128) + b"DICM"


@pytest.mark.parametrize(
    ("name", "shown_name"),
    [
        ("torax.png", "torax.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\tórax 1.dcm", "tórax 1.dcm"),
        ("torax\u202egnp.exe", "toraxgnp.exe"),
        ("a\0b\nc\u2028d\x7f\u200b.png", "abcd.png"),
        ("\ud800x.png", "x.png"),
        ('"><img src=x onerror=alert(1)>', '"><img src=x onerror=alert(1)>'),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("a/", "unnamed"),
        (" \t\u202e ", "unnamed"),
        ("n" * 300 + ".png", "n" * 60 + "…" + "n" * 55 + ".png"),
    ],
)
def test_a_name_is_shown_without_tricks(name, shown_name):
    assert label(name) == shown_name
    assert len(label(name)) <= 120
