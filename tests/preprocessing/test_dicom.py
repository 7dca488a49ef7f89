"""DICOM: each case with pixels worked out by hand, real files, and dcmtk as another reader."""

import re
import shutil
import subprocess
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from radzoo.errors import DataError
from radzoo.preprocessing import dicom, dicom_grey, readers

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")

from pydicom import uid  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.pixels import compress, get_decoder  # noqa: E402

NEEDED = (uid.JPEG2000, uid.JPEGLSLossless, uid.JPEGExtended12Bit)
pytestmark = pytest.mark.skipif(
    not all(get_decoder(syntax).is_available for syntax in NEEDED),
    reason="decoders are missing: pip install 'radzoo[dicom]'",
)


@pytest.fixture
def read(tmp_path, write_dicom):
    """Reads stored numbers with tags: pixels and what was done."""

    def make(stored, dtype=np.uint16, frame=None, **tags):
        return dicom.read(write_dicom(tmp_path / "a", np.array(stored, dtype), **tags), frame)

    return make


def near(image, expected):
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, expected, atol=1e-6)


def lut(first, bits, *entries, vr="US"):
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first, bits])
    item.add_new("LUTData", "US", list(entries))
    return [item]


def test_without_a_window_all_that_the_bits_can_mean_is_shown(read):
    image, done = read([[0, 1023], [4092, 4095]], BitsStored=12)
    near(image, [[0, 1023 / 4095], [4092 / 4095, 1]])
    assert (done.by, done.ends, done.bits, done.modality_lut) == ("range", (0, 4095), 12, "none")


def test_signed_numbers_have_their_own_range(read):
    image, done = read([[-2048, -1, 0, 2047]], np.int16, BitsStored=12)
    near(image, [[0, 2047 / 4095, 2048 / 4095, 1]])
    assert done.signed


def test_eight_bits_are_divided_by_255(read):
    near(read([[0, 51, 255]], np.uint8)[0], [[0, 0.2, 1]])


def test_a_slope_moves_the_range_and_a_negative_one_turns_it(read):
    near(read([[0, 255]], np.uint8, RescaleSlope=2, RescaleIntercept=-7)[0], [[0, 1]])
    image, done = read([[0, 51, 255]], np.uint8, RescaleSlope=-1, RescaleIntercept=0)
    near(image, [[1, 0.8, 0]])
    assert (done.ends, done.modality_lut) == ((-255, 0), "rescale")


def test_the_linear_window_is_that_of_the_standard(read):
    # PS3.3 C.11.2.1.2.1: centre 100, width 11 is black to 94.5 and white above 104.5
    stored = [[94, 95, 99, 100, 104, 105]]
    image, done = read(stored, WindowCenter=100, WindowWidth=11)
    near(image, [[0, 0.05, 0.45, 0.55, 0.95, 1]])
    assert (done.by, done.ends) == ("LINEAR", (94.5, 104.5))


def test_the_narrowest_linear_window_is_a_step(read):
    near(read([[98, 99, 100, 101]], WindowCenter=100, WindowWidth=1)[0], [[0, 0, 1, 1]])


def test_linear_exact_takes_centre_and_width_at_their_word(read):
    tags = {"WindowCenter": 100, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT"}
    near(read([[95, 96, 100, 105, 106]], **tags)[0], [[0, 0.1, 0.5, 1, 1]])


def test_a_sigmoid_is_one_half_at_its_centre(read):
    tags = {"WindowCenter": 100, "WindowWidth": 40, "VOILUTFunction": "SIGMOID"}
    image, done = read([[0, 90, 100, 110, 65535]], **tags)
    logistic = 1 / (1 + np.exp(1))  # of -4 * 10 / 40
    near(image, [[1 / (1 + np.exp(10)), logistic, 0.5, 1 - logistic, 1]])
    assert done.by == "SIGMOID"


def test_a_window_is_in_values_after_the_slope(read):
    tags = {"WindowCenter": 50.5, "WindowWidth": 101, "RescaleSlope": 0.5, "RescaleIntercept": -10}
    near(read([[20, 120, 220]], **tags)[0], [[0, 0.5, 1]])


def test_the_first_of_several_windows_is_used(read):
    image, done = read([[0, 50, 100]], WindowCenter=[50.5, 900], WindowWidth=[101, 900])
    near(image, [[0, 0.5, 1]])
    assert done.ends == (0, 100)


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowWidth": 0, "WindowCenter": 5},
        {"WindowWidth": -3, "WindowCenter": 5},
        {"WindowWidth": 0.5, "WindowCenter": 5},
        {"WindowWidth": "", "WindowCenter": ""},
        {"WindowCenter": 5},
    ],
)
def test_a_window_that_the_standard_forbids_is_none(read, tags):
    image, done = read([[0, 255]], BitsStored=8, **tags)
    near(image, [[0, 1]])
    assert done.by == "range"


def test_a_window_beside_all_values_is_used_all_the_same(read):
    image, done = read([[0, 255]], WindowWidth=10, WindowCenter=60_000)
    near(image, [[0, 0]])
    assert done.by == "LINEAR"


def test_an_unknown_function_of_a_window_is_refused(read):
    with pytest.raises(DataError, match="VOILUTFunction is 'CUBIC', not LINEAR, LINEAR_EXACT or"):
        read([[0, 1]], WindowCenter=5, WindowWidth=9, VOILUTFunction="CUBIC")


def test_a_voi_table_goes_before_a_window_and_ends_in_its_ends(read):
    tags = {"VOILUTSequence": lut(10, 12, 0, 819, 4095), "WindowCenter": 1, "WindowWidth": 2}
    image, done = read([[0, 10, 11, 12, 999]], **tags)
    near(image, [[0, 0, 0.2, 1, 1]])
    assert (done.by, done.ends) == ("table", (10, 12))


@pytest.mark.parametrize("first", [("SS", -2), ("US", 65_534)])
def test_a_table_may_begin_below_zero(read, first):
    vr, value = first
    image, _ = read([[-9, -2, -1, 0, 5]], np.int16, VOILUTSequence=lut(value, 8, 0, 51, 255, vr=vr))
    near(image, [[0, 0, 0.2, 1, 1]])


def test_a_table_of_bytes_is_one(read):
    item = lut(0, 8, 0)[0]
    item.LUTDescriptor = [4, 0, 8]
    item.add_new("LUTData", "OW", bytes([0, 51, 102, 255]))
    near(read([[0, 1, 2, 3]], VOILUTSequence=[item])[0], [[0, 0.2, 0.4, 1]])


def test_a_modality_table_comes_before_the_window(read):
    table = lut(0, 12, 0, 1000, 4095)
    image, done = read([[0, 1, 2]], ModalityLUTSequence=table)
    near(image, [[0, 1000 / 4095, 1]])
    assert (done.modality_lut, done.ends) == ("table", (0, 4095))
    tags = {"WindowCenter": 1000.5, "WindowWidth": 2001}
    near(read([[0, 1, 2]], ModalityLUTSequence=table, **tags)[0], [[0, 0.5, 1]])


def test_a_table_that_is_shorter_than_it_says_is_refused(read):
    table = lut(0, 12, 0, 1, 2)
    table[0].LUTDescriptor = [9, 0, 12]
    with pytest.raises(DataError, match="LUTData has 3 values, LUTDescriptor says 9"):
        read([[0]], VOILUTSequence=table)


def test_monochrome1_is_turned_and_its_padding_stays_black(read):
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12}
    stored = [[0, 819, 4095, 4000]]
    near(read(stored, **tags)[0], [[1, 0.8, 0, 95 / 4095]])
    image, done = read(stored, **tags, PixelPaddingValue=("US", 0))
    near(image, [[0, 0.8, 0, 95 / 4095]])
    assert (done.inverted, done.padding) == (True, 1)
    tags["PixelPaddingRangeLimit"] = ("US", 819)
    image, done = read(stored, **tags, PixelPaddingValue=("US", 0))
    near(image, [[0, 0, 0, 95 / 4095]])
    assert done.padding == 2


def test_white_padding_of_monochrome2_becomes_black(read):
    image, _ = read([[0, 100, 65535]], PixelPaddingValue=("US", 65535), BitsStored=16)
    near(image, [[0, 100 / 65535, 0]])


@pytest.mark.parametrize("value", [("SS", -2000), ("US", 63_536)])
def test_padding_of_signed_pixels_may_be_written_without_sign(read, value):
    _, done = read([[-2000, -2000, 5]], np.int16, PixelPaddingValue=value)
    assert done.padding == 2


HU = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}


def test_ct_is_shown_in_hounsfield_units_whatever_its_window(read):
    stored = [[24, 724, 1424, 3000]]  # -1000, -300, 400, 1976 HU
    image, done = read(stored, **HU, WindowCenter=40, WindowWidth=400)
    near(image, [[0, 0.5, 1, 1]])
    assert (done.by, done.ends) == ("lung window", (-1000, 400))


def test_dense_is_white_in_ct_even_if_it_is_to_be_displayed_inverted(read):
    image, done = read([[24, 1424]], **HU, PhotometricInterpretation="MONOCHROME1")
    near(image, [[0, 1]])
    assert not done.inverted


@pytest.mark.parametrize(
    ("dtype", "tags", "by"),
    [
        (np.int16, {}, "lung window"),
        (np.uint16, {}, "range"),  # air of -1000 cannot be said without a sign
        (np.uint16, {"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US"}, "range"),
    ],
)
def test_ct_that_has_no_hounsfield_units_is_not_taken_for_it(read, dtype, tags, by):
    window = {"WindowCenter": 40, "WindowWidth": 400}  # of a CT, never used
    assert read([[0, 300]], dtype, Modality="CT", **window, **tags)[1].by == by


def test_what_stands_beside_the_stored_bits_is_cut_off(read):
    near(read([[0xF000, 0xF0FF]], BitsStored=8)[0], [[0, 1]])  # overlays once stood above
    near(read([[0x000F, 0x0FFF]], BitsStored=8, HighBit=11)[0], [[0, 1]])  # and below
    for high in (8, 9):  # 255 and, with its sign, -256
        stored = [[0x0FF << high - 8, 0x100 << high - 8]]
        near(read(stored, np.int16, BitsStored=9, HighBit=high)[0], [[1, 0]])


@pytest.mark.parametrize("slope", [0, "nan", ""])
def test_a_slope_that_makes_no_picture_is_refused(read, slope):
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(DataError, match=r"make no picture|cannot be decoded"),
    ):
        read([[0, 1]], RescaleSlope=slope, RescaleIntercept=1)


def test_a_frame_is_chosen_by_number(read):
    stored = [[[0, 1]], [[2, 3]], [[4, 5]]]
    tags = {"NumberOfFrames": 3, "BitsStored": 3}
    with pytest.raises(DataError, match=r"single grey image: 3 frames. Choose one: `frame`, 1 to"):
        read(stored, **tags)
    image, done = read(stored, frame=3, **tags)
    near(image, [[4 / 7, 5 / 7]])
    assert (done.frame, done.frames) == (3, 3)
    assert "frame 3 of 3" in str(done)
    with pytest.raises(DataError, match="has 3 frames; there is no frame 4"):
        read(stored, frame=4, **tags)


def test_a_frame_of_an_enhanced_object_has_its_own_window(read):
    each = []
    for centre in (1, 5):
        window, group = pydicom.Dataset(), pydicom.Dataset()
        window.WindowCenter, window.WindowWidth = centre, 3
        group.FrameVOILUTSequence = [window]
        each.append(group)
    tags = {"NumberOfFrames": 2, "PerFrameFunctionalGroupsSequence": each}
    image, done = read([[[0, 1]], [[4, 5]]], frame=2, **tags)
    near(image, [[0.25, 0.75]])
    assert done.ends == (3.5, 5.5)


def test_all_that_is_missing_is_told_at_once(read):
    with pytest.raises(DataError, match="lacks BitsStored, PhotometricInterpretation, without"):
        read([[0]], PhotometricInterpretation=None, BitsStored=None)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "its pixels are PALETTE COLOR"),
        ({"PixelData": None, "Modality": "SR"}, "holds no image: Digital X-Ray Image Storage"),
        ({"Modality": "RTDOSE"}, "holds no image"),
        ({"Rows": 3}, "is cut off: 4 of 12 bytes of its pixels are there"),
        ({"BitsStored": 17}, "is damaged: 17 of 16 bits are stored"),
        ({"Rows": 0}, "is damaged: 0 rows, 2 columns"),
        ({"Rows": 65_000, "Columns": 65_000}, "is cut off|too large"),
    ],
)
def test_what_is_no_grey_image_is_refused_with_the_reason(read, tags, reason):
    with pytest.raises(DataError, match=reason):
        read([[0, 1]], **tags)


def test_a_syntax_that_no_decoder_reads_is_named(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16))
    file = pydicom.dcmread(path)
    file.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.55"
    file.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    file["PixelData"].is_undefined_length = True
    file.save_as(path)
    with pytest.raises(DataError, match=r"is coded as JPEG Full Progression.* dcmdjpeg"):
        dicom.read(path)


def test_a_file_without_its_head_says_how_to_mend_it(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16))
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\x08\x00\x16\x00") :])
    with pytest.raises(DataError, match=r"DICOM without its preamble .* dcmconv"):
        readers.read(path)


RAMP = (np.arange(32 * 48).reshape(32, 48) * 2).astype(np.uint16)  # 0 to 3070


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ImplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.RLELossless,
        uid.JPEGLSLossless,
        uid.JPEG2000Lossless,
    ],
)
def test_a_lossless_syntax_changes_no_pixel(tmp_path, write_dicom, syntax):
    path = write_dicom(tmp_path / "a", RAMP, BitsStored=12)
    file = pydicom.dcmread(path)
    if syntax in (uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.RLELossless):
        try:
            compress(file, syntax, generate_instance_uid=False)
        except RuntimeError as error:
            pytest.skip(f"no encoder: {error}")
    file.file_meta.TransferSyntaxUID = syntax
    file.save_as(path, enforce_file_format=True)
    image, done = dicom.read(path)
    near(image, RAMP / 4095)
    assert (done.transfer_syntax, done.lossy) == (syntax.name, False)


def test_jpeg_is_lossy_whatever_the_header_says(tmp_path, write_dicom):
    import io

    from PIL import Image

    picture, stream = np.repeat([[40], [200]], 16, 0).repeat(16, 1).astype(np.uint8), io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=95)
    path = write_dicom(tmp_path / "a", picture)
    file = pydicom.dcmread(path)
    file.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    frame = stream.getvalue()
    file.PixelData = encapsulate([frame + bytes(len(frame) % 2)])
    file["PixelData"].VR, file["PixelData"].is_undefined_length = "OB", True
    file.save_as(path)
    image, done = dicom.read(path)
    np.testing.assert_allclose(image, picture / 255, atol=2 / 255)
    assert done.lossy


def test_tags_are_told_and_nonsense_is_missing(read):
    view = pydicom.Dataset()
    view.CodeMeaning = "postero-anterior"
    tags = {
        **{"PatientID": " A7 ", "PatientAge": "018M", "PatientSex": "F", "StudyDate": "20200229"},
        **{"ViewCodeSequence": [view], "ImageLaterality": "U", "BodyPartExamined": "CHEST"},
        **{"ImagerPixelSpacing": [0.2, 0.1], "BurnedInAnnotation": "YES", "SOPInstanceUID": "1.2"},
    }
    known = read([[0, 1]], **tags)[1].tags
    assert known == (
        *("A7", "PA", 1.5, "F", "2020-02-29", "DX", "CHEST", "U", (0.2, 0.1), True, "1.2"),
    )
    with warnings.catch_warnings(action="ignore"):
        tags = {"PatientAge": "x", "PatientSex": "male", "StudyDate": "20210229"}
        odd = read([[0, 1]], **tags, PixelSpacing=[0, 0])[1].tags
    assert (odd.patient, odd.view, odd.age, odd.sex, odd.study_date) == (None,) * 5
    assert (odd.laterality, odd.spacing_mm, odd.burned_in) == (None,) * 3


@pytest.mark.parametrize(
    ("tags", "years"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientAge": "62"}, 62),
        ({"PatientAge": "121Y"}, None),
        ({"PatientBirthDate": "20000101", "StudyDate": "20100101"}, 3653 / 365.25),
        ({"PatientBirthDate": "20100101", "StudyDate": "20000101"}, None),
        ({"PatientBirthDate": "20000101"}, None),
    ],
)
def test_age_is_in_years_or_from_the_dates(read, tags, years):
    with warnings.catch_warnings(action="ignore"):
        age = read([[0]], **tags)[1].tags.age
    assert age == pytest.approx(years)


def test_any_damage_is_a_reason_and_no_crash(tmp_path, write_dicom):
    tags = {"WindowCenter": 5, "WindowWidth": 9, "VOILUTSequence": lut(0, 8, 0, 255)}
    path = write_dicom(tmp_path / "a", RAMP[:4, :4].copy(), PatientAge="045Y", **tags)
    data, random = path.read_bytes(), np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        hit = bytearray(data)
        for place in random.integers(132, len(data), 3):
            hit[place] = random.integers(256)
        path.write_bytes(hit[: random.integers(140, len(data) + 200)])
        try:
            image, _ = dicom.read(path)
        except DataError as error:
            outcomes.add(str(error).startswith(str(path)))
        else:
            assert 0 <= image.min() <= image.max() <= 1
            outcomes.add("read")
    assert outcomes == {True, "read"}


def test_threads_may_read_at_once_and_hear_no_warning(tmp_path, write_dicom):
    padded = ("OW", RAMP.tobytes() + bytes(4))  # of which pydicom warns, and here that is an error
    path = write_dicom(tmp_path / "a", RAMP, PixelData=padded)
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.append(dicom.read(path)[0].sum())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 1
    assert len(seen) == 4


PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
REASONS = {  # why a file of pydicom is not read
    "MR_truncated.dcm": "is cut off: 8,130 of 8,192 bytes",
    "emri_small.dcm": "10 frames. Choose one",
    "rtdose.dcm": "holds no image: RT Dose Storage",
    "liver_1frame.dcm": "holds no image: Segmentation Storage",
    "rtplan.dcm": "holds no image: RT Plan Storage",
    "reportsi.dcm": "holds no image: Basic Text SR Storage",
    "waveform_ecg.dcm": "holds no image: 12-lead ECG Waveform Storage",
    "DICOMDIR": "holds no image: Media Storage Directory Storage",
    "SC_rgb.dcm": "its pixels are RGB",
    "examples_palette.dcm": "its pixels are PALETTE COLOR",
    "no_meta.dcm": "is no DICOM file",
    "ExplVR_BigEndNoMeta.dcm": "without its preamble",
    "ExplVR_LitEndNoMeta.dcm": "without its preamble",
    "JPEG-lossy.dcm": "cannot be decoded: .*misplaced marker",
    "meta_missing_tsyntax.dcm": "lacks Rows, Columns",
    "README.txt": "is no DICOM file",
    "zipMR.gz": "is no DICOM file",
    "CT_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm": "is coded as JPEG Full Prog",
    "CT_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm": "is coded as JPEG Spectral",
}


def files_of(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def outcomes(folder):
    """The image of each file, or why there is none."""
    for path in files_of(folder):
        try:
            yield path, dicom.read(path)[0]
        except DataError as error:
            yield path, str(error)


def check(folder, least):
    read = 0
    for path, outcome in outcomes(folder):
        if isinstance(outcome, str):
            assert outcome.startswith(str(path))
            assert re.search(REASONS.get(path.name, ""), outcome), outcome
        else:
            assert path.name not in REASONS
            assert outcome.dtype == np.float32
            assert 0 <= outcome.min() <= outcome.max() <= 1
            read += 1
    assert read >= least


def test_every_file_of_pydicom_is_read_or_refused_with_the_reason():
    check(PACKAGED, 48)


def test_every_real_file_is_read_or_refused_with_the_reason(real_data):
    check(real_data / "dicom", 43)


def test_one_slice_is_the_same_in_every_lossless_syntax(real_data):
    slices = real_data / "dicom" / "ct_transfer_syntaxes"
    original, _ = dicom.read(slices / "CT_original.dcm")
    same = 0
    for path in sorted(slices.glob("CT_*TransferSyntax_*.dcm")):
        if any(lossy in path.name for lossy in ("Process1T", "2_4", "6_8", "10_12")):
            continue
        image, done = dicom.read(path)
        atol = 5 / 1400 if done.lossy else 0  # JPEG-LS and JPEG 2000, by 5 HU at most here
        np.testing.assert_allclose(image, original, rtol=0, atol=atol + 1e-7)
        same += 1
    assert same == 11


def native(path, folder, syntax):
    """What dcmtk makes of a file uncompressed: its stored numbers as bytes; None if it cannot."""
    tools = {uid.RLELossless: "dcmdrle", uid.JPEGLSLossless: "dcmdjpls"}
    tools |= dict.fromkeys((uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit), "dcmdjpeg")
    tools |= dict.fromkeys((uid.JPEGLossless, uid.JPEGLosslessSV1), "dcmdjpeg")
    tools[uid.JPEGLSNearLossless] = "dcmdjpls"
    plain = path
    if syntax not in (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian):
        plain = folder / "plain.dcm"
        command = [tools.get(syntax, "dcmconv"), "-q", "+te", path, plain]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return None
    subprocess.run(["dcmdump", "-q", "+W", folder, plain], check=True, capture_output=True)
    largest = max(folder.glob("*.raw"), key=lambda raw: raw.stat().st_size)
    return largest.read_bytes()


@pytest.mark.skipif(not shutil.which("dcmdjpls"), reason="dcmtk is not installed")
def test_stored_numbers_are_those_that_dcmtk_reads(real_data, tmp_path):
    compared, real = 0, files_of(real_data / "dicom")
    for path in {path.name: path for path in (*sorted(PACKAGED.glob("*.dcm")), *real)}.values():
        if re.search(r"udacity_test[2-6]|LIDC.*z-1[012]", path.name):  # like their neighbours
            continue
        try:
            file = dicom.opened(path)
            stored = dicom.decoded(file, dicom.check(path, file))
        except (DataError, RuntimeError):  # refused, or a stream that no decoder takes
            continue
        folder = tmp_path / path.name
        folder.mkdir()
        raw = native(path, folder, file.file_meta.TransferSyntaxUID)
        if raw is None:
            continue
        kind = np.dtype(f"<u{stored.dtype.itemsize}")
        theirs = np.frombuffer(raw, kind, stored.size).reshape(stored.shape)
        bits = 2 ** int(file.BitsStored) - 1  # dcmtk leaves what stands above them
        # decoders of JPEG may round the cosines otherwise, by one
        most = int(file.file_meta.TransferSyntaxUID in dicom.LOSSY)
        ours = stored.astype(np.int64) & bits
        difference = np.abs(ours - (theirs & bits))
        assert difference.max() <= most, path
        compared += 1
    assert compared >= 31


def grey_of_dcmtk(path, options):
    """16-bit grey as dcmtk shows a file; (rows, columns) in [0, 1]."""
    shown = subprocess.run(
        ["dcmj2pnm", "-q", "-O", "+opw", *options, path], check=True, capture_output=True
    ).stdout
    words = b" ".join(line for line in shown.split(b"\n")[1:] if not line.startswith(b"#")).split()
    columns, rows, white = map(int, words[:3])
    return np.array(words[3:], np.float64).reshape(rows, columns) / white


@pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="dcmtk is not installed")
@pytest.mark.parametrize(
    ("tags", "options"),
    [
        ({"WindowCenter": 1500, "WindowWidth": 2000}, ["+Wi", 1]),
        ({"WindowCenter": 1500, "WindowWidth": 900, "VOILUTFunction": "SIGMOID"}, ["+Wi", 1]),
        ({"VOILUTSequence": lut(500, 12, *range(0, 4096, 2))}, ["+Wl", 1]),
        ({"ModalityLUTSequence": lut(0, 12, *range(4095, -1, -1))}, ["-W"]),
        ({"RescaleSlope": 2, "RescaleIntercept": -9, "WindowCenter": 99, "WindowWidth": 999},
         ["+Wi", 1]),
        ({"PhotometricInterpretation": "MONOCHROME1"}, ["-W"]),
    ],
)  # fmt: skip
def test_grey_is_that_of_dcmtk(tmp_path, write_dicom, tags, options):
    path = write_dicom(tmp_path / "a.dcm", RAMP, BitsStored=12, **tags)
    if "ModalityLUTSequence" in tags:
        path = _with_lut_type(path)
    ours, _ = dicom.read(path)
    # dcmtk makes 4096 steps of 65536 values, so its white is a step short of all
    np.testing.assert_allclose(ours, grey_of_dcmtk(path, map(str, options)), atol=1 / 4096)


def _with_lut_type(path):
    file = pydicom.dcmread(path)
    file.ModalityLUTSequence[0].ModalityLUTType = "US"
    file.save_as(path)
    return path


@pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="dcmtk is not installed")
def test_ct_in_hounsfield_units_is_that_of_dcmtk(real_data):
    (path,) = real_data.glob("dicom/lidc_ct/*z-115.0.dcm")
    # LINEAR from -1000 to 400: the width counts both ends, the centre is half a unit up
    theirs = grey_of_dcmtk(path, ["+Wfl", "+Ww", "-299.5", "1401"])
    np.testing.assert_allclose(dicom.read(path)[0], theirs, atol=1 / 65535)


def test_the_reader_of_all_images_reads_dicom_by_the_same_rules(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a.png", RAMP, WindowCenter=1500, WindowWidth=2000)
    np.testing.assert_array_equal(readers.read(path), dicom.read(path)[0])
    assert readers.levels(path.read_bytes()[:132]) == 65_536
    assert dicom_grey.CT_WINDOW_HU == readers.CT_WINDOW_HU
