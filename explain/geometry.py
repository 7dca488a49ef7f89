"""Where the cells of a layer lie in the image, from the layer graph alone.

A cell of a layer sees a window of the image; it stands for the middle of that window. Unpadded
convolutions move the middles inwards and strides move them apart, so a map that is just stretched
to the image's size lies beside what it shows: by 2 pixels at the borders of `baseline_cnn`, and by
17 in InceptionV3 at 150 pixels.

>>> graph = {"layers": [
...     {"name": "images", "op": "InputLayer", "inputs": [], "options": {"shape": [8, 8, 1]}},
...     {"name": "conv", "op": "Conv2D", "inputs": ["images"], "options": {
...         "kernel_size": [3, 3], "strides": [2, 2], "padding": "valid"}}]}
>>> grids(graph)["conv"].rows
Axis(cells=3, first=1.0, step=2.0)
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_KEEPS_PLACES = {
    *("Activation", "ELU", "GELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"),
    *("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "UnitNormalization"),
    *("Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout2D"),
    *("ActivityRegularization", "Identity", "Normalization", "Rescaling"),
}
_WINDOWS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"}


class Axis(NamedTuple):
    """The cells of a layer along the rows or the columns.

    Attributes:
        cells: how many.
        first: the middle of the first, in pixels of the image; 0 is the middle of its first pixel.
        step: from the middle of one to that of the next, in pixels.
    """

    cells: int
    first: float
    step: float


class Grid(NamedTuple):
    """The cells of a layer."""

    rows: Axis
    columns: Axis

    def __str__(self) -> str:
        return f"{self.rows.cells} x {self.columns.cells}"


def grids(graph: Mapping[str, Any]) -> dict[str, Grid | None]:
    """The grid of every layer of a model, None for those that have none.

    Args:
        graph: see backends/graph.py.
    """
    found: dict[str, Grid | None] = {}
    for layer in graph["layers"]:
        before = [found[name] for name in layer["inputs"] if found[name] is not None]
        found[layer["name"]] = _grid(layer, before[0] if before else None)
    return found


def spread(maps: NDArray[Any], grid: Grid, rows: int, columns: int) -> NDArray[np.float32]:
    """Bring maps to the size of the image: our one rule for it.

    The value of a cell stands at the middle of what the cell sees; between middles it is
    interpolated linearly, and beyond the outermost ones it stays as it is.

    Args:
        maps: (..., rows, columns) of the grid.
        grid: where its cells lie.
        rows, columns: of the image.

    Returns:
        (..., rows, columns) of the image.
    """
    down, across = _weights(grid.rows, rows), _weights(grid.columns, columns)
    return (down @ maps.astype(np.float64) @ across.T).astype(np.float32)


def _weights(axis: Axis, pixels: int) -> NDArray[np.float64]:
    """(pixels, cells): how much each cell counts for each pixel; rows sum to 1."""
    places = np.clip((np.arange(pixels) - axis.first) / axis.step, 0, axis.cells - 1)
    left = np.minimum(places.astype(int), max(axis.cells - 2, 0))
    weights = np.zeros((pixels, axis.cells))
    weights[np.arange(pixels), left] = 1 - (places - left)
    weights[np.arange(pixels), np.minimum(left + 1, axis.cells - 1)] += places - left
    return weights


def _grid(layer: Mapping[str, Any], before: Grid | None) -> Grid | None:
    op, options = layer["op"], layer["options"]
    if op == "InputLayer" and len(options["shape"]) == 3:
        return Grid(*(Axis(cells, 0.0, 1.0) for cells in options["shape"][:2]))
    if before is None or op in _KEEPS_PLACES:
        return before if op in _KEEPS_PLACES else None
    if op in _WINDOWS:
        return Grid(*(_windows(axis, options, place) for place, axis in enumerate(before)))
    if op == "ZeroPadding2D":
        return Grid(*(_grown(a, *more) for a, more in zip(before, options["padding"], strict=True)))
    if op == "Cropping2D":
        cut = [[-less for less in pair] for pair in options["cropping"]]
        return Grid(*(_grown(a, *more) for a, more in zip(before, cut, strict=True)))
    return None


def _windows(axis: Axis, options: Mapping[str, Any], place: int) -> Axis:
    """The cells of a layer that moves a window over those of the layer before."""
    sizes = options["kernel_size"] if "kernel_size" in options else options["pool_size"]
    size, stride = sizes[place], (options["strides"] or sizes)[place]
    seen = (size - 1) * options.get("dilation_rate", (1, 1))[place] + 1
    if options["padding"] == "same":
        cells = -(-axis.cells // stride)
        before = max((cells - 1) * stride + seen - axis.cells, 0) // 2
    else:
        cells, before = (axis.cells - seen) // stride + 1, 0
    return Axis(cells, axis.first + ((seen - 1) / 2 - before) * axis.step, axis.step * stride)


def _grown(axis: Axis, before: int, after: int) -> Axis:
    return Axis(axis.cells + before + after, axis.first - before * axis.step, axis.step)
