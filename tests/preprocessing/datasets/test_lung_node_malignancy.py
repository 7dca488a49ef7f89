"""The thesis's CT patches, however their pixels were stored."""

import h5py
import numpy as np
import pytest

from radzoo import preprocessing
from radzoo.errors import DataError

HU = np.array([-2000, -1000, -300, 400, 3000], np.int16).reshape(1, 1, 5).repeat(2, axis=0)


def load(folder, **arrays):
    with h5py.File(folder / "all_patches.hdf5", "w") as file:
        for key, array in ({"slice_class": np.array([[0], [1]])} | arrays).items():
            file[key] = array
    return preprocessing.load("lung_node_malignancy")


@pytest.mark.parametrize(
    ("pixels", "expected", "note"),
    [
        (HU, [0, 0, 0.5, 1, 1], "were taken for HU"),
        (HU.astype(np.float32), [0, 0, 0.5, 1, 1], "were taken for HU"),
        (np.full((2, 1, 1), 51, np.uint8), [0.2], "8 bits were divided by 255"),
        (np.array([0, 1], np.float32).reshape(2, 1, 1), [0], "were left alone"),
    ],
)
def test_pixels_become_zero_to_one_and_a_note_says_how(folder, pixels, expected, note):
    dataset = load(folder, ct_slices=pixels)
    np.testing.assert_allclose(dataset.read(0)[0], expected, atol=1e-6)
    assert note in dataset.notes[0]


def test_patients_are_used_where_the_file_has_them(folder):
    named = load(folder, ct_slices=HU, patient=np.array([b"LIDC-1", b"LIDC-2"]))
    assert named.table["patient"].tolist() == ["LIDC-1", "LIDC-2"]
    assert len(named.notes) == 1
    nameless = load(folder, ct_slices=HU)
    assert nameless.table["patient"].isna().all()
    assert nameless.notes[1].startswith("The file names no patients")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"slices": HU}, "no array 'ct_slices'"),
        ({"ct_slices": HU[0]}, "has the shape"),
        ({"ct_slices": HU[:1]}, "'slice_class' has the shape .2, 1. for 1 images"),
        ({"ct_slices": HU, "slice_class": np.array([0, 2])}, "expected 0 .benign. and 1"),
        ({"ct_slices": np.full((2, 2, 2), 7.0)}, "pixels are float64 from 7 to 7; expected HU"),
        ({"ct_slices": np.full((2, 2, 2), np.nan)}, "from nan to nan"),
    ],
)
def test_what_does_not_fit_is_explained(folder, arrays, message):
    with pytest.raises(DataError, match=message):
        load(folder, **arrays)


def test_a_missing_file_says_where_it_was_looked_for(folder):
    with pytest.raises(DataError, match="Set RADZOO_DATA"):
        preprocessing.load("lung_node_malignancy")


def test_the_real_file_is_read(real_data, monkeypatch):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    dataset = preprocessing.load("lung_node_malignancy", path="nodules/all_patches.hdf5")
    assert len(dataset.table) == 733
    assert dataset.table["label"].sum() == 317
    assert dataset.table["patient"].nunique() == 379
    assert dataset.read(732).shape == (64, 64)
