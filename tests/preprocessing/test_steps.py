"""Every step keeps images in [0, 1]; each does what its docstring says."""

import numpy as np
import pytest

from radzoo.errors import DataError, UnknownName
from radzoo.preprocessing import steps

OPTIONS = {"resize": {"rows": 5, "columns": 9}, "crop_centre": {"rows": 4, "columns": 6}}
IMAGES = {
    "noise": np.random.default_rng(0).random((8, 10), np.float32),
    "black": np.zeros((8, 10), np.float32),
    "white": np.ones((8, 10), np.float32),
    "one bright pixel": np.eye(8, 10, dtype=np.float32),
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("name", steps.names())
def test_a_step_keeps_images_float32_in_zero_to_one(name, image):
    given = image.copy()
    result = steps.get(name).function(image, **OPTIONS.get(name, {}))
    assert result.dtype == np.float32
    assert 0 <= result.min() <= result.max() <= 1
    np.testing.assert_array_equal(image, given)  # and leaves its input alone


@pytest.mark.parametrize("name", [n for n in steps.names() if steps.get(n).keeps_levels])
def test_a_step_that_keeps_levels_makes_no_new_value(name):
    result = steps.get(name).function(IMAGES["noise"], **OPTIONS.get(name, {}))
    assert set(result.ravel()) <= set(IMAGES["noise"].ravel())


@pytest.mark.parametrize("name", steps.names())
def test_a_step_says_what_it_does_and_annotates_its_options(name):
    step = steps.get(name)
    assert step.summary.endswith(".")
    assert "return" in step.function.__annotations__


def test_shrinking_averages_all_pixels():
    image = np.zeros((4, 4), np.float32)
    image[1, 1] = 1
    np.testing.assert_array_equal(steps.resize(image, 2, 2), [[0.25, 0], [0, 0]])


def test_growing_one_axis_and_shrinking_the_other():
    image = np.array([[0, 1], [0, 1], [1, 0], [1, 0]], np.float32)
    result = steps.resize(image, rows=2, columns=4)
    np.testing.assert_allclose(result, [[0, 0.25, 0.75, 1], [1, 0.75, 0.25, 0]])


def test_brightness_is_stretched_between_percentiles():
    image = (np.arange(101, dtype=np.float32) / 200 + 0.25).reshape(1, 101)
    result = steps.normalise_brightness(image, low_percentile=10, high_percentile=90)
    np.testing.assert_allclose(result[0, [0, 10, 50, 90, 100]], [0, 0, 0.5, 1, 1], atol=1e-6)


def test_an_image_without_contrast_becomes_black():
    assert not steps.normalise_brightness(IMAGES["white"]).any()


def test_a_crop_of_the_border_counts_both_sides():
    image = np.arange(100, dtype=np.float32).reshape(10, 10) / 100
    np.testing.assert_array_equal(steps.crop_border(image, 0.2), image[2:8, 2:8])


def test_grey_becomes_three_equal_channels():
    result = steps.grey_to_rgb(IMAGES["noise"])
    assert result.shape == (8, 10, 3)
    for channel in range(3):
        np.testing.assert_array_equal(result[..., channel], IMAGES["noise"])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resize", {"rows": 0, "columns": 4}, "at least 1 row"),
        ("crop_centre", {"rows": 9, "columns": 4}, "cannot cut 9 x 4 pixels from .* 8 x 10"),
        ("crop_border", {"share": 0.5}, r"share in \[0, 0.5\); got 0.5"),
        ("normalise_brightness", {"low_percentile": 99.0}, "low_percentile < high_percentile"),
    ],
)
def test_options_out_of_range_are_explained(name, options, message):
    with pytest.raises(DataError, match=message):
        steps.get(name).function(IMAGES["noise"], **options)


def test_colour_is_not_made_twice():
    with pytest.raises(DataError, match="needs a grey image"):
        steps.grey_to_rgb(np.zeros((2, 2, 3), np.float32))


def test_a_misspelt_step_is_corrected():
    with pytest.raises(UnknownName, match=r"No preprocessing step is called 'resiz'. Did you mean"):
        steps.get("resiz")


def test_a_name_registered_twice_names_both_modules():
    def resize(image: np.ndarray) -> np.ndarray: ...

    with pytest.raises(ValueError, match="'resize' is registered twice"):
        steps.step(keeps_levels=True, moves_pixels=True)(resize)
