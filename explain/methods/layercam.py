"""LayerCAM: each cell of each channel counts by its own gradient, where that is positive."""

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import method


@method(source="Jiang et al., LayerCAM, IEEE Trans. Image Processing 30 (2021), 5875-5888")
def layercam(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
    """Cells of the last convolution, each weighted by its own gradient where that is positive."""
    return evidence(*network.gradients(images))


def evidence(activations: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray:
    """Arguments and result as for `gradcam.evidence`.

    Source:
        Jiang et al., equations 4 to 6.
    """
    rising = np.maximum(gradients, 0)
    return np.maximum(np.einsum("nrck,nlrck->nlrc", activations, rising, optimize=True), 0)
