"""What a layer's filters look for: images that each filter answers to most.

Gradient ascent on the image, from the same grey noise for every filter. It shows what a filter
prefers, not what it was shown.

Source:
    Erhan et al., Visualizing higher-layer features of a deep network, 2009.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .network import Network

STEPS = 60
STEP = 0.02  # how far a pixel moves in a step, root mean square, where white is 1
NOISE = 0.05
SEED = 0
BATCH = 32


def ascend(
    network: Network, layer: str, channels: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find an image for each filter of a layer.

    Args:
        network: whose filters they are.
        layer: on a grid.
        channels: which of its filters.

    Returns:
        Images (filters, rows, columns, channels) in [0, 1], and the mean answer of each filter at
        the start and at the end, (filters, 2). A filter that answers to nothing keeps the noise.
    """
    found = []
    for start in range(0, len(channels), BATCH):
        batch = channels[start : start + BATCH]
        found.append(_ascended(network, layer, np.array(batch)))
    images, answers = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return images, answers


def _ascended(
    network: Network, layer: str, channels: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(SEED)
    noise = random.standard_normal(network.image_shape, dtype=np.float32)
    images = np.repeat((0.5 + NOISE * noise)[None], len(channels), axis=0)
    first = _answers(network, layer, channels, images)
    for _ in range(STEPS):
        _, gradients = network.gradients(
            images, layer=network.images, of=layer, choices=channels[:, None]
        )
        steps = gradients[:, 0]
        lengths = np.sqrt((steps**2).mean(axis=(1, 2, 3), keepdims=True))
        directions = np.divide(steps, lengths, out=np.zeros_like(steps), where=lengths > 0)
        images = np.clip(images + STEP * directions, 0, 1)
    last = _answers(network, layer, channels, images)
    return images, np.stack([first, last], axis=1)


def _answers(
    network: Network, layer: str, channels: NDArray[np.integer], images: NDArray[np.float32]
) -> NDArray[np.float32]:
    maps = network.activations(images, layer)
    return maps[np.arange(len(channels)), :, :, channels].mean(axis=(1, 2))
