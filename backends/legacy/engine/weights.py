"""The arrays of a network (2.7): CNTK's parameters, in and out by Keras 3's names and layouts."""

import cntk
import numpy as np


class Weights(object):
    """All weights of a network, each made once however often the network is built.

    Args:
        arrays: {path: float32 array} in Keras's layout.
    """

    def __init__(self, arrays):
        self._arrays, self._made = arrays, {}

    def of(self, layer):
        """The weights of one layer of the graph."""
        paths = {str(path).rsplit("/", 1)[-1]: path for path in layer["weights"]}
        return LayerWeights(self, paths)

    def make(self, path, order, native):
        """The CNTK parameter of a path."""
        if path not in self._made:
            value = _Weight(path, np.asarray(self._arrays[path]), order, native)
            self._made[path] = value
        return self._made[path].parameter

    def shape(self, path):
        """Of an array, as Keras has it."""
        return self._arrays[path].shape

    def parameter(self, path):
        """What `make` made for a path."""
        return self._made[path].parameter

    def values(self):
        """{path: array} in Keras's layout, now."""
        return {path: weight.value for path, weight in self._made.items()}

    def assign(self, arrays):
        """Set the weights of these paths.

        Raises:
            ValueError: a path is not the network's, or a shape differs.
        """
        for path, array in arrays.items():
            if path not in self._made or self._made[path].shape != array.shape:
                raise ValueError(
                    "Weights {!r} of shape {} do not fit this model.".format(path, array.shape)
                )
            self._made[path].value = array


class LayerWeights(object):
    """The weights of one layer, by the last part of their paths: kernel, bias, gamma."""

    def __init__(self, weights, paths):
        self._weights, self._paths = weights, paths

    def __contains__(self, name):
        return name in self._paths

    def array(self, name, order=None, native=None):
        """The CNTK parameter of a weight.

        Args:
            order: of Keras's axes in CNTK's array; None leaves them.
            native: shape in CNTK after that, if it is another.
        """
        return self._weights.make(self._paths[name], order, native)

    def shape(self, name):
        """Of a weight, as Keras has it."""
        return self._weights.shape(self._paths[name])


class _Weight(object):
    """One parameter and the way between its two layouts."""

    def __init__(self, path, array, order, native):
        self.shape = array.shape
        self._order = tuple(range(array.ndim)) if order is None else order
        turned = array.transpose(self._order)
        self._turned, self._native = turned.shape, native or turned.shape
        self.parameter = cntk.parameter(self._native, init=self._to_native(array), name=str(path))

    def _to_native(self, array):
        turned = np.asarray(array, "float32").transpose(self._order).reshape(self._native)
        return np.ascontiguousarray(turned)

    @property
    def value(self):
        """The array, as Keras has it."""
        turned = np.asarray(self.parameter.value).reshape(self._turned)
        return np.ascontiguousarray(turned.transpose(np.argsort(self._order)))

    @value.setter
    def value(self, array):
        self.parameter.value = self._to_native(array)
