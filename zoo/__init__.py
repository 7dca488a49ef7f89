"""The model zoo: from the name of an architecture to an untrained Keras model.

What is known about an architecture can be read without any framework:

>>> from radzoo import zoo
>>> "baseline_cnn" in zoo.names()
True
>>> xception = zoo.get("xception_small")
>>> xception.input_shape, xception.parameters, xception.heatmap_layer
((64, 64, 1), 4972791, 'sep9_norm')
>>> list(xception.options)
['input_shape', 'dense_units', 'dropouts', 'l2']

A worker then hands its Keras over: `zoo.build("xception_small", keras, classes=2)`.
"""

from .registry import (
    Architecture,
    architecture,
    build,
    entries,
    failed_plugins,
    get,
    names,
)

__all__ = [
    "Architecture",
    "architecture",
    "build",
    "entries",
    "failed_plugins",
    "get",
    "names",
]
