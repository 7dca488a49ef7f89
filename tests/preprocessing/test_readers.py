"""A file is what its bytes say; what cannot be read is named, with the reason."""

import sys

import numpy as np
import pytest
from PIL import Image

from radzoo.errors import DataError
from radzoo.preprocessing import readers


def test_eight_bits_are_divided_by_255(tmp_path):
    Image.fromarray(np.array([[0, 51], [102, 255]], np.uint8)).save(tmp_path / "a.png")
    image = readers.read(tmp_path / "a.png")
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [[0, 0.2], [0.4, 1]], rtol=1e-6)


def test_sixteen_bits_of_grey_are_kept(tmp_path):
    Image.fromarray(np.array([[0, 1], [13107, 65535]], np.uint16)).save(tmp_path / "a.png")
    image = readers.read(tmp_path / "a.png")
    np.testing.assert_allclose(image, [[0, 1 / 65535], [0.2, 1]], rtol=1e-6)
    assert readers.levels((tmp_path / "a.png").read_bytes()[:132]) == 65536


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1"])
def test_colour_palette_and_transparency_become_grey(tmp_path, mode):
    Image.new("L", (3, 2), 255).convert(mode).save(tmp_path / "a.png")
    np.testing.assert_array_equal(readers.read(tmp_path / "a.png"), np.ones((2, 3)))
    assert readers.levels((tmp_path / "a.png").read_bytes()[:132]) == 256


def test_a_photograph_held_sideways_is_turned(tmp_path):
    image = Image.new("L", (30, 20), 0)
    image.paste(255, (0, 0, 15, 20))  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    image.save(tmp_path / "a.jpg", exif=exif)
    turned = readers.read(tmp_path / "a.jpg")
    assert turned.shape == (30, 20)
    assert turned[0].mean() > 0.95  # now on top
    assert turned[-1].mean() < 0.05


def test_the_name_does_not_matter(tmp_path):
    Image.new("L", (2, 2), 255).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert readers.read(tmp_path / "a.jpg").min() == 1


def _cut(folder, share):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(noise).save(folder / "whole.png")
    data = (folder / "whole.png").read_bytes()
    (folder / "bad").write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: _cut(folder, 0.6), "is damaged"),
        (lambda folder: (folder / "bad").write_text("no image"), "is no image: expected PNG"),
        (lambda folder: (folder / "bad").write_bytes(b""), "is no image"),
        (lambda folder: None, "cannot be read: No such file"),
        (lambda folder: (folder / "bad").mkdir(), "cannot be read: Is a directory"),
        (lambda folder: Image.new("L", (2, 2)).save(folder / "bad", "GIF"), "is no image"),
        (lambda folder: Image.new("1", (9000, 8000)).save(folder / "bad", "PNG"), "too large: 72,"),
        (lambda folder: Image.new("1", (10000, 9000)).save(folder / "bad", "PNG"), "too large"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, make, reason):
    make(tmp_path)
    with pytest.raises(DataError, match=reason) as caught:
        readers.read(tmp_path / "bad")
    assert str(tmp_path / "bad") in str(caught.value)


def _dicom(path, pixels, **tags):
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    file = pydicom.Dataset()
    file.file_meta = pydicom.dataset.FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PixelRepresentation = 1, int(pixels.dtype.kind == "i")
    file.BitsAllocated = file.BitsStored = 16
    file.HighBit = 15
    file.PhotometricInterpretation = "MONOCHROME2"
    file.PixelData = pixels.tobytes()
    for tag, value in tags.items():
        setattr(file, tag, value)
    file.save_as(path, enforce_file_format=True)
    return path


def test_ct_is_shown_in_the_lung_window(tmp_path):
    stored = np.array([[-976, 24], [424, 3000]], np.int16)
    tags = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -24}  # -1000, 0, 400 HU
    image = readers.read(_dicom(tmp_path / "a.dcm", stored, **tags))
    np.testing.assert_allclose(image, [[0, 1000 / 1400], [1, 1]], rtol=1e-6)


def test_monochrome1_is_inverted(tmp_path):
    stored = np.array([[0, 4095]], np.uint16)
    tags = {"Modality": "DX", "BitsStored": 12, "HighBit": 11}
    straight = readers.read(_dicom(tmp_path / "a.dcm", stored, **tags))
    tags["PhotometricInterpretation"] = "MONOCHROME1"
    inverted = readers.read(_dicom(tmp_path / "b.dcm", stored, **tags))
    np.testing.assert_array_equal(straight, [[0, 1]])
    np.testing.assert_array_equal(inverted, [[1, 0]])


def test_the_window_of_a_radiograph_is_applied(tmp_path):
    stored = np.array([[0, 1000, 2000, 3000, 4095]], np.uint16)
    tags = {"Modality": "DX", "BitsStored": 12, "HighBit": 11}
    tags |= {"WindowCenter": 2000, "WindowWidth": 2000}
    image = readers.read(_dicom(tmp_path / "a.dcm", stored, **tags))
    np.testing.assert_allclose(image, [[0, 0, 0.5, 1, 1]], atol=1e-3)


def test_dicom_without_pydicom_says_what_to_install(tmp_path, monkeypatch):
    path = _dicom(tmp_path / "a.dcm", np.zeros((2, 2), np.uint16))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'radzoo\[dicom\]'"):
        readers.read(path)


def test_many_frames_are_refused(tmp_path):
    path = _dicom(tmp_path / "a.dcm", np.zeros((2, 2), np.uint16), NumberOfFrames=3)
    with pytest.raises(DataError, match="no single grey image: 3 frames"):
        readers.read(path)
