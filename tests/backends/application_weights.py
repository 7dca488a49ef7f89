"""Write weights of a Keras application without its top, as Keras 2 did and as Keras 3 does.

    python application_weights.py APPLICATION SIDE FOLDER

writes `published_notop.h5`, `saved.weights.h5`, and `expected.npz`: each layer's weights by
"LAYER/NUMBER".
"""

import sys
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

if __name__ == "__main__":
    name, side, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    make = getattr(keras.applications, name)
    model = make(include_top=False, weights=None, input_shape=(side, side, 3))
    draw = np.random.default_rng(0)
    expected = {}
    for layer in model.layers:
        values = [draw.random(weight.shape, dtype="float32") for weight in layer.weights]
        layer.set_weights(values)
        expected.update({f"{layer.name}/{n}": value for n, value in enumerate(values)})
    with h5py.File(folder / "published_notop.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    model.save_weights(folder / "saved.weights.h5")
    np.savez(folder / "expected.npz", **expected)
