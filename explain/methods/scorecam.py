"""Score-CAM: each channel counts by the probability of the image seen through it; no gradients."""

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import method

MOST_CHANNELS = 128  # those that differ most over the grid: InceptionV3 has 2,048


@method(source="Wang et al., Score-CAM, CVPR Workshops 2020. arXiv:1910.01279")
def scorecam(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """Channels weighted by the probability of the image seen through each; needs no gradients.

    As in the authors' program a channel's weight is the probability itself: the paper takes
    that of an empty image off, and the softmax over channels. Of more than 128 channels those
    are taken that differ most over the grid ("Faster Score-CAM").
    """
    activations = network.activations(images)
    return np.stack([_of_one(network, *pair) for pair in zip(images, activations, strict=True)])


def _of_one(
    network: Network, image: NDArray[np.float32], activations: NDArray[np.float32]
) -> NDArray[np.floating]:
    """(classes, rows, columns) of one image, of its (rows, columns, channels) activations."""
    spreads = activations.std(axis=(0, 1))
    chosen = np.argsort(-spreads, kind="stable")[:MOST_CHANNELS]
    channels = activations[..., chosen].transpose(2, 0, 1)
    masks = _from_0_to_1(network.spread(channels, image.shape[:2]))
    weights = network.probabilities(image[None] * masks[..., None])
    return np.maximum(np.einsum("krc,kl->lrc", channels, weights), 0)


def _from_0_to_1(maps: NDArray[np.floating]) -> NDArray[np.float32]:
    """Stretch each to the whole range; one that is the same everywhere hides all."""
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    stretched = np.zeros(maps.shape, np.float32)
    np.divide(maps - low, high - low, out=stretched, where=high > low)
    return stretched
