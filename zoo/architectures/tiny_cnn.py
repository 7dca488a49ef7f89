"""A three-block CNN that trains in seconds on a CPU: for tests and first steps."""

from ..registry import architecture


@architecture(
    input_shape=(64, 64, 1),
    minimum_size=8,  # three halvings leave one cell
    heatmap_layer="block3",
    parameters=23_426,
    source="this project",
    licence="MIT",
    blocks={"block1": "pool1", "block2": "pool2", "block3": "pool3"},
)
def tiny_cnn(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    *,
    width: int = 8,
    dropout: float = 0.2,
):
    """Three convolutions, each halving the image, and a softmax.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels, 8 x 8 or more.
        width: half the filters of the first block; every block doubles them.
        dropout: share of features dropped before the softmax, in [0, 1).

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.
    """
    layers = keras.layers
    x = images = layers.Input(input_shape, name="images")
    for block in 1, 2, 3:
        x = layers.Conv2D(
            width * 2**block, 3, padding="same", activation="relu", name=f"block{block}"
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{block}")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="tiny_cnn")
