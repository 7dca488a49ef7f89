"""Saliency: how much the class score changes with each pixel, smoothed over noise."""

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import method

SAMPLES = 16
NOISE = 0.1  # standard deviation, as a share of the image's own range of values
SEED = 0  # the same noise for every image, class and backend


@method(source="Simonyan et al., arXiv:1312.6034", grid="pixels")
def saliency(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """How much the class score changes with each pixel: its absolute gradient."""
    return steepness(_gradients(network, images))


@method(source="Smilkov et al., SmoothGrad. arXiv:1706.03825", grid="pixels")
def smoothgrad(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """Saliency of the mean gradient over 16 noisy copies, in which its speckle averages out."""
    ranges = np.ptp(images, axis=(1, 2, 3), keepdims=True)
    random = np.random.default_rng(SEED)
    total: NDArray[np.floating] = np.zeros(())
    for _ in range(SAMPLES):
        noise = random.standard_normal(images.shape[1:], dtype=np.float32)
        total = total + _gradients(network, images + NOISE * ranges * noise)
    return steepness(total / SAMPLES)


def steepness(gradients: NDArray[np.floating]) -> NDArray[np.floating]:
    """(..., rows, columns) of gradients (..., rows, columns, channels): the steepest channel."""
    return np.abs(gradients).max(axis=-1)


def _gradients(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    return network.gradients(images, layer=network.images)[1]
