"""Small models, one for each thing a layer can be asked; workers build them by their address."""

from radzoo import zoo

SIDE, ODD = 20, 21
DROPOUTS = {"dropout": 0.0, "dropouts": (0.0, 0.0), "drop_connect": 0.0}


def without_dropout(name):
    """The options with which an architecture drops nothing."""
    return {option: DROPOUTS[option] for option in zoo.get(name).options if option in DROPOUTS}


def small(keras, classes, input_shape=(SIDE, SIDE, 3), *, case: str = "inception"):
    """The model of one case of `CASES`, which says the shape of its images."""
    layers = keras.layers
    _, middle = CASES[case]
    images = keras.Input(input_shape, name="images")
    found = middle(layers, images)
    if len(found.shape) > 2:
        found = layers.Flatten(name="flat")(found)
    scores = layers.Dense(classes, name="scores")(found)
    return keras.Model(images, layers.Activation("softmax", name="probabilities")(scores))


def smooth(keras, classes, input_shape=(64, 64, 1), *, of: str = "tiny_cnn"):
    """An architecture of the zoo, without dropout and without kinks.

    Where a unit of ReLU is at zero, or two pixels of a pooling tie, rounding decides which way
    the gradient goes.
    """
    model = zoo.build(of, keras, classes, input_shape=input_shape, **without_dropout(of))
    return keras.models.clone_model(model, clone_function=_without_kinks(keras.layers))


def _without_kinks(layers):
    def copy(layer):
        config = layer.get_config()
        if isinstance(layer, layers.MaxPooling2D):
            return layers.AveragePooling2D.from_config(config)
        if config.get("activation") == "relu":
            config["activation"] = "softplus"
        return type(layer).from_config(config)

    return copy


def image(middle, side=SIDE, channels=3):
    return (side, side, channels), middle


def convolved(side=SIDE, channels=3, **options):
    """One convolution of four filters."""
    return image(lambda layers, x: layers.Conv2D(4, **options)(x), side, channels)


def after_convolution(name, side=SIDE, **options):
    """A layer whose inputs are of both signs."""

    def middle(layers, x):
        return getattr(layers, name)(**options)(layers.Conv2D(4, 3)(x))

    return image(middle, side)


def alone(name, side=SIDE, channels=3, **options):
    return image(lambda layers, x: getattr(layers, name)(**options)(x), side, channels)


def activated(name):
    return image(lambda layers, x: layers.Conv2D(4, 3, activation=name)(x))


def branches(join):
    def middle(layers, x):
        first = layers.Conv2D(4, 3, padding="same", activation="tanh")(x)
        second = layers.Conv2D(4, 5, padding="same", activation="sigmoid")(x)
        return getattr(layers, join)()([first, second])

    return image(middle)


def inception(layers, x):
    first = layers.Conv2D(4, 3, padding="same", activation="tanh")(x)
    second = layers.Conv2D(4, 5, padding="same", activation="sigmoid")(x)
    both = layers.Concatenate()([first, second])
    joined = layers.Add()([both, layers.Conv2D(8, 1)(x)])
    return layers.AveragePooling2D(2)(layers.Activation("relu")(joined))


def xception(layers, x):
    """A block with its residual, entered by a convolution of stride 2 without padding."""
    x = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(8, 3, 2)(x)))
    residual = layers.Conv2D(16, 1, 2, padding="same", use_bias=False)(x)
    residual = layers.BatchNormalization()(residual)
    for _ in range(2):
        x = layers.SeparableConv2D(16, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(layers.Activation("relu")(x))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return layers.GlobalAveragePooling2D()(layers.Add()([x, residual]))


def excited(layers, x):
    """A weight for each channel, found from its mean, as in squeeze-and-excitation."""
    x = layers.Conv2D(4, 3)(x)
    weights = layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(x))
    weights = layers.Conv2D(2, 1, padding="same", activation="silu")(weights)
    weights = layers.Conv2D(4, 1, padding="same", activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])


def thesis(layers, x):
    """The thesis's first network, a half as wide; its dropouts are off."""
    x = layers.Conv2D(16, 3, activation="relu")(layers.Conv2D(16, 3, activation="relu")(x))
    x = layers.Dropout(0.0)(layers.MaxPooling2D()(x))
    return layers.Dense(32, activation="relu", kernel_regularizer="l2")(layers.Flatten()(x))


def normalised_network(layers, x):
    x = layers.BatchNormalization()(x)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2, padding="same")(x)
    return layers.GlobalAveragePooling2D()(x)


def normalised_dense(layers, x):
    x = layers.Dense(8, activation="relu")(layers.Flatten()(x))
    return layers.BatchNormalization()(x)


def penalised(layers, x):
    x = layers.Conv2D(4, 3, kernel_regularizer="l2", bias_regularizer="l1")(x)
    both = {"class_name": "L1L2", "config": {"l1": 0.02, "l2": 0.05}}
    return layers.Dense(8, kernel_regularizer=both, activation="tanh")(layers.Flatten()(x))


def reshaped(layers, x):
    x = layers.Reshape((SIDE // 2, SIDE * 2, 3))(x)
    return layers.Reshape((-1,))(layers.Conv2D(4, 3)(x))


def dense_of_pixels(layers, x):
    return layers.Dense(5, activation="softmax")(x)


CASES = {
    **{
        f"convolution {kernel} {padding}": convolved(kernel_size=kernel, padding=padding)
        for kernel in (1, 3, 4, 5, 7, 11)
        for padding in ("same", "valid")
    },
    **{
        f"convolution {kernel} {padding} stride 2 of {side}": convolved(
            side, kernel_size=kernel, strides=2, padding=padding
        )
        for kernel, padding, side in (
            (1, "same", SIDE),
            (3, "same", SIDE),
            (3, "same", ODD),
            (4, "same", ODD),
            (5, "same", SIDE),
            (3, "valid", SIDE),
            (3, "valid", ODD),
        )
    },
    "convolution 1x7 same": convolved(kernel_size=(1, 7), padding="same"),
    "convolution larger than the image": convolved(5, kernel_size=7, padding="same"),
    "convolution in groups": convolved(channels=4, kernel_size=3, groups=2),
    "convolution without bias": convolved(kernel_size=3, use_bias=False),
    "separable same": alone("SeparableConv2D", filters=6, kernel_size=3, padding="same"),
    "separable same stride 2": alone(
        "SeparableConv2D", filters=6, kernel_size=3, strides=2, padding="same"
    ),
    "separable multiplied": alone("SeparableConv2D", filters=6, kernel_size=3, depth_multiplier=2),
    "depthwise same": alone("DepthwiseConv2D", kernel_size=3, padding="same"),
    "depthwise same stride 2": alone("DepthwiseConv2D", kernel_size=3, strides=2, padding="same"),
    "depthwise multiplied": alone("DepthwiseConv2D", kernel_size=3, depth_multiplier=2),
    "depthwise of one channel": alone("DepthwiseConv2D", channels=1, kernel_size=3, padding="same"),
    "largest valid of odd": after_convolution("MaxPooling2D", ODD, pool_size=2),
    "largest same of negatives": after_convolution(
        "MaxPooling2D", pool_size=3, strides=2, padding="same"
    ),
    "largest same of odd": alone("MaxPooling2D", ODD, pool_size=2, padding="same"),
    "mean valid": after_convolution("AveragePooling2D", pool_size=3, strides=2),
    "mean same stride 1": alone("AveragePooling2D", pool_size=3, strides=1, padding="same"),
    "mean same stride 2": alone("AveragePooling2D", ODD, pool_size=3, strides=2, padding="same"),
    "global mean": after_convolution("GlobalAveragePooling2D"),
    "global largest": after_convolution("GlobalMaxPooling2D", keepdims=True),
    "normalised first": image(
        lambda layers, x: layers.Conv2D(4, 3)(layers.BatchNormalization()(x))
    ),
    "normalised in the middle": after_convolution("BatchNormalization", momentum=0.9),
    "normalised after dense": image(normalised_dense, 12, 1),
    "normalised without scale": after_convolution("BatchNormalization", scale=False),
    "normalised without shift": after_convolution("BatchNormalization", center=False),
    "zeros around": image(
        lambda layers, x: layers.Conv2D(4, 3)(layers.ZeroPadding2D(((1, 2), (0, 3)))(x))
    ),
    "cropped": after_convolution("Cropping2D", cropping=((1, 2), (0, 3))),
    "rescaled": after_convolution("Rescaling", scale=1 / 3, offset=-0.5),
    "rescaled by channel": after_convolution(
        "Rescaling", scale=[0.5, 1, 2, 3], offset=[-0.5, 0, 0.5, 1]
    ),
    "reshaped": image(reshaped),
    "dense of pixels": image(dense_of_pixels),
    **{
        f"branches, {join}": branches(join)
        for join in (
            "Add",
            "Average",
            "Concatenate",
            "Maximum",
            "Minimum",
            "Multiply",
            "Subtract",
        )
    },
    **{
        f"activation {name}": activated(name)
        for name in (
            "elu",
            "exponential",
            "hard_sigmoid",
            "leaky_relu",
            "relu6",
            "selu",
            "silu",
            "softplus",
            "softsign",
        )
    },
    "layer ELU": after_convolution("ELU", alpha=0.5),
    "layer LeakyReLU": after_convolution("LeakyReLU", negative_slope=0.1),
    "layer ReLU": after_convolution("ReLU", max_value=0.5, negative_slope=0.1),
    "layer Softmax": after_convolution("Softmax"),
    "penalties": image(penalised, 12),
    "inception": image(inception),
    "excited": image(excited),
    "xception": image(xception, 33),
    "normalised network": image(normalised_network, 33, 1),
    "thesis": image(thesis, 32, 1),
}

RANDOM = {"images dropped": alone("Dropout", side=4, rate=0.5, noise_shape=(None, 1, 1, 1))}

REFUSED = {
    "dilated": convolved(kernel_size=3, dilation_rate=2),
    "transposed": alone("Conv2DTranspose", filters=4, kernel_size=3),
    "normalised by rows": after_convolution("BatchNormalization", axis=1),
    "dropped by row": alone("Dropout", rate=0.5, noise_shape=(None, SIDE, 1, 1)),
    "layer GaussianNoise": alone("GaussianNoise", stddev=0.1),
    "activation gelu": activated("gelu"),
}
CASES.update(RANDOM | REFUSED)
