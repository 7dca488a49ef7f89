import io

import numpy as np
import pytest
from PIL import Image

from radzoo.webapp.exports import facts, picture

# of matplotlib's table of inferno: entries 255 and 64
BRIGHTEST, DARK = (0.988362, 0.998364, 0.644924), (0.3415, 0.062325, 0.429425)


def opened(data):
    return Image.open(io.BytesIO(data))


def said(result, label=1):
    return " ".join(line.text for line in picture.lines(result, label))


def test_colour_is_mixed_in_by_the_root_of_the_share_and_not_at_all_below_the_cutoff():
    grey = np.full((1, 4), 100, np.uint8)
    shares = np.array([[0.0, 0.249, 0.25, 1.0]], np.float32)
    dark = [round(100 * (1 - 0.225) + 255 * part * 0.225) for part in DARK]  # 0.45 * sqrt(0.25)
    bright = [round(100 * (1 - 0.45) + 255 * part * 0.45) for part in BRIGHTEST]
    assert bright == [168, 170, 129]
    assert dark == [97, 81, 102]
    np.testing.assert_array_equal(
        picture.blended(grey, shares), [[[100] * 3, [100] * 3, dark, bright]]
    )


def test_a_map_of_any_size_covers_the_whole_picture():
    grey = np.full((6, 8), 50, np.uint8)
    mixed = picture.blended(grey, np.array([[0, 1], [0, 1]], np.float32)).astype(int)
    assert mixed.shape == (6, 8, 3)
    assert (mixed[:, :2] == 50).all()
    np.testing.assert_array_equal(mixed[:, -1], mixed[::-1, -1])
    expected = [round(50 * 0.55 + 255 * part * 0.45) for part in BRIGHTEST]
    np.testing.assert_array_equal(mixed[:, -2:], np.broadcast_to(expected, (6, 2, 3)))


def test_a_picture_is_made_as_large_as_its_room_and_keeps_its_shape(phantom):
    assert picture.fitted(phantom(300, 100), 150, 150).shape == (150, 50)
    assert picture.fitted(phantom(20, 40), 200, 200).shape == (100, 200)
    assert picture.fitted(phantom(1, 900), 10, 90).shape == (1, 90)


def test_the_scale_is_grey_below_the_cutoff_and_runs_from_dark_to_bright():
    scale = picture.scale(101).astype(int)
    assert (scale[:25] == scale[0, 0]).all()
    np.testing.assert_array_equal(scale[25], [round(255 * part) for part in DARK])
    np.testing.assert_array_equal(scale[100], [round(255 * part) for part in BRIGHTEST])
    assert (np.diff(scale[25:].sum(axis=1)) >= 0).all()


@pytest.mark.parametrize("shape", [(480, 400), (900, 300), (300, 900), (64, 64), (10, 900)])
def test_a_png_is_as_wide_as_it_says_and_not_higher(make, shape, phantom):
    image = opened(picture.png(make(picture=phantom(*shape)), 1))
    assert image.width == picture.SIDE
    assert image.height <= picture.SIDE


def test_the_caption_says_all_that_must_be_known(make):
    words = said(make())
    for fact in (
        *("phantom.dcm", "“Finding”", "0.634", "0.400", "Baseline CNN", "tensorflow-cpu-1a2b3c4d"),
        *("0123456789ab ", "2026-11-22 20:29 UTC", "Research use only", "not a medical device"),
        *("does not outline the lesion", "below 0.25 nothing is drawn"),
    ):
        assert fact in words
    assert "rule out" not in words


def test_the_caption_is_in_the_pixels(make):
    result = make()
    shown = picture.captioned(result, 1, 512)
    other = picture.captioned(make(name="another.dcm"), 1, 512)
    changed = np.flatnonzero((shown != other).any(axis=(1, 2)))
    assert changed.size  # the first line of the strip, and nothing else
    assert changed[-1] - changed[0] < 20
    below = picture.captioned(result, 1, 512)[changed[-1] + 1 :]
    assert (below > 200).any()


def test_the_caption_speaks_spanish(make):
    words = said(make(language="es", probabilities=(0.81, 0.19)))
    assert "probabilidad 0,190" in words
    assert "Solo investigación" in words
    assert "No descarta enfermedad." in words
    assert "no delimita la lesión" in words


def test_a_film_below_the_threshold_is_never_shown_without_the_warning(make):
    for label in (0, 1):
        words = said(make(probabilities=(0.7, 0.3)), label)
        assert "Below the threshold" in words
        assert "Does not rule out disease." in words


def test_an_empty_map_is_told_from_an_error(make, spot):
    result = make(maps=np.stack([spot(0.5, 0.5), np.zeros((33, 33), np.float32)]), orientation=None)
    assert "no evidence for this class" in said(result, 1)
    assert "no evidence for this class" not in said(result, 0)
    weak = make(maps=np.full((2, 5, 5), 0.2, np.float32))
    assert "none reaches 0.25" in said(weak)
    plain = picture.blended(result.picture, result.maps[1])
    np.testing.assert_array_equal(plain, np.repeat(result.picture[..., None], 3, axis=2))


def test_synthetic_training_is_said(make):
    model = make().model
    assert "synthetic" not in said(make())
    trained = type(model)(model.title, model.version, model.weights, synthetic=True)
    assert "trained on synthetic images" in said(make(model=trained))


def test_the_text_chunks_say_what_the_caption_says(make):
    result = make(name="señora 漢.png")
    text = opened(picture.png(result, 0)).text
    assert text["Title"] == "señora 漢.png"
    assert text["Description"].splitlines()[1] == "Evidence for “No finding” · probability 0.366"
    assert text["Disclaimer"] == "Research use only · not a medical device"
    assert text["Creation Time"] == "2026-11-22T20:29:31Z"
    assert text["radzoo:weights_sha256"] == result.model.weights
    assert float(text["radzoo:probability"]) == pytest.approx(0.3661)
    assert float(text["radzoo:threshold"]) == 0.4


def test_the_same_result_gives_the_same_picture(make):
    assert picture.png(make(), 1) == picture.png(make(), 1)


def test_hostile_names_are_drawn_and_nothing_unseen_is_kept(make, hostile):
    result = make(**hostile)
    image = opened(picture.png(result, 1))
    assert image.height <= picture.SIDE
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in image.text["Title"]
    assert "\N{REPLACEMENT CHARACTER}" in image.text["Title"]


def test_sides_are_marked_where_the_file_says_which_is_which(make):
    assert facts.sides(make(orientation=("L", "F"))) == ("R", "L")
    assert facts.sides(make(orientation=("L", "F"), language="es")) == ("D", "I")
    assert facts.sides(make(orientation=("R", "F"))) == ("L", "R")
    assert facts.sides(make(orientation=("P", "F"))) == ("A", "P")
    assert facts.sides(make(orientation=None)) is None
    marked = picture.captioned(make(), 1, 512)
    bare = picture.captioned(make(orientation=None), 1, 512)
    columns = np.flatnonzero((marked != bare).any(axis=(0, 2)))
    assert columns.min() < 100
    assert columns.max() > 350


@pytest.mark.parametrize(
    ("probability", "threshold", "shown"),
    [
        (0.6339, 0.4, ("0.634", "0.400")),
        (0.39996, 0.4, ("0.39996", "0.40000")),
        (0.4, 0.4, ("0.400", "0.400")),
        (0.39951, 0.4, ("0.3995", "0.4000")),
    ],
)
def test_figures_show_on_which_side_of_the_threshold_a_film_is(make, probability, threshold, shown):
    result = make(probabilities=(1 - probability, probability), threshold=threshold)
    assert facts.figures(result) == shown


@pytest.mark.parametrize(
    ("probability", "language", "shown"),
    [
        *((0.0, "en", "<1%"), (0.004, "en", "<1%"), (0.006, "en", "1%"), (0.634, "en", "63%")),
        *((0.994, "en", "99%"), (0.9996, "en", ">99%"), (1.0, "es", ">99\xa0%")),
    ],
)
def test_no_percentage_says_never_or_always(make, probability, language, shown):
    result = make(probabilities=(1 - probability, probability), language=language)
    assert facts.percentage(result) == shown
