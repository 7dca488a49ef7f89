"""Deletion and insertion: whether the probability follows what the heatmap calls important."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

STEPS = 16
SEED = 0

Predict = Callable[[NDArray[np.float32]], NDArray[np.floating]]


def areas(
    predict: Predict, image: NDArray[np.float32], share: NDArray[np.floating], label: int
) -> tuple[float, float]:
    """Areas under the deletion and the insertion curve of one image.

    Pixels are taken away (turned into a blurred image, which holds no detail but no sharp edge
    either) or put back in the order of the map, a sixteenth at a time. A map that is right makes
    the probability fall fast in deletion and rise fast in insertion.

    Args:
        predict: images (k, rows, columns, channels) -> probabilities (k, classes).
        image: (rows, columns, channels).
        share: (rows, columns), the map.
        label: whose probability is followed.

    Returns:
        Mean probability over the steps of deletion and of insertion, each in [0, 1].

    Source:
        Petsiuk et al., RISE, BMVC 2018. arXiv:1806.07421
    """
    ranks = _ranks(share)
    blurred = _blurred(image)
    steps = np.arange(STEPS + 1) / STEPS
    gone = [np.where((ranks < step)[..., None], blurred, image) for step in steps]
    shown = [np.where((ranks < step)[..., None], image, blurred) for step in steps]
    odds = predict(np.stack(gone + shown))[:, label].reshape(2, STEPS + 1)
    return float(np.trapezoid(odds[0], steps)), float(np.trapezoid(odds[1], steps))


def random_map(shape: tuple[int, ...]) -> NDArray[np.floating]:
    """An order of pixels that knows nothing, the same for every image."""
    return np.random.default_rng(SEED).random(shape)


def _ranks(share: NDArray[np.floating]) -> NDArray[np.floating]:
    """From 0, the most important pixel, to 1; equal ones in a random order."""
    ties = np.random.default_rng(SEED).random(share.size)
    order = np.lexsort((ties, -share.ravel()))
    ranks = np.empty(share.size)
    ranks[order] = np.arange(share.size) / share.size
    return ranks.reshape(share.shape)


def _blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without what is smaller than a quarter of the image."""
    import cv2

    blurred = cv2.GaussianBlur(image, (0, 0), sigmaX=min(image.shape[:2]) / 8)
    return blurred.reshape(image.shape).astype(np.float32)
