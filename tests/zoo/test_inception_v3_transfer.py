"""`inception_v3_transfer` is keras.applications' InceptionV3, with names that stay."""

import pytest

from radzoo import zoo

BASE = 21_802_784  # keras.applications, include_top=False


def test_parameters_are_those_of_the_base_and_the_head(facts):
    assert facts["inception_v3_transfer"]["parameters"] == BASE + (2048 + 1) * 64 + (64 + 1) * 2


def test_weights_pair_up_with_keras_applications_in_the_order_of_layers(facts):
    pairing = facts["rgb"]["pairing"]
    assert pairing["layers"] == 2 * 94  # 94 convolutions, each with its normalisation
    assert pairing["spread"] > 1e-4  # what is compared is not constant
    assert pairing["error"] < 1e-4


def test_the_cut_of_the_thesis_freezes_249_layers(facts):
    pairing = facts["rgb"]["pairing"]
    assert pairing["layer_248"] == zoo.get("inception_v3_transfer").blocks["all_but_last_two"]
    assert pairing["frozen"] == 249


def test_layers_are_numbered_from_one(facts):
    names = {layer["name"] for layer in facts["inception_v3_transfer"]["layers"]}
    assert {f"conv2d_{n}" for n in range(1, 95)} <= names
    assert "conv2d_95" not in names
    assert "conv2d" not in names


def test_grey_is_repeated_inside_the_model_and_rgb_is_not(facts):
    grey = [layer["name"] for layer in facts["inception_v3_transfer"]["layers"]]
    rgb = [layer["name"] for layer in facts["rgb"]["layers"]]
    assert grey[:3] == ["images", "grey_to_rgb", "rescaling"]
    assert rgb[:2] == ["images", "rescaling"]


def test_the_default_size_leaves_a_grid_for_heatmaps(facts):
    layers = facts["inception_v3_transfer"]["layers"]
    assert next(x["shape"] for x in layers if x["name"] == "mixed10") == [3, 3, 2048]


def test_two_channels_are_refused():
    with pytest.raises(ValueError, match=r"1 \(grey\) or 3 channels"):
        zoo.build("inception_v3_transfer", None, 2, input_shape=(75, 75, 2))
