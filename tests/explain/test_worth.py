"""What audits measure, against values worked out by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from radzoo.evaluation import Bootstrap
from radzoo.evaluation.means import mean_of_images
from radzoo.explain import localisation, perturbation
from radzoo.explain.likeness import rank_correlation

LESION = np.zeros((4, 4), bool)
LESION[1:3, 1:3] = True  # 4 of 16 pixels


def test_a_map_on_the_lesion():
    found = localisation.locate(LESION * 3.0, LESION)
    assert (found.hit, found.mass, found.overlap) == (1, 1, 1)
    assert (found.area, found.middle) == (0.25, 1)


def test_a_map_beside_the_lesion():
    found = localisation.locate(~LESION * 1.0, LESION)
    assert (found.hit, found.mass, found.overlap) == (0, 0, 0)


def test_a_map_that_is_the_same_everywhere_hits_by_chance():
    found = localisation.locate(np.ones((4, 4)), LESION)
    assert (found.hit, found.mass, found.overlap) == (0.25, 0.25, 0.25)


def test_a_map_without_evidence_misses():
    found = localisation.locate(np.zeros((4, 4)), LESION)
    assert (found.hit, found.mass, found.overlap) == (0, 0, 0)


def test_overlap_counts_what_is_above_half_of_the_peak():
    share = np.zeros((4, 4))
    share[1, 1], share[1, 2], share[0, 0], share[3, 3] = 1.0, 0.5, 0.6, 0.49
    # outline: (1,1), (1,2), (0,0); on the lesion two of them; union 4 + 1
    assert localisation.locate(share, LESION).overlap == pytest.approx(2 / 5)


def brightness_of_the_corner(images):
    bright = images[:, :2, :2, 0].mean(axis=(1, 2))
    return np.stack([1 - bright, bright], axis=1)


def test_a_right_order_loses_the_probability_first_and_gains_it_first():
    image = np.zeros((8, 8, 1), "float32")
    image[:2, :2] = 1
    right = np.zeros((8, 8))
    right[:2, :2] = 1
    by_map = perturbation.areas(brightness_of_the_corner, image, right, 1)
    wrong = perturbation.areas(brightness_of_the_corner, image, 1 - right, 1)
    assert by_map[0] < wrong[0]
    assert by_map[1] > wrong[1]


def test_curves_begin_and_end_where_they_must():
    seen = []

    def predict(images):
        seen.append(images)
        return np.tile([0.25, 0.75], (len(images), 1))

    image = np.random.default_rng(0).random((8, 8, 1)).astype("float32")
    found = perturbation.areas(predict, image, np.arange(64.0).reshape(8, 8), 1)
    assert found == (0.75, 0.75)
    deletion, insertion = seen[0][:17], seen[0][17:]
    np.testing.assert_array_equal(deletion[0], image)
    np.testing.assert_array_equal(insertion[-1], image)
    np.testing.assert_array_equal(deletion[-1], insertion[0])
    changed = (deletion[1] != image).sum()
    assert changed == 4  # a sixteenth of 64 pixels, the last ones
    assert (deletion[1] != image)[-1, -4:].all()


def test_rank_correlation_is_spearmans():
    draw = np.random.default_rng(1)
    one, other = draw.integers(0, 9, (2, 6, 6)).astype(float)
    expected = spearmanr(one.ravel(), other.ravel()).statistic
    assert rank_correlation(one, other) == pytest.approx(expected)
    assert rank_correlation(one, np.zeros((6, 6))) == 0


def test_a_mean_over_images_weighs_images_and_resamples_patients():
    values = np.array([1.0, 0.0, 0.5, 0.5, np.nan])
    found = mean_of_images(values, np.array([0, 0, 1, 2, 3]), 4, Bootstrap(500))
    assert found.value == 0.5
    assert (found.images, found.patients) == (4, 3)
    # patients 1 and 2 alone, and patient 0 alone, all have the mean 0.5: there is no spread
    assert (found.low, found.note) == (None, found.note)
    assert "no interval" in found.note


def test_the_interval_of_a_mean_is_that_of_the_bootstrap_by_hand():
    values, patients = np.array([0.0, 1.0, 1.0, 0.2]), np.array(["a", "b", "b", "c"])
    bootstrap = Bootstrap(300, seed=4)
    found = mean_of_images(values, patients, 2, bootstrap)
    means = []
    for draw in bootstrap.draws(3, 3):
        for counts in draw.T:
            weights = counts[[0, 1, 1, 2]]
            means.append((weights * values).sum() / weights.sum())
    low, high = np.quantile(means, bootstrap.ends(3))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_hits_that_are_all_right_get_a_score_interval():
    found = mean_of_images(np.ones(6), np.arange(6), 6, Bootstrap(200))
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(6 / (6 + 1.959964**2), abs=1e-4)  # Wilson, by hand


def test_one_patient_and_no_image_have_no_interval():
    assert mean_of_images(np.ones(2), np.zeros(2), 2, Bootstrap(50)).low is None
    assert mean_of_images(np.array([np.nan]), np.zeros(1), 0, Bootstrap(50)).value is None
