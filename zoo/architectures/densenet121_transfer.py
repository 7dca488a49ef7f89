"""DenseNet121 with the thesis's head, to be started from the ImageNet weights.

As in `inception_v3_transfer`, the layers below the head are those of `keras.applications`, in the
same order, so weights pair up one to one, and no weights are loaded here.
"""

from .. import transfer
from ..registry import architecture


@architecture(
    input_shape=(128, 128, 1),
    minimum_size=32,  # keras.applications refuses less
    heatmap_layer="relu",
    parameters=7_103_234,
    source="Huang et al., Densely Connected Convolutional Networks, CVPR 2017, table 1 "
    "(DenseNet-121); head: Mirón Cao, thesis, UAM 2019, section 3.2.4",
    licence="MIT; its layers are built by Keras (Apache-2.0), whose ImageNet weights are not ours",
    blocks={
        "stem": "pool1",
        "all_but_last_block": "pool4_pool",
        "base": "relu",
    },
    pretrained="DenseNet121",
)
def densenet121_transfer(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (128, 128, 1),
    *,
    dense_units: int = 64,
    dropout: float = 0.5,
    l2: float = 0.1,
):
    """DenseNet121 without its top, global pooling and a small dense head.

    The network of CheXNet (Rajpurkar et al. 2017), on images of 224 pixels. It halves them five
    times: 128 pixels, twice the side of a nodule's patch, leave a map of 4 x 4 for heatmaps and
    take a third of the time of 224, which an `input_shape` sets.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels: 32 x 32 or more, and
            1 channel, which is repeated, or 3.
        dense_units: units of the hidden dense layer.
        dropout: share of features dropped before the hidden dense layer, in [0, 1).
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.

    Raises:
        ValueError: images of other than 1 or 3 channels.
    """
    images, x = transfer.rgb(keras, input_shape, "DenseNet121")
    x = transfer.standardised(keras, x)  # what ImageNet's weights expect
    x = keras.applications.DenseNet121(include_top=False, weights=None, input_tensor=x).output
    probabilities = transfer.head(keras, x, classes, dense_units, dropout, l2)
    model = keras.Model(images, probabilities, name="densenet121_transfer")
    return transfer.renumbered(keras, model)
