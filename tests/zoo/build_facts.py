"""Build the models named on stdin and print what they are; run by the fixture `facts`.

stdin: JSON, label -> [name, classes, options]. Last line of stdout: JSON, label -> facts.
"""

import json
import sys

import keras
import numpy as np

from radzoo import zoo

MODULES = {
    "InceptionV3": "inception_v3",
    "DenseNet121": "densenet",
    "EfficientNetV2B0": "efficientnet_v2",
}


def facts_of(model):
    shape = model.inputs[0].shape[1:]
    images = np.random.default_rng(0).random((2, *shape), dtype=np.float32)
    probabilities = keras.ops.convert_to_numpy(model(images))
    return {
        "input": [model.inputs[0].name, *shape, model.inputs[0].dtype],
        "output": list(probabilities.shape),
        "sums": [float(row.sum()) for row in probabilities],
        "parameters": model.count_params(),
        "non_trainable": sum(int(np.prod(w.shape)) for w in model.non_trainable_weights),
        "compiled": bool(model.compiled),
        "rates": {layer.name: layer.rate for layer in model.layers if hasattr(layer, "rate")},
        "weights": [weight.path for weight in model.weights],
        "layers": [layer_facts(layer) for layer in model.layers],
    }


def layer_facts(layer):
    return {
        "name": layer.name,
        "kind": type(layer).__name__,
        "ours": type(layer).__module__.startswith("keras."),
        "shape": list(layer.output.shape[1:]),
        "parameters": layer.count_params(),
    }


def imagenet_pairing(name, model):
    """Give our model the weights of keras.applications, layer by layer; compare what both say.

    Theirs gets pixels in [0, 255] through its own `preprocess_input`.
    """
    entry, shape = zoo.get(name), model.inputs[0].shape[1:]
    make = getattr(keras.applications, entry.pretrained)
    theirs = make(include_top=False, weights=None, input_shape=shape)
    with_weights = [layer for layer in model.layers if layer.weights]
    pairs = list(zip(with_weights, [x for x in theirs.layers if x.weights], strict=False))
    random = np.random.default_rng(0)
    for ours, other in pairs:
        values = [random.uniform(0.5, 1.5, w.shape) / np.prod(w.shape[:-1]) for w in other.weights]
        other.set_weights(values)
        ours.set_weights(values)
    images = random.random((1, *shape), dtype=np.float32)
    base = keras.Model(model.inputs, model.get_layer(entry.heatmap_layer).output)
    preprocess = getattr(keras.applications, MODULES[entry.pretrained]).preprocess_input
    expected = keras.ops.convert_to_numpy(theirs(preprocess(images * 255)))
    got = keras.ops.convert_to_numpy(base(images))
    return {
        "layers": len(pairs),
        "left": [layer.name for layer in with_weights[len(pairs) :]],
        "names": [[ours.name, other.name] for ours, other in pairs],
        "error": float(np.abs(got - expected).max() / np.abs(expected).max()),
        "spread": float(expected.std() / np.abs(expected).max()),
        "theirs": [layer.name for layer in theirs.layers],
    }


if __name__ == "__main__":
    found = {}
    for label, (name, classes, options) in json.load(sys.stdin).items():
        model = zoo.build(name, keras, classes, **options)
        found[label] = facts_of(model)
        if label.endswith(" in colour"):
            found[label]["pairing"] = imagenet_pairing(name, model)
    sys.stdout.write(json.dumps(found) + "\n")
