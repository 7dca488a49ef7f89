"""The same image on two sides of a split, as the model would see it."""

import hashlib

import numpy as np


def on_two_sides(images: np.ndarray, sides: np.ndarray) -> dict[str, int]:
    """How many images of each side are, pixel for pixel, on another side too.

    Args:
        images: (images, ...), perhaps mapped; each is read once, one at a time.
        sides: (images,), the side of each.

    Returns:
        By side, in the order of the first image of each; empty if there is none.
    """
    digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
    where: dict[bytes, set[str]] = {}
    for digest, side in zip(digests, sides.tolist(), strict=True):
        where.setdefault(digest, set()).add(side)
    shared = [side for digest, side in zip(digests, sides.tolist(), strict=True)
              if len(where[digest]) > 1]  # fmt: skip
    return {side: shared.count(side) for side in dict.fromkeys(shared)}


def note(found: dict[str, int]) -> str:
    """What a report must say of it: one sentence, or two."""
    counts = ", ".join(f"{count:,} of the {side} side" for side, count in found.items())
    return (
        f"The same image is on two sides, pixel for pixel: {counts}. Figures may be too good; "
        "`data clean` lists the copies, and `dataset.leave_out` leaves them out."
    )
