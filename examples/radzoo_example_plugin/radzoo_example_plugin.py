"""A small residual CNN, registered with radzoo from another package."""

from radzoo.zoo import architecture


@architecture(
    input_shape=(64, 64, 1),
    minimum_size=8,
    heatmap_layer="block3_relu",
    parameters=55_874,
    source="He et al., Deep residual learning, CVPR 2016, figure 2",
    licence="MIT",
    blocks={"block1": "block1_pool", "block2": "block2_pool", "block3": "block3_pool"},
)
def residual_cnn(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (64, 64, 1),
    *,
    filters: int = 32,
):
    """Three blocks, each adding two convolutions to what came in, then halving it.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels, 8 x 8 or more.
        filters: filters of every convolution.
    """
    layers = keras.layers
    images = layers.Input(input_shape, name="images")
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name="stem")(images)
    for block in "block1", "block2", "block3":
        y = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{block}_conv1")(x)
        y = layers.Conv2D(filters, 3, padding="same", name=f"{block}_conv2")(y)
        x = layers.Add(name=f"{block}_add")([x, y])
        x = layers.Activation("relu", name=f"{block}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"{block}_pool")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="residual_cnn")
