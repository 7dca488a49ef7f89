"""The thesis's Xception without residual connections, cut down to 64x64 nodules.

Annex A of the thesis lists every layer with its output shape and parameters; this file
reproduces them all. Its kernels follow from the counts: (3 * 3 * 1 + 1) * 32 = 320.
"""

from ..registry import architecture

# (filters, whether a pooling stands between normalisation and activation), in Annex A's order.
# The 9 filters are Annex A's: 9 * 64 + 64 * 9 + 9 = 1,161 parameters. So is the missing
# activation after the last one.
SEPARABLE = (
    (9, False),
    (9, True),
    (728, False),
    (728, False),
    (728, False),
    (728, False),
    (1024, True),
    (728, False),
    (1024, True),
)


@architecture(
    input_shape=(64, 64, 1),
    minimum_size=16,  # one stride of 2 and three poolings leave one cell
    heatmap_layer="sep9_norm",
    parameters=4_972_791,
    source="Mirón Cao, thesis, UAM 2019, annex A; after Chollet, Xception, CVPR 2017",
    licence="MIT",
    blocks={"entry": "pool1", "middle": "pool2", "exit": "pool3"},
)
def xception_small(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    *,
    dense_units: int = 64,
    dropouts: tuple[float, float] = (0.5, 0.3),
    l2: float = 0.1,
):
    """Two convolutions and nine separable ones, all normalised: the thesis's Xception.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels, 16 x 16 or more.
        dense_units: units of the hidden dense layer.
        dropouts: shares dropped before the hidden dense layer and before the last one, each
            in [0, 1). Annex A has both layers but no rates: these are the thesis's best ones.
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss; Annex A
            does not say, 0.1 is that of the thesis's other dense layers.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.
    """
    layers, decay = keras.layers, keras.regularizers.L2(l2)
    before_dense, before_scores = dropouts
    images = layers.Input(input_shape, name="images")
    x = _features(layers, images)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(before_dense, name="dropout1")(x)
    x = layers.Dense(dense_units, activation="relu", kernel_regularizer=decay, name="dense")(x)
    x = layers.Dropout(before_scores, name="dropout2")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="xception_small")


def _features(layers, x):
    """All layers up to the last pooling, Annex A's 'max_pooling2d_3'."""
    for name, filters, stride in ("conv1", 32, 2), ("conv2", 64, 1):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", name=name)(x)
        x = layers.BatchNormalization(name=f"{name}_norm")(x)
        x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = layers.Activation("relu", name="sep_relu")(x)  # changes nothing; Annex A lists it
    pools = 0
    for step, (filters, pooled) in enumerate(SEPARABLE, start=1):
        x = layers.SeparableConv2D(filters, 3, padding="same", name=f"sep{step}")(x)
        x = layers.BatchNormalization(name=f"sep{step}_norm")(x)
        if pooled:
            pools += 1
            # Annex A has no pool size; 3x3 with a stride of 2 is that of Xception.
            x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{pools}")(x)
        if step < len(SEPARABLE):
            x = layers.Activation("relu", name=f"sep{step}_relu")(x)
    return x
