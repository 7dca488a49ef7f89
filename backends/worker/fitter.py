"""What `training.Training` asks of Keras 3; and weights by name, in and out."""

import os

import keras
import numpy as np
from safetensors.numpy import load_file, save_file

from . import losses
from .memory import peak_mb


def values(model):
    """{path: array} of the weights of a model; copies."""
    return _arrays({weight.path: weight for weight in model.weights})


def needed(model):
    """{path: (shape, dtype)} of the weights of a model."""
    return {weight.path: (tuple(weight.shape), weight.dtype) for weight in model.weights}


def assign(model, arrays):
    """Set the weights named in `arrays`.

    Raises:
        ValueError: a name is not the model's, or a shape differs.
    """
    weights = {weight.path: weight for weight in model.weights}
    for path, array in arrays.items():
        if path not in weights or tuple(weights[path].shape) != array.shape:
            raise ValueError(
                f"Weights {path!r} of shape {array.shape} do not fit model {model.name!r}."
            )
        weights[path].assign(array)


class Fitter:
    """One model in training; see `training` for what each part must do."""

    def __init__(self, model, loss, jit_compile, device):
        self.model, self.jit_compile = model, jit_compile
        self._loss, self._device = loss, device

    def begin_phase(self, phase):
        """Freeze what the phase freezes, and start with a fresh optimiser."""
        frozen = upstream_of(self.model, phase["frozen_until"])
        for layer in self.model.layers:
            layer.trainable = layer.name not in frozen
        options = dict(phase["optimizer"])
        optimizer = keras.optimizers.get({"class_name": options.pop("name"), "config": options})
        if any(layer.compute_dtype == "float16" for layer in self.model.layers):
            # Small gradients are 0 in float16: they are computed of a loss made larger.
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        how = losses.compiled(self._loss)
        self.model.compile(optimizer, jit_compile=self.jit_compile, **how)
        optimizer.build(self.model.trainable_variables)

    def begin_epoch(self, seed):
        """Make dropout, and whatever else is random in the model, a function of `seed`."""
        keras.utils.set_random_seed(seed)
        states = [v for v in self.model.variables if v.path.endswith("seed_generator_state")]
        for number, state in enumerate(states):
            state.assign(np.array([seed % 2**31, number], dtype=state.dtype))

    def step(self, images, labels, weights):
        """One optimiser step -> (loss, accuracy) of the batch before it."""
        logs = self.model.train_on_batch(images, labels, sample_weight=weights, return_dict=True)
        return float(logs["loss"]), float(logs["accuracy"])

    def predict(self, images):
        """Probabilities, float32 (batch, classes)."""
        return self.model.predict_on_batch(images)

    def loss(self, labels, probabilities):
        """Mean loss with the penalties of the layers, as in `step`."""
        loss = losses.each(self._loss)(labels.astype("float32"), probabilities)
        return float(keras.ops.mean(loss)) + sum(float(penalty) for penalty in self.model.losses)

    @property
    def learning_rate(self):
        """Of the optimiser, now."""
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, value):
        self.model.optimizer.learning_rate = value

    def save(self, folder):
        """Write weights and optimiser to a folder."""
        self.save_weights(os.path.join(folder, "weights.safetensors"))
        save_file(_arrays(self._optimizer()), os.path.join(folder, "optimizer.safetensors"))

    def load(self, folder):
        """Read what `save` wrote."""
        self.load_weights(os.path.join(folder, "weights.safetensors"))
        variables = self._optimizer()
        for name, array in load_file(os.path.join(folder, "optimizer.safetensors")).items():
            variables[name].assign(array)

    def load_weights(self, path):
        """Read the weights alone."""
        assign(self.model, load_file(path))

    def save_weights(self, path):
        """Write the weights alone."""
        save_file(values(self.model), path)

    def gradients(self, layer, images, of, choices):
        """See `gradients.of_outputs`."""
        from . import gradients

        return gradients.of_outputs(self.model, layer, of, images, choices)

    def activations(self, layers, images):
        """See `gradients.activations`."""
        from . import gradients

        return gradients.activations(self.model, tuple(layers), images)

    def device_of_weights(self):
        """Where the framework says they are."""
        return self._device.of(self.model.weights[0].value)

    def peak_memory_mb(self):
        """Of this process."""
        return peak_mb()

    def _optimizer(self):
        # By number: their paths count the optimisers that a process has made.
        variables = self.model.optimizer.variables
        return {f"{number:04d}": variable for number, variable in enumerate(variables)}


def _arrays(variables):
    # A copy: torch and JAX hand out views of memory that the next step overwrites.
    return {
        name: np.array(keras.ops.convert_to_numpy(variable.value))
        for name, variable in variables.items()
    }


def upstream_of(model, name):
    """Names of a layer and of all that it depends on; none for None."""
    if name is None:
        return set()
    found, waiting = set(), [model.get_layer(name)]
    while waiting:
        layer = waiting.pop()
        if layer.name not in found:
            found.add(layer.name)
            tensors = layer._inbound_nodes[0].input_tensors
            waiting += [tensor._keras_history.operation for tensor in tensors]
    return found
