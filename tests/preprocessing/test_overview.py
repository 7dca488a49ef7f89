"""What a dataset holds."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from radzoo import preprocessing
from radzoo.errors import DataError
from radzoo.preprocessing import overview


def test_counts_are_those_of_the_table(made):
    images = np.zeros((4, 2, 2))
    table = made(images).table.assign(patient=["a", "a", "b", None], view=["PA", None, "AP", "PA"])
    held = overview.counts(made(images, table=table))
    assert (held.images, held.patients) == (4, 2)
    assert held.images_by == {
        "label": {"well": 2, "sick": 2},
        "view": {"AP": 1, "PA": 2, "unknown": 1},
    }
    assert held.patients_by_label == {"well": 2, "sick": 1}


def test_unknown_patients_are_not_counted(made):
    images = np.zeros((2, 2, 2))
    dataset = made(images, table=made(images).table.assign(patient=pd.NA))
    assert overview.counts(dataset).patients is None


def test_a_contact_sheet_is_a_png_with_pictures(tmp_path):
    phantom = preprocessing.load("phantom_nodules", images=12)
    path = overview.contact_sheet(phantom, tmp_path / "sheet.png", per_class=4)
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        assert np.asarray(sheet.convert("L")).std() > 20


def test_a_contact_sheet_needs_no_patient_nor_box(made, tmp_path):
    images = np.zeros((2, 4, 4))
    dataset = made(images, table=made(images).table.assign(patient=pd.NA))
    assert overview.contact_sheet(dataset, tmp_path / "sheet.png").exists()


def test_a_contact_sheet_of_nothing_is_refused(made, tmp_path):
    with pytest.raises(DataError, match="per_class must be at least 1"):
        overview.contact_sheet(made(np.zeros((2, 2, 2))), tmp_path / "sheet.png", per_class=0)
