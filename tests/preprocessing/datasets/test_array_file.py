"""Arrays of .npz and HDF5 files."""

import h5py
import numpy as np
import pytest

from radzoo import hdf5, preprocessing
from radzoo.errors import DataError

GREYS = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3)
ARRAYS = {
    "images": GREYS,
    "label": np.array([[0], [1], [1], [0]]),
    "who": np.array([b"a", b""] * 2),
}
CLASSES = {"well": 0, "sick": 1}


def save(folder, kind="npz", **arrays):
    if kind == "npz":
        np.savez_compressed(folder / "file.npz", **arrays)
    else:
        with h5py.File(folder / "file.hdf5", "w") as file:
            for key, array in arrays.items():
                file[key] = array
    return f"file.{kind}"


def load(path, **options):
    return preprocessing.load("array_file", **{"path": path, "classes": CLASSES} | options)


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_images_labels_and_patients_are_read(folder, kind):
    dataset = load(save(folder, kind, **ARRAYS), patient="who")
    assert dataset.table["label"].tolist() == [0, 1, 1, 0]
    assert dataset.table["patient"].fillna("unknown").tolist() == ["a", "unknown"] * 2
    assert dataset.table["id"].tolist()[:2] == ["images[0]", "images[1]"]
    assert dataset.levels == 256
    for row in 3, 0:
        np.testing.assert_allclose(dataset.read(row), GREYS[row] / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("images", "levels", "expected"),
    [
        (GREYS[..., None], 256, GREYS / 255),
        (GREYS.astype(np.uint16) * 1000, 65536, GREYS / 65.535),
        (GREYS / np.float32(32), 65536, GREYS / 32),
    ],
)
def test_pixels_become_zero_to_one(folder, images, levels, expected):
    dataset = load(save(folder, images=images, label=ARRAYS["label"]))
    assert dataset.levels == levels
    np.testing.assert_allclose(dataset.read(2), expected[2], rtol=1e-6)


def test_more_images_than_a_block_are_read_in_order(folder):
    images = np.arange(600, dtype=np.uint16).reshape(600, 1, 1)
    dataset = load(save(folder, "hdf5", images=images, label=np.arange(600) % 2))
    read = [round(float(dataset.read(row)[0, 0]) * 65535) for row in (0, 255, 256, 599, 300)]
    assert read == [0, 255, 256, 599, 300]


def test_sides_with_arrays_of_their_own_are_joined(folder):
    arrays = {f"{s}_images": GREYS for s in ("train", "val")}
    arrays |= {f"{s}_labels": np.array([0, 1, 1, 0]) for s in ("train", "val")}
    dataset = load(save(folder, **arrays), images="{split}_images", label="{split}_labels")
    assert dataset.table["split"].tolist() == ["train"] * 4 + ["val"] * 4
    np.testing.assert_allclose(dataset.read(6), GREYS[2] / 255, rtol=1e-6)


def test_texts_of_any_length_and_lzf_are_read_from_hdf5(folder):
    path = save(folder, "hdf5", label=ARRAYS["label"], who=["Ana", "José", "Ana", ""])
    with h5py.File(folder / path, "a") as file:
        file.create_dataset("images", data=GREYS, compression="lzf")
    dataset = load(path, patient="who")
    assert dataset.table["patient"].fillna("unknown").tolist() == ["Ana", "José", "Ana", "unknown"]
    np.testing.assert_allclose(dataset.read(1), GREYS[1] / 255, rtol=1e-6)


def test_texts_that_would_fill_memory_are_not_read(folder, monkeypatch):
    path = save(folder, "hdf5", images=GREYS, label=ARRAYS["label"], who=["x" * 30] * 4)
    monkeypatch.setattr(hdf5, "MOST_TEXT", 100)
    with pytest.raises(DataError, match="'/who' has more than 100 characters"):
        load(path, patient="who")


def test_a_written_split_is_read(folder):
    path = save(folder, **ARRAYS, side=np.array([b"train", b"test"] * 2))
    assert load(path, split="side").table["split"].tolist() == ["train", "test"] * 2


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (ARRAYS, {"images": "pictures"}, r"no array 'pictures' \(it has: images, label, who\)"),
        (ARRAYS, {"label": "truth"}, "no array 'truth'. It has: images, label, who"),
        (ARRAYS, {"images": "{split}_x"}, "no array '{split}_x'"),
        (ARRAYS | {"images": GREYS[0]}, {}, "shape .2, 3., expected .images, rows, columns."),
        (ARRAYS | {"label": np.zeros(3)}, {}, "'label' has the shape .3,. for 4 images"),
        (ARRAYS, {"classes": {"well": 0, "sick": 2}}, r"in no class: '1' \(2 images\)"),
        (ARRAYS | {"images": GREYS.astype(np.int16)}, {}, "pixels are int16 from 0 to 23"),
        (ARRAYS | {"images": GREYS * 1.0}, {}, "pixels are float64 from 0 to 23"),
    ],
)
def test_what_does_not_fit_is_explained(folder, arrays, options, message):
    with pytest.raises(DataError, match=message):
        load(save(folder, **arrays), **options)


@pytest.mark.parametrize("content", [b"no arrays", b"PK\x03\x04 cut off"])
def test_a_file_of_another_kind_is_refused(folder, content):
    (folder / "file.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"neither a sound \.npz nor a sound HDF5 file"):
        load("file.npz")


REAL = {
    "candidates": (
        {"path": "nodules/luna16_candidates50.npz", "split": "split"},
        (5844, 1003, (50, 50)),
    ),
    "PneumoniaMNIST": (
        {
            "path": "pneumoniamnist/pneumoniamnist.npz",
            "images": "{split}_images",
            "label": "{split}_labels",
        },
        (5856, 4273, (28, 28)),
    ),
}


@pytest.mark.parametrize(("options", "expected"), REAL.values(), ids=REAL)
def test_real_files_are_read(real_data, monkeypatch, options, expected):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    dataset = load(**options)
    held = len(dataset.table), dataset.table["label"].sum(), dataset.read(5000).shape
    assert held == expected
    sides = preprocessing.splits.given(dataset.table, patients=False)
    assert set(sides) == {"train", "validation", "test"}
