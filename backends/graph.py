"""The neutral layer graph: what a backend without Keras 3 needs to rebuild a model.

    {"format": 1, "name": "tiny_cnn", "input": "images", "output": "probabilities",
     "layers": [{"name": "block1", "op": "Conv2D", "options": {"filters": 16, ...},
                 "inputs": ["images"], "weights": ["block1/kernel", "block1/bias"]}, ...]}

Layers stand in an order in which each comes after its inputs. `op` and `options` are the
Keras 3 layer's class and configuration; `weights` name the arrays of the weights file.
"""

from typing import Any

FORMAT = 1

# Of a layer's configuration, what says how it computes stays; how it was made does not.
_LEFT_OUT = ("name", "trainable", "dtype", "batch_shape", "sparse", "ragged", "optional", "seed")


def from_model(model: Any) -> dict[str, Any]:
    """Write a functional Keras 3 model as a graph.

    Args:
        model: one input, one output, made of layers only.

    Raises:
        ValueError: the model has several inputs or outputs, a model as a layer, or a layer
            that is used twice; the message names it.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            f"A graph has one input and one output; model {model.name!r} has "
            f"{len(model.inputs)} and {len(model.outputs)}."
        )
    return {
        "format": FORMAT,
        "name": model.name,
        "input": _source(model.inputs[0]),
        "output": _source(model.outputs[0]),
        "layers": [_layer(layer, model) for layer in model.layers],
    }


def _layer(layer: Any, model: Any) -> dict[str, Any]:
    if hasattr(layer, "layers"):
        raise ValueError(f"Layer {layer.name!r} is a model of its own; call its layers one by one.")
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]
    calls = [node for node in layer._inbound_nodes if node in nodes]
    if len(calls) != 1:  # calls in other models, such as those cut for heatmaps, do not count
        raise ValueError(f"Layer {layer.name!r} is used more than once.")
    return {
        "name": layer.name,
        "op": type(layer).__name__,
        "options": _options(layer),
        "inputs": [_source(tensor) for tensor in calls[0].input_tensors],
        "weights": [weight.path for weight in layer.weights],
    }


def _source(tensor: Any) -> str:
    """The name of the layer that makes a symbolic tensor."""
    return tensor._keras_history.operation.name


def _options(layer: Any) -> dict[str, Any]:
    options = {
        key: value
        for key, value in layer.get_config().items()
        if key not in _LEFT_OUT and not key.endswith(("_initializer", "_constraint"))
    }
    if not layer._inbound_nodes[0].input_tensors:
        options["shape"] = list(layer.output.shape[1:])
    return options
