"""InceptionV3 with the thesis's head, to be started from the ImageNet weights.

The layers below the head are those of `keras.applications.InceptionV3`, in the same order, so
weights pair up one to one: the n-th layer with weights here is the n-th there, and the n-th in
the ImageNet file. No weights are loaded here; a factory says what a model is, not what it knows.
"""

from .. import transfer
from ..registry import architecture


@architecture(
    input_shape=(150, 150, 1),
    minimum_size=75,  # keras.applications refuses less
    heatmap_layer="mixed10",
    parameters=21_934_050,
    source="Mirón Cao, thesis, UAM 2019, section 3.2.4; Szegedy et al., CVPR 2016",
    licence="MIT; its layers are built by Keras (Apache-2.0), whose ImageNet weights are not ours",
    blocks={
        "stem": "max_pooling2d_2",
        "all_but_last_two": "mixed8",
        "base": "mixed10",
    },
    pretrained="InceptionV3",
)
def inception_v3_transfer(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (150, 150, 1),
    *,
    dense_units: int = 64,
    dropout: float = 0.5,
    l2: float = 0.1,
):
    """InceptionV3 without its top, global pooling and a small dense head.

    The thesis freezes block "base" for 5 epochs, then "all_but_last_two": its figure 42 trains
    `model.layers[249:]`, and layer 248 of keras.applications is "mixed8".

    Two departures. The thesis's head (figure 41) has convolutions after the global pooling,
    which cannot run; its dropout and dense layers are kept. Nodules of 64x64 pixels, whose size
    in this experiment it does not state, are too small for InceptionV3 (75 at least) and must be
    enlarged: 150 makes the last map 3x3, while 75 makes it a single cell, useless as a heatmap.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels: 75 x 75 or more, and
            1 channel, which is repeated as section 3.2.4 does, or 3.
        dense_units: units of the hidden dense layer.
        dropout: share of features dropped before the hidden dense layer, in [0, 1).
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.

    Raises:
        ValueError: images of other than 1 or 3 channels.
    """
    images, x = transfer.rgb(keras, input_shape, "InceptionV3")
    # what ImageNet's weights expect
    x = keras.layers.Rescaling(2.0, offset=-1.0, name="rescaling")(x)
    x = keras.applications.InceptionV3(include_top=False, weights=None, input_tensor=x).output
    probabilities = transfer.head(keras, x, classes, dense_units, dropout, l2)
    model = keras.Model(images, probabilities, name="inception_v3_transfer")
    return transfer.renumbered(keras, model)
