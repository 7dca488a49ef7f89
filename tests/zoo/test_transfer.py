"""The architectures upon keras.applications are those networks, with names that stay."""

import pytest

from radzoo import zoo

# of keras.applications with include_top=False: parameters, layers with weights
BASES = {
    "inception_v3_transfer": (21_802_784, 2 * 94),  # convolutions, each with its normalisation
    "densenet121_transfer": (7_037_504, 120 + 121),  # as many convolutions, and one last norm
    "efficientnet_v2_transfer": (5_919_312, 75 + 16 + 59),  # 16 of the convolutions by channel
}
CHANNELS = {
    "inception_v3_transfer": 2048,
    "densenet121_transfer": 1024,
    "efficientnet_v2_transfer": 1280,
}
each = pytest.mark.parametrize("name", BASES)


def names_of(fact):
    return [layer["name"] for layer in fact["layers"]]


def test_every_architecture_with_published_weights_is_looked_at_here():
    assert {entry.name for entry in zoo.entries() if entry.pretrained} == set(BASES)


@each
def test_parameters_are_those_of_the_base_and_the_head(name, facts):
    base, _ = BASES[name]
    assert facts[name]["parameters"] == base + (CHANNELS[name] + 1) * 64 + (64 + 1) * 2


@each
def test_weights_pair_up_with_keras_applications_and_see_pixels_scaled_as_there(name, facts):
    pairing = facts[f"{name} in colour"]["pairing"]
    assert pairing["layers"] == BASES[name][1]
    assert pairing["left"] == ["dense", "scores"]
    assert pairing["spread"] > 1e-4  # what is compared is not constant
    assert pairing["error"] < 1e-5


@pytest.mark.parametrize("name", ["densenet121_transfer", "efficientnet_v2_transfer"])
def test_layers_with_weights_are_called_as_in_keras_applications(name, facts):
    assert all(ours == theirs for ours, theirs in facts[f"{name} in colour"]["pairing"]["names"])


@each
def test_blocks_end_where_keras_applications_ends_them(name, facts):
    theirs = facts[f"{name} in colour"]["pairing"]["theirs"]
    blocks = dict(zoo.get(name).blocks)
    assert blocks.pop("base") == theirs[-1] or name == "inception_v3_transfer"
    if name != "inception_v3_transfer":  # its poolings have numbers for names
        assert set(blocks.values()) <= set(theirs)


def test_the_cut_of_the_thesis_freezes_249_layers(facts):
    theirs = facts["inception_v3_transfer in colour"]["pairing"]["theirs"]
    assert theirs[248] == zoo.get("inception_v3_transfer").blocks["all_but_last_two"]
    assert theirs.index("mixed8") + 1 == 249


def test_layers_are_numbered_from_one(facts):
    names = set(names_of(facts["inception_v3_transfer"]))
    assert {f"conv2d_{n}" for n in range(1, 95)} <= names
    assert "conv2d_95" not in names
    assert "conv2d" not in names


@each
def test_grey_is_repeated_inside_the_model_and_rgb_is_not(name, facts):
    assert names_of(facts[name])[:3] == ["images", "grey_to_rgb", "rescaling"]
    assert names_of(facts[f"{name} in colour"])[:2] == ["images", "rescaling"]


@each
def test_the_default_size_leaves_a_grid_for_heatmaps(name, facts):
    side = 3 if name == "inception_v3_transfer" else 4
    shapes = {layer["name"]: layer["shape"] for layer in facts[name]["layers"]}
    assert shapes[zoo.get(name).heatmap_layer] == [side, side, CHANNELS[name]]


@each
def test_two_channels_are_refused(name):
    side = zoo.get(name).minimum_size
    with pytest.raises(ValueError, match=r"1 \(grey\) or 3 channels"):
        zoo.build(name, None, 2, input_shape=(side, side, 2))


def test_residual_branches_are_dropped_more_often_the_deeper_they_lie(facts):
    """21 blocks; the rate of block b, counted from 0, is a share b / 21 of the whole."""
    rates = facts["half as many drops"]["rates"]
    assert rates["block2b_drop"] == pytest.approx(0.1 * 2 / 21)
    assert rates["block6h_drop"] == pytest.approx(0.1 * 20 / 21)
