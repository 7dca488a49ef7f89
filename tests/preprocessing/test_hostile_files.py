"""Files that mean harm, given to the researcher's readers: refused with the reason, or read."""

import contextlib
import gzip
import os
import resource
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hostile import REFUSED, dicom, in_dicom, picture, png
from hostile_arrays import IMAGES, npy, npz
from hostile_arrays import REFUSED as ARRAYS
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit

from radzoo.errors import DataError
from radzoo.preprocessing import arrays, csv_files, dicom_streams, readers

# What a reading room refuses, and is read here: whole pictures that are odd, and those whose end
# Pillow and pydicom paint without a word, which docs/security.md names among the known limits.
READ = {
    *("a PNG without IEND", "a PNG of 100,000 chunks", "a CMYK JPEG", "an arithmetic JPEG"),
    *("a small picture", "a strip", "one shade", "DICOM of one shade", "HTJ2K in DICOM"),
    *("DICOM with a window that shows nothing", "two fragments too many in DICOM"),
    *("a UID that climbs", "a UID with a script", "a UID of letters"),
    *("a PNG with whole rows too few", "half a JPEG with an end", "a JPEG taller than its data"),
    *("half a progressive JPEG with an end", "a JPEG with scrambled data"),
    *("half a JPEG-LS in DICOM", "half a JPEG-LS with an end in DICOM", "half a JPEG in DICOM"),
    *("half a JPEG with an end in DICOM", "a JPEG without an end in DICOM"),
}


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_picture_is_refused_or_read_within_bounds(tmp_path, name):
    (tmp_path / "here").mkdir()
    path = tmp_path / "here" / "film.png"
    path.write_bytes(REFUSED[name][1]())
    start, before = time.process_time(), peak_mb()
    if name in READ:
        image = readers.read(path)
        assert image.ndim == 2
        assert 0 <= image.min() <= image.max() <= 1
    else:
        with pytest.raises(DataError, match=r"film\.png "):
            readers.read(path)
    assert time.process_time() - start < 5
    assert peak_mb() - before < 300
    assert os.listdir(tmp_path / "here") == ["film.png"]


def deflated(length):
    """DICOM that is deflated, with so many bytes of zeros at its end; its header is honest."""
    whole = dicom(np.zeros((96, 80), "uint8"), syntax=ExplicitVRLittleEndian)
    head = dicom(np.zeros((96, 80), "uint8"), syntax=DeflatedExplicitVRLittleEndian)
    begin = whole.index(struct.pack("<HH2s", 8, 0x16, b"UI"))
    meta = 128 + 4 + 12 + struct.unpack_from("<I", head, 140)[0]
    packer = zlib.compressobj(9, wbits=-15)
    data = packer.compress(whole[begin:] + struct.pack("<HH2sHI", 0x7FE1, 0x10, b"OB", 0, length))
    blocks = [packer.compress(bytes(2**20)) for _ in range(length // 2**20)]
    return head[:meta] + data + b"".join(blocks) + packer.flush()


def test_a_deflate_bomb_is_refused_before_it_is_inflated(tmp_path):
    (tmp_path / "small").write_bytes(deflated(2**20))
    assert (readers.read(tmp_path / "small") == 0).all()
    (tmp_path / "bomb").write_bytes(deflated(300 * 2**20))
    before = peak_mb()
    with pytest.raises(DataError, match="inflated it has more than 272,777,216 bytes"):
        readers.read(tmp_path / "bomb")
    assert peak_mb() - before < 50
    assert (tmp_path / "bomb").stat().st_size < 400_000


def test_frames_without_number_are_not_looked_through(tmp_path):
    (tmp_path / "f").write_bytes(
        in_dicom(picture(kind="JPEG"), JPEGBaseline8Bit, NumberOfFrames=10**9)
    )
    from radzoo.preprocessing import dicom as reader

    with pytest.raises(DataError, match="has 1,000,000,000 frames; at most 100,000"):
        reader.read(tmp_path / "f", frame=1)


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (b"\xff\xd8\xff\xff\xe0\0\4ab\xff\xc2\0\x0b\x08\x01\x02\x03\x04\0\0", (258, 772)),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x05\0\x06\0\0", (5, 6)),
        (b"\xff\xd8\xff\xc4\0\4\0\0\xff\xd0\xff\xc0\0\x0b\x08\0\x09\0\x0a\0\0", (9, 10)),
        (b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">IIII", 100, 90, 20, 30), (60, 80)),
        (b"\xff\xd8\xff\xd9" + bytes(20), None),
        (b"\xff\xd8\xff\xe0\xff\xff", None),
        (b"RLE or anything", None),
    ],
)
def test_a_stream_says_its_size_by_its_own_header(stream, size):
    assert dicom_streams.size(stream) == size


def test_memory_is_not_asked_for_as_a_chunk_claims_it(tmp_path):
    data = png()
    at = data.index(b"IDAT") - 4
    (tmp_path / "f.png").write_bytes(data[:at] + b"\xff\xff\xff\xf0" + data[at + 4 :])
    tracemalloc.start()
    try:
        with contextlib.suppress(DataError):
            readers.read(tmp_path / "f.png")
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_not_read(tmp_path):
    with pytest.raises(DataError, match="is no file"):
        readers.read("/dev/zero")
    os.mkfifo(tmp_path / "pipe")  # nobody will write to it
    with pytest.raises(DataError, match="is no file"):
        readers.read(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(readers.LARGEST_BYTES + 1)  # a hole: it takes no room
    with pytest.raises(DataError, match="is too large: 2,147,483,649 bytes"):
        readers.read(tmp_path / "large")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_hostile_file_of_arrays_is_refused_with_the_reason(tmp_path, monkeypatch, name):
    message, make = ARRAYS[name]
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "here" / "a.npz"
    path.write_bytes(make())
    before = peak_mb()
    with pytest.raises(DataError, match=message):
        arrays.column(path, "images")
    assert peak_mb() - before < 100
    assert os.listdir() == ["a.npz"]


def test_a_sound_file_of_arrays_is_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz(images=npy()))
    np.testing.assert_array_equal(arrays.column(tmp_path / "a.npz", "images"), IMAGES)


def test_arrays_of_hdf5_that_lie_elsewhere_are_not_read(tmp_path):
    import h5py

    (tmp_path / "secret").write_bytes(bytes(range(100)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(
            "images", (100,), "uint8", external=[(str(tmp_path / "secret"), 0, 100)]
        )
    with pytest.raises(DataError, match="is stored in another file"):
        arrays.column(tmp_path / "a.h5", "images")


def test_a_csv_is_read_as_text_packed_or_not(tmp_path):
    text = '\ufeffpath,label\n"a,b",01\n=1+1,NA\n'
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in "a.csv", "b.csv.gz":
        rows = csv_files.read(tmp_path / name)
        assert rows.to_dict("list") == {"path": ["a,b", "=1+1"], "label": ["01", "NA"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "No columns"),
        (b"a,b\n1,2,3\n4,5,6,7", "cannot be read as a CSV"),
        (b"a\n\xff\xfe", "codec can't decode"),
        (b'a\n"never closed', "EOF inside string"),
        (gzip.compress(b"a,b\n1,2\n")[:-12], "cannot be read as a CSV"),
        (b"\x1f\x8b nothing", "cannot be read as a CSV"),
    ],
)
def test_what_is_no_csv_is_refused(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        csv_files.read(tmp_path / "a.csv")


def test_a_packed_csv_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_files, "LARGEST_BYTES", 10_000_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a\n" + b"1\n" * 10_000_000))
    before = peak_mb()
    with pytest.raises(DataError, match="more than 10,000,000 bytes of text"):
        csv_files.read(tmp_path / "a.csv.gz")
    assert peak_mb() - before < 100


def test_a_cell_of_ten_megabytes_is_a_cell(tmp_path):
    (tmp_path / "a.csv").write_text("path,label\n" + "x" * 10_000_000 + ",1\n")
    assert len(csv_files.read(tmp_path / "a.csv")["path"][0]) == 10_000_000
