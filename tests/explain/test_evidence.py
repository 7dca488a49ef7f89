"""Scaling that invents no evidence, and pictures that say so."""

import numpy as np
import pytest

from radzoo.explain import pictures
from radzoo.explain.evidence import Explanation, shares
from radzoo.explain.geometry import Axis, Grid

GRID = Grid(Axis(4, 0, 1), Axis(4, 0, 1))


def explanation(maps, **changes):
    maps = np.asarray(maps, "float32")
    values = {
        "name": "image.png",
        "image": np.full((4, 4, 1), 0.5, "float32"),
        "classes": ("benign", "malignant"),
        "probabilities": np.array([0.25, 0.75]),
        "raw": maps,
        "maps": maps,
        "grid": GRID,
        "method": "gradcam",
        "layer": "conv2",
    }
    return Explanation(**{**values, **changes})


def test_one_scale_for_all_classes_of_an_image():
    raw = np.zeros((2, 2, 2))
    raw[0, 0, 0], raw[1, 1, 1] = 8, 2
    found = shares(raw)
    assert (found[0].max(), found[1].max()) == (1, 0.25)


def test_rounding_errors_beside_evidence_are_not_blown_up():
    raw = np.stack([np.eye(3), np.eye(3) * 1e-9])
    assert shares(raw)[1].max() < 1e-8


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_no_evidence_and_spoils_no_other(value):
    raw = np.stack([np.eye(3), np.eye(3)])
    raw[0, 1, 2] = value
    np.testing.assert_array_equal(shares(raw), [np.zeros((3, 3)), np.eye(3)])


def test_nothing_stays_nothing():
    assert not shares(np.zeros((2, 3, 3))).any()


def test_no_evidence_has_no_colour_and_full_evidence_the_asked_opacity():
    painted = pictures.coloured(np.array([[0.0, 1.0, 0.25]]), opacity=0.4)
    np.testing.assert_allclose(painted[0, :, 3], [0, 0.4, 0.2])


def test_a_picture_says_where_there_is_no_evidence(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(pictures, "save", lambda figure, folder, name: drawn.append(figure))
    pictures.draw(explanation([np.zeros((4, 4)), np.eye(4)]), [0, 1], tmp_path, "x")
    _, benign, malignant, _ = drawn[0].axes
    assert (benign.get_xlabel(), malignant.get_xlabel()) == ("no evidence", "up to 1")
    assert "malignant\np = 0.750" in malignant.get_title(loc="left")


def test_every_picture_names_method_layer_grid_and_its_limits():
    said = pictures.caption(explanation(np.zeros((2, 4, 4))), "SYNTHETIC image")
    for words in "gradcam", "conv2", "4 x 4", "not where disease is", "SYNTHETIC", "Research use":
        assert words in said


def test_the_numbers_are_kept_as_they_were(tmp_path):
    raw = np.random.default_rng(0).random((2, 4, 4)) * 37
    path = pictures.keep(explanation(shares(raw), raw=raw), tmp_path / "x.npz")
    with np.load(path) as kept:
        np.testing.assert_array_equal(kept["raw"], raw)
        assert kept["classes"].tolist() == ["benign", "malignant"]
