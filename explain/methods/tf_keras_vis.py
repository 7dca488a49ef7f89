"""The methods of tf-keras-vis, by its own arithmetic; it runs on TensorFlow only."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ..registry import Function, method

SOURCE = "tf-keras-vis 0.8.7, github.com/keisen/tf-keras-vis"


def _registered(name: str) -> Function:
    def function(network: Network, images: NDArray[np.float32]) -> NDArray[np.floating]:
        return network.keras_vis(images, name)

    function.__doc__ = f"{name} by tf-keras-vis, on TensorFlow only."
    grid = partial(method, grid="pixels") if name == "saliency" else method
    return grid(source=SOURCE, name=f"tf_keras_vis.{name}", backend="tensorflow")(function)


for _name in "gradcam", "gradcam_plus_plus", "scorecam", "saliency":
    _registered(_name)
