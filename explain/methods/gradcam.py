"""Grad-CAM: each channel of a layer counts by how much the class score rises with its mean."""

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import method


@method(source="Selvaraju et al., Grad-CAM, ICCV 2017. arXiv:1610.02391")
def gradcam(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """Channels of the last convolution, each weighted by the mean gradient of the class score."""
    return evidence(*network.gradients(images))


def evidence(activations: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray:
    """Show where in images the evidence for each class lies.

    Args:
        activations: (images, rows, columns, channels) of a layer.
        gradients: (images, classes, rows, columns, channels) of the class scores, before the
            softmax, by `activations`.

    Returns:
        (images, classes, rows, columns), at least 0; not scaled.

    Source:
        Selvaraju et al., equations 1 and 2.

    >>> activations = np.array([[[[2.0, 9.0], [4.0, 9.0]]]])
    >>> evidence(activations, np.array([[[[[1.0, 0.0], [1.0, 0.0]]]]]))
    array([[[[2., 4.]]]])
    """
    weights = gradients.mean(axis=(2, 3))
    return np.maximum(np.einsum("nrck,nlk->nlrc", activations, weights, optimize=True), 0)
