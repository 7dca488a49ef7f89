"""Grad-CAM++: as Grad-CAM, with cells weighted so that several findings count alike."""

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import method


@method(source="Chattopadhay et al., Grad-CAM++, WACV 2018. arXiv:1710.11063")
def gradcam_plus_plus(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """Grad-CAM that weights the cells too, so that several findings of one kind count alike."""
    return evidence(*network.gradients(images))


def evidence(activations: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray:
    """Arguments and result as for `gradcam.evidence`.

    The class score S stands for exp(S), whose derivatives are powers of the gradient g times
    exp(S). That factor, the same for all cells, is left out: it would blow one class's map up
    beside the other's. As in the authors' program, the weights of a channel's cells are divided
    by their sum.

    Source:
        Chattopadhay et al., equations 5, 10 and 19.
    """
    activations, gradients = activations.astype(np.float64), gradients.astype(np.float64)
    squares = gradients**2
    sums = activations.sum(axis=(1, 2))[:, None, None, None]
    below = 2 * squares + sums * gradients**3
    alphas = np.divide(squares, below, out=np.zeros_like(below), where=below != 0)
    total = alphas.sum(axis=(2, 3), keepdims=True)
    alphas = np.divide(alphas, total, out=np.zeros_like(alphas), where=total != 0)
    weights = (alphas * np.maximum(gradients, 0)).sum(axis=(2, 3))
    return np.maximum(np.einsum("nrck,nlk->nlrc", activations, weights, optimize=True), 0)
