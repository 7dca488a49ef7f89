"""Where the cells of a layer lie, worked out by hand."""

import numpy as np
import pytest

from radzoo.errors import UnknownName, UnsupportedModel
from radzoo.explain import geometry
from radzoo.explain.geometry import Axis, Grid
from radzoo.explain.network import grid_of


def chain(size, *layers):
    graph = [
        {"name": "images", "op": "InputLayer", "inputs": [], "options": {"shape": [size, size, 1]}}
    ]
    for number, (op, options) in enumerate(layers):
        inputs = [graph[-1]["name"]]
        graph.append({"name": f"{number}", "op": op, "inputs": inputs, "options": options})
    return {"name": "made", "input": "images", "layers": graph}


def conv(kernel, stride=1, padding="valid", dilation=1):
    return "Conv2D", {
        "kernel_size": [kernel] * 2,
        "strides": [stride] * 2,
        "padding": padding,
        "dilation_rate": [dilation] * 2,
    }


def pool(size, stride=None, padding="valid"):
    return "MaxPooling2D", {
        "pool_size": [size] * 2,
        "strides": None if stride is None else [stride] * 2,
        "padding": padding,
    }


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([conv(3)], Axis(62, 1, 1)),
        ([conv(3), conv(3)], Axis(60, 2, 1)),  # baseline_cnn
        ([conv(3), conv(3), pool(2)], Axis(30, 2.5, 2)),
        ([conv(3, padding="same")], Axis(64, 0, 1)),
        # 64 -> 32 with 'same' and stride 2: one row of padding, at the end
        ([conv(3, 2, "same")], Axis(32, 1, 2)),
        ([conv(3, dilation=2)], Axis(60, 2, 1)),
        ([conv(7, 2)], Axis(29, 3, 2)),
        ([pool(3, 2, "same")], Axis(32, 1, 2)),
        ([("ZeroPadding2D", {"padding": [[1, 1], [1, 1]]}), conv(3)], Axis(64, 0, 1)),
        ([("Cropping2D", {"cropping": [[4, 2], [4, 2]]})], Axis(58, 4, 1)),
        ([conv(3), ("Activation", {}), ("Dropout", {})], Axis(62, 1, 1)),
        # chest_xray_cnn: three poolings by 2 put the first of its 16 cells 3.5 pixels inside
        ([conv(5, padding="same"), pool(2)] * 3 + [conv(3, padding="same")], Axis(8, 3.5, 8)),
    ],
)
def test_cells_lie_where_their_windows_have_their_middle(layers, expected):
    graph = chain(64, *layers)
    assert geometry.grids(graph)[str(len(layers) - 1)] == Grid(expected, expected)


def test_a_layer_after_flattening_has_no_grid():
    graph = chain(8, conv(3), ("Flatten", {}), ("Dense", {}))
    assert list(geometry.grids(graph).values())[2:] == [None, None]
    with pytest.raises(UnsupportedModel, match=r"Layer '2' of made has no grid .* is '0'"):
        grid_of(graph, "2")
    with pytest.raises(UnknownName, match="No layer is called '7'"):
        grid_of(graph, "7")


def test_a_model_without_any_grid_says_so():
    graph = chain(8, ("Flatten", {}))
    graph["layers"][0]["options"]["shape"] = [8]
    with pytest.raises(UnsupportedModel, match="No layer has"):
        grid_of(graph, "0")


def test_maps_stand_at_their_middles_and_are_linear_between():
    grid = Grid(Axis(2, 1, 2), Axis(1, 0, 1))
    spread = geometry.spread(np.array([[0.0], [1.0]]), grid, 5, 2)
    np.testing.assert_allclose(spread, np.repeat([[0], [0], [0.5], [1], [1]], 2, axis=1))


def test_a_map_on_the_pixels_stays_as_it_is():
    grid = Grid(Axis(4, 0, 1), Axis(4, 0, 1))
    map_ = np.random.default_rng(0).random((3, 4, 4)).astype("float32")
    np.testing.assert_array_equal(geometry.spread(map_, grid, 4, 4), map_)


@pytest.mark.parametrize(
    ("architecture", "layer", "allowed"),  # in cells: the filters of new networks lean a little
    [
        ("baseline_cnn", "pool", 0.25),
        ("xception_small", "sep9_norm", 0.4),
        ("inception_v3_transfer", "mixed3", 0.25),
    ],
)
def test_cells_lie_where_a_bright_dot_lights_them(architecture, layer, allowed, network_of):
    """An independent look: where the answer changes if one pixel does, seen over many pixels."""
    network = network_of(architecture, "tensorflow", layer)
    grid = network.grid
    rows, columns, channels = network.image_shape
    dots = np.linspace(rows * 0.35, rows * 0.65, 6).astype(int)
    grey = np.full((1, rows, columns, channels), 0.5, "float32")
    with_dots = np.repeat(grey, len(dots), axis=0)
    for image, place in zip(with_dots, dots, strict=True):
        image[place, columns // 2] = 1.0
    answers = network.activations(with_dots) - network.activations(grey)
    strength = np.abs(answers).sum(axis=(2, 3))
    middles = (strength @ np.arange(strength.shape[1])) / strength.sum(axis=1)
    seen = grid.rows.first + grid.rows.step * middles
    np.testing.assert_allclose((seen - dots).mean(), 0, atol=allowed * grid.rows.step)
