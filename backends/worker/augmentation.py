"""Small, realistic changes to training images, one implementation for every backend."""

import numpy as np


def augment(images, rows, seed, epoch, options):
    """Turn, zoom, shift, shear, flip and brighten each image a little.

    Args:
        images: float32 (batch, rows, columns, channels) in [0, 1].
        rows: number of each image in its dataset, (batch,): with `seed` and `epoch` it
            decides the change, whatever batch the image is in.
        options: how far each change may go, drawn evenly from both sides:
            `rotation_degrees`, `zoom` (share), `shift` (share of the side),
            `shear_degrees`, `brightness` (share), `flip_horizontal` (true or false).

    Returns:
        Float32 of the same shape, in [0, 1]; what comes in from outside repeats the border.
    """
    out = np.empty_like(images)
    for i, row in enumerate(rows):
        draw = np.random.default_rng([seed, epoch, int(row)])
        out[i] = _changed(images[i], draw, options)
    return out


def _changed(image, draw, options):
    import cv2

    rows, columns = image.shape[:2]
    turn = np.radians(_within(draw, options, "rotation_degrees"))
    shear = np.radians(_within(draw, options, "shear_degrees"))
    zoom = 1 + _within(draw, options, "zoom")
    shift = [_within(draw, options, "shift") * side for side in (columns, rows)]
    light = 1 + _within(draw, options, "brightness")
    flip = -1 if draw.random() < 0.5 * options.get("flip_horizontal", False) else 1
    warped = cv2.warpAffine(
        image,
        _about_centre(zoom * _turned(turn, shear) @ np.diag([flip, 1]), shift, rows, columns),
        (columns, rows),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.clip(warped.reshape(image.shape) * light, 0, 1)


def _within(draw, options, name):
    return draw.uniform(-1, 1) * options.get(name, 0.0)


def _turned(angle, shear):
    """Rotation by `angle` after a shear of the columns by `shear`, both in radians."""
    return np.array(
        [[np.cos(angle), -np.sin(angle + shear)], [np.sin(angle), np.cos(angle + shear)]]
    )


def _about_centre(matrix, shift, rows, columns):
    """The 2x3 affine matrix that applies `matrix` about the centre, then moves by `shift`."""
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2])
    return np.column_stack([matrix, centre + shift - matrix @ centre])
