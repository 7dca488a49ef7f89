"""The thesis's small CNN on nodules: the baseline, and its variant with batch normalisation.

The thesis prints the layers of the baseline in words only (section 3.1.2; its figure 32 is a
picture). What the words leave open is taken from figure 41, where the same layers stand as code
("my own convnet, used in the previous examples"): 32 filters of 3x3 with Keras's default padding
("valid"), a 2x2 pooling, 64 dense units with an L2 of 0.1.
"""

from ..registry import architecture


@architecture(
    input_shape=(64, 64, 1),
    minimum_size=6,  # two unpadded 3x3 convolutions and a halving leave one cell
    heatmap_layer="conv2",
    parameters=1_852_962,
    source="Mirón Cao, thesis, UAM 2019, sections 3.1.2 and 3.2.2, figure 41",
    licence="MIT",
    blocks={"convolutions": "pool"},
)
def baseline_cnn(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    *,
    filters: int = 32,
    dense_units: int = 64,
    activation: str = "relu",
    dropouts: tuple[float, float] = (0.25, 0.0),
    l2: float = 0.1,
):
    """Two convolutions, one pooling and two dense layers: the thesis's first model.

    With `dropouts=(0.5, 0.3)` it is the thesis's best model on nodules.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels, 6 x 6 or more.
        filters: filters of each convolution.
        dense_units: units of the hidden dense layer.
        activation: of both convolutions and the hidden dense layer. Section 3.2.1 of the
            thesis compares "relu", "sigmoid" and "tanh".
        dropouts: shares dropped after the pooling and before the last layer, each in [0, 1).
            The thesis's first model has one dropout layer, whose rate it does not state:
            0.25 is the rate of Keras's MNIST example, which has the same layers.
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.
    """
    layers, decay = keras.layers, keras.regularizers.L2(l2)
    after_pooling, before_scores = dropouts
    x = images = layers.Input(input_shape, name="images")
    x = layers.Conv2D(filters, 3, activation=activation, name="conv1")(x)
    x = layers.Conv2D(filters, 3, activation=activation, name="conv2")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(after_pooling, name="dropout1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense_units, activation=activation, kernel_regularizer=decay, name="dense")(x)
    x = layers.Dropout(before_scores, name="dropout2")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="baseline_cnn")


@architecture(
    input_shape=(64, 64, 1),
    minimum_size=6,
    heatmap_layer="conv2_norm",
    parameters=1_853_474,
    source="Mirón Cao, thesis, UAM 2019, section 3.2.2",
    licence="MIT",
    blocks={"convolutions": "pool"},
)
def batch_norm_cnn(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    *,
    filters: int = 32,
    dense_units: int = 64,
    activation: str = "relu",
    l2: float = 0.1,
):
    """The baseline with batch normalisation, in place of dropout, after every hidden layer.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels, 6 x 6 or more.
        filters: filters of each convolution.
        dense_units: units of the hidden dense layer.
        activation: of both convolutions and the hidden dense layer; the normalisation
            follows it ("after the convolutional and dense layers", section 3.2.2).
        l2: weight of the squared L2 norm of the hidden dense kernel in the loss.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.
    """
    layers, decay = keras.layers, keras.regularizers.L2(l2)
    x = images = layers.Input(input_shape, name="images")
    for convolution in "conv1", "conv2":
        x = layers.Conv2D(filters, 3, activation=activation, name=convolution)(x)
        x = layers.BatchNormalization(name=f"{convolution}_norm")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(dense_units, activation=activation, kernel_regularizer=decay, name="dense")(x)
    x = layers.BatchNormalization(name="dense_norm")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="batch_norm_cnn")
