"""Every architecture keeps the same promises; a new one is tested by being registered."""

import pytest

from radzoo import zoo

# What the legacy engine can rebuild from a neutral graph.
NEUTRAL = {
    "InputLayer",
    "Conv2D",
    "SeparableConv2D",
    "DepthwiseConv2D",
    "BatchNormalization",
    "Activation",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "Flatten",
    "Dropout",
    "Dense",
    "Add",
    "Concatenate",
    "Rescaling",
    "ZeroPadding2D",
    "Reshape",
    "Multiply",
}
every_architecture = pytest.mark.parametrize("name", zoo.names())


def names_of(fact):
    return [layer["name"] for layer in fact["layers"]]


def layer_of(fact, name):
    return next(layer for layer in fact["layers"] if layer["name"] == name)


@every_architecture
def test_says_what_it_is(name):
    entry = zoo.get(name)
    assert entry.source
    assert entry.licence
    assert entry.summary.endswith(".")
    assert entry.value_range == (0.0, 1.0)
    assert entry.blocks
    assert min(entry.input_shape[:2]) >= entry.minimum_size


@every_architecture
def test_every_option_is_documented(name):
    entry = zoo.get(name)
    for option in entry.options:
        assert f"{option}:" in entry.factory.__doc__


@every_architecture
def test_has_the_parameters_it_declares(name, facts):
    assert facts[name]["parameters"] == zoo.get(name).parameters


@every_architecture
def test_takes_images_of_its_default_shape(name, facts):
    assert facts[name]["input"] == ["images", *zoo.get(name).input_shape, "float32"]


@every_architecture
def test_ends_in_scores_and_probabilities(name, facts):
    scores, probabilities = facts[name]["layers"][-2:]
    assert (scores["name"], scores["kind"]) == ("scores", "Dense")
    assert (probabilities["name"], probabilities["kind"]) == ("probabilities", "Activation")
    assert facts[name]["sums"] == pytest.approx([1, 1], abs=1e-5)


@every_architecture
def test_is_not_compiled(name, facts):
    assert not facts[name]["compiled"]


@every_architecture
def test_can_be_rebuilt_by_the_legacy_engine(name, facts):
    assert {layer["kind"] for layer in facts[name]["layers"]} <= NEUTRAL
    assert all(layer["ours"] for layer in facts[name]["layers"])


@every_architecture
def test_heatmaps_read_a_grid_after_which_no_layer_convolves(name, facts):
    layers, heatmap = facts[name]["layers"], zoo.get(name).heatmap_layer
    assert len(layer_of(facts[name], heatmap)["shape"]) == 3
    after = layers[names_of(facts[name]).index(heatmap) + 1 :]
    assert not [layer["name"] for layer in after if "Conv2D" in layer["kind"]]


@every_architecture
def test_blocks_end_at_its_layers_in_order(name, facts):
    ends = [names_of(facts[name]).index(layer) for layer in zoo.get(name).blocks.values()]
    assert ends == sorted(ends)


@every_architecture
def test_works_at_its_minimum_size_with_three_classes(name, facts):
    fact = facts[f"{name} at its minimum"]
    assert fact["output"] == [2, 3]
    assert fact["sums"] == pytest.approx([1, 1], abs=1e-5)


@every_architecture
def test_names_of_layers_and_weights_do_not_depend_on_what_was_built_before(name, facts):
    first, second = facts[name], facts[f"{name} at its minimum"]
    assert names_of(first) == names_of(second)
    assert first["weights"] == second["weights"]
    assert len(set(first["weights"])) == len(first["weights"])


def test_baseline_has_the_parameters_of_its_layers(facts):
    # 64 - 2 - 2 = 60 pixels a side, halved: 30
    convolutions = (3 * 3 * 1 + 1) * 32 + (3 * 3 * 32 + 1) * 32
    dense = (30 * 30 * 32 + 1) * 64 + (64 + 1) * 2
    assert facts["baseline_cnn"]["parameters"] == convolutions + dense
    assert facts["best on nodules"]["parameters"] == convolutions + dense


def test_batch_normalisation_adds_four_numbers_a_channel_and_half_of_them_are_trained(facts):
    added = facts["batch_norm_cnn"]["parameters"] - facts["baseline_cnn"]["parameters"]
    assert added == 4 * (32 + 32 + 64)
    assert facts["batch_norm_cnn"]["non_trainable"] == added / 2


def test_chest_xray_has_the_parameters_of_its_layers(facts):
    kernels = (11 * 11 * 1 + 1) * 32 + (7 * 7 * 32 + 1) * 32
    kernels += (5 * 5 * 32 + 1) * 32 + (3 * 3 * 32 + 1) * 32
    normalisations = 4 * 1 + 4 * (4 * 32)
    dense = (8 * 8 * 32 + 1) * 64 + (64 + 1) * 2  # 128 pixels halved four times: 8
    assert facts["chest_xray_cnn"]["parameters"] == kernels + normalisations + dense


def test_chest_xray_with_three_blocks_still_has_its_heatmap_layer(facts):
    fact = facts["three blocks"]
    assert layer_of(fact, "last_conv")["shape"] == [32, 32, 32]
    assert "block3_conv" not in names_of(fact)


def test_chest_xray_with_one_more_dense_layer(facts):
    assert layer_of(facts["2x dense"], "extra_dense")["parameters"] == (64 + 1) * 16


def test_chest_xray_refuses_more_blocks_than_kernels():
    with pytest.raises(ValueError, match="blocks=4 needs as many kernels"):
        zoo.build("chest_xray_cnn", None, 2, kernels=(3, 3, 3))


def test_a_plug_in_named_by_its_address_is_built(facts):
    if "plug-in" not in facts:
        pytest.skip("the examples are not beside these tests")
    # a stem, two convolutions in each of three blocks, the scores
    expected = (3 * 3 * 1 + 1) * 32 + 6 * (3 * 3 * 32 + 1) * 32 + (32 + 1) * 2
    assert facts["plug-in"]["parameters"] == expected
