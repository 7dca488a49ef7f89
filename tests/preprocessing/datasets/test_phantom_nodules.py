"""Synthetic nodules: known truth, the same everywhere, as hard as asked."""

import hashlib

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radzoo import preprocessing
from radzoo.errors import DataError


def load(**options):
    return preprocessing.load("phantom_nodules", **options)


def test_the_same_seed_draws_the_same_pixels_on_every_machine():
    image = load(images=5, seed=7).read(3)
    levels = np.rint(image * 255).astype(np.uint8)
    assert hashlib.sha256(levels.tobytes()).hexdigest()[:16] == "a1d790f980bce310"


def test_another_option_is_another_content():
    contents = {
        load(images=4, **more).content
        for more in ({}, {"seed": 1}, {"difficulty": 0.4}, {"size": 48}, {"malignant_share": 0.5})
    }
    assert len(contents) == 5


def test_pixels_are_whole_255ths():
    image = load(images=2).read(0)
    np.testing.assert_allclose(image * 255, np.rint(image * 255), atol=1e-4)


def test_the_share_of_malignant_nodules_is_kept():
    assert load(images=200, malignant_share=0.3).table["label"].sum() == 60


def test_patients_have_one_to_four_nodules():
    per_patient = load(images=300).table["patient"].value_counts()
    assert set(per_patient) == {1, 2, 3, 4}
    assert "phantom-0001" in per_patient


def test_diameter_alone_tells_some_of_the_truth():
    table = load(images=6000).table  # no pixel is drawn
    assert 0.85 < roc_auc_score(table["label"], table["diameter_mm"]) < 0.9


def test_difficulty_is_how_little_the_signs_tell():
    areas = [
        roc_auc_score(table["label"], table["diameter_mm"])
        for table in (load(images=3000, difficulty=d).table for d in (0, 0.5, 1))
    ]
    assert areas[0] > 0.97 > areas[1] > 0.6 > areas[2] > 0.45


def test_the_box_holds_the_mask_and_no_more():
    dataset = load(images=20)
    for row in range(20):
        rows, columns = np.nonzero(dataset.masks(row))
        box = dataset.table.iloc[row]
        extremes = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        given = [box["box_x0"], box["box_y0"], box["box_x1"], box["box_y1"]]
        np.testing.assert_allclose(extremes, given, atol=1)


def test_the_nodule_is_brighter_than_the_lung():
    dataset = load(images=20)
    for row in range(20):
        image, mask = dataset.read(row), dataset.masks(row)
        assert image[mask].mean() > np.median(image[~mask]) + 0.15


def test_it_is_called_synthetic_wherever_it_is_described():
    entry = preprocessing.get("phantom_nodules")
    assert entry.synthetic
    assert "synthetic" in entry.source
    assert "Synthetic" in entry.summary
    assert any("synthetic" in note for note in load(images=2).notes)


def test_options_out_of_range_are_told_together():
    with pytest.raises(DataError) as caught:
        load(images=1, malignant_share=1, difficulty=2, size=10, seed=-1)
    for option in ("images", "malignant_share", "difficulty", "size", "seed"):
        assert f"{option} must" in str(caught.value)
