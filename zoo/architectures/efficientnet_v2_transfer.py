"""EfficientNetV2-B0 with the thesis's head, to be started from the ImageNet weights.

As in `inception_v3_transfer`, the layers below the head are those of `keras.applications`, in the
same order, so weights pair up one to one, and no weights are loaded here.
"""

from .. import transfer
from ..registry import architecture

KERAS_RATE = 0.2  # of `drop_connect` in keras.applications, which has no option for it


@architecture(
    input_shape=(128, 128, 1),
    minimum_size=32,  # keras.applications refuses less
    heatmap_layer="top_activation",
    parameters=6_001_426,
    source="Tan and Le, EfficientNetV2, ICML 2021, section 3; B0 is that of its authors' code; "
    "head: Mirón Cao, thesis, UAM 2019, section 3.2.4",
    licence="MIT; its layers are built by Keras (Apache-2.0), whose ImageNet weights are not ours",
    blocks={
        "stem": "stem_activation",
        "all_but_last_block": "block5e_add",
        "base": "top_activation",
    },
    pretrained="EfficientNetV2B0",
)
def efficientnet_v2_transfer(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (128, 128, 1),
    *,
    dense_units: int = 64,
    dropout: float = 0.5,
    drop_connect: float = 0.2,
    l2: float = 0.1,
):
    """EfficientNetV2-B0 without its top, global pooling and a small dense head.

    The smallest of its family. Its weights were trained on images of 192 pixels, standardised
    channel by channel, and not brought to [-1, 1] as for its larger sisters. It halves them five
    times: 128 pixels, twice the side of a nodule's patch, leave a map of 4 x 4 for heatmaps.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels: 32 x 32 or more, and
            1 channel, which is repeated, or 3.
        dense_units: units of the hidden dense layer.
        dropout: share of features dropped before the hidden dense layer, in [0, 1).
        drop_connect: share of images for which a residual branch is left out in training, in
            [0, 1): that of the last block, growing evenly from 0 at the first. A frozen base
            drops too.
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.

    Raises:
        ValueError: images of other than 1 or 3 channels.
    """
    images, x = transfer.rgb(keras, input_shape, "EfficientNetV2B0")
    x = transfer.standardised(keras, x)  # what ImageNet's weights expect
    x = keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_tensor=x, include_preprocessing=False
    ).output
    probabilities = transfer.head(keras, x, classes, dense_units, dropout, l2)
    model = keras.Model(images, probabilities, name="efficientnet_v2_transfer")
    drops = [layer for layer in model.layers if layer.name.endswith("_drop")]
    rates = {layer.name: {"rate": layer.rate / KERAS_RATE * drop_connect} for layer in drops}
    return transfer.renumbered(keras, model, rates)
