"""The thesis's CNN on chest radiographs of 128x128 pixels."""

from ..registry import architecture


@architecture(
    input_shape=(128, 128, 1),
    minimum_size=16,  # four halvings leave one cell
    heatmap_layer="last_conv",
    parameters=220_774,
    source="Mirón Cao, thesis, UAM 2019, sections 3.6.1 and 3.6.3",
    licence="MIT",
    blocks={
        "block1": "block1_norm",
        "block2": "block2_norm",
        "block3": "block3_norm",
        "convolutions": "last_norm",
    },
)
def chest_xray_cnn(
    keras,
    classes: int,
    input_shape: tuple[int, int, int] = (128, 128, 1),
    *,
    blocks: int = 4,
    kernels: tuple[int, ...] = (11, 7, 5, 3),
    filters: int = 32,
    dense_units: int = 64,
    extra_dense: int = 0,
    dropout: float = 0.5,
    l2: float = 0.1,
):
    """Blocks of convolution, pooling and batch normalisation: the thesis's best on radiographs.

    The thesis does not state the padding. Ours is "same", so that the cells of the heatmap
    cover the image evenly: without padding, the centre of the first of them would lie 30
    pixels inside the border, not 3.5.

    Args:
        keras: the Keras to build with, on any backend.
        classes: number of output classes.
        input_shape: (rows, columns, channels) of one image, in pixels; each block halves it.
        blocks: how many blocks: 4 is the thesis's best, 3 its first model. The last one's
            layers are called "last_conv", "last_pool" and "last_norm".
        kernels: side of each block's kernel, in pixels; the first `blocks` of them are used.
            The thesis also tried 3 everywhere.
        filters: filters of each convolution.
        dense_units: units of the hidden dense layer.
        extra_dense: units of one more dense layer after it; 0 for none. The thesis tried one
            ("2x Dense") and does not state its units.
        dropout: share of features dropped before the dense layers, in [0, 1).
        l2: weight of the squared L2 norm of the first dense kernel in the loss; the thesis
            began with 0.5.

    Returns:
        An uncompiled model: float32 (batch, rows, columns, channels) in [0, 1]
        to float32 (batch, classes), rows summing to 1.

    Raises:
        ValueError: there are fewer kernels than blocks.
    """
    if not 1 <= blocks <= len(kernels):
        raise ValueError(f"blocks={blocks} needs as many kernels and at least 1; got {kernels}.")
    layers, decay = keras.layers, keras.regularizers.L2(l2)
    images = layers.Input(input_shape, name="images")
    x = layers.BatchNormalization(name="images_norm")(images)
    for number, kernel in enumerate(kernels[:blocks], start=1):
        # One name whatever the number of blocks: heatmaps look for "last_conv".
        block = "last" if number == blocks else f"block{number}"
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu", name=f"{block}_conv")(
            x
        )
        x = layers.MaxPooling2D(2, name=f"{block}_pool")(x)
        x = layers.BatchNormalization(name=f"{block}_norm")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(dense_units, activation="relu", kernel_regularizer=decay, name="dense")(x)
    if extra_dense:
        x = layers.Dense(extra_dense, activation="relu", name="extra_dense")(x)
    scores = layers.Dense(classes, name="scores")(x)
    probabilities = layers.Activation("softmax", name="probabilities")(scores)
    return keras.Model(images, probabilities, name="chest_xray_cnn")
