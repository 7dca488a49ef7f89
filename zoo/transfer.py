"""What the architectures upon `keras.applications` share: images in, a head, names that stay."""

import re
from collections.abc import Mapping
from typing import Any

# Mean and standard deviation of ImageNet's pixels in [0, 1], red, green, blue: what torchvision,
# and `preprocess_input` of Keras in its mode "torch", subtract and divide by.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Keras numbers the layers that have no name of their own: "conv2d", "conv2d_1", ...
_NUMBERED = re.compile(
    r"(conv2d|batch_normalization|activation|max_pooling2d|average_pooling2d|concatenate"
    r"|zero_padding2d)(?:_(\d+))?"
)


def rgb(keras: Any, input_shape: tuple[int, int, int], application: str) -> tuple[Any, Any]:
    """The input "images", and its images with three channels: grey is repeated.

    Args:
        keras: the Keras to build with.
        input_shape: (rows, columns, channels) of one image.
        application: who takes them, for the message.

    Raises:
        ValueError: images of other than 1 or 3 channels.
    """
    if input_shape[2] not in (1, 3):
        raise ValueError(f"{application} takes 1 (grey) or 3 channels (RGB); got {input_shape[2]}.")
    x = images = keras.layers.Input(input_shape, name="images")
    if input_shape[2] == 1:
        x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    return images, x


def standardised(keras: Any, x: Any) -> Any:
    """Images in [0, 1] less ImageNet's mean, by its standard deviation, channel by channel."""
    scale = [1 / std for std in IMAGENET_STD]
    offset = [-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    return keras.layers.Rescaling(scale, offset=offset, name="rescaling")(x)


def head(keras: Any, x: Any, classes: int, dense_units: int, dropout: float, l2: float) -> Any:
    """The thesis's head: global pooling, dropout, a dense layer, scores and probabilities.

    Args:
        keras: the Keras to build with.
        x: (batch, rows, columns, channels), the last map.
        classes: number of output classes.
        dense_units: units of the hidden dense layer.
        dropout: share of features dropped before it, in [0, 1).
        l2: weight of the squared L2 norm of its kernel in the loss.
    """
    layers, decay = keras.layers, keras.regularizers.L2(l2)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(dense_units, activation="relu", kernel_regularizer=decay, name="dense")(x)
    scores = layers.Dense(classes, name="scores")(x)
    return layers.Activation("softmax", name="probabilities")(scores)


def renumbered(
    keras: Any, model: Any, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Any:
    """The same model with each kind of layer numbered from 1, in the order of making.

    Keras counts through the whole process, so a second model would begin at "conv2d_94", and a
    run's weights would not fit the next run's graph. We clone, and do not rename, because a
    weight keeps the path that its layer had when it was made. Order is untouched: that of
    `model.layers` follows from the graph alone, not from names.

    Args:
        keras: the Keras that it was built with.
        model: any functional model.
        changes: name of a layer -> options that it gets instead of its own.
    """
    names = _numbers_from_one([layer.name for layer in model.layers])

    def copy(layer: Any) -> Any:
        changed = (changes or {}).get(layer.name, {})
        return type(layer).from_config({**layer.get_config(), **changed, "name": names[layer.name]})

    return keras.models.clone_model(model, clone_function=copy)


def _numbers_from_one(names: list[str]) -> dict[str, str]:
    """Map each name to itself, or "conv2d_97" to "conv2d_4" if "conv2d_94" is the first."""
    new = {name: name for name in names}
    kinds: dict[str, list[int]] = {}
    for name in names:
        if match := _NUMBERED.fullmatch(name):
            kinds.setdefault(match[1], []).append(int(match[2] or 0))
    for kind, numbers in kinds.items():
        for rank, number in enumerate(sorted(numbers), start=1):
            new[f"{kind}_{number}" if number else kind] = f"{kind}_{rank}"
    return new
