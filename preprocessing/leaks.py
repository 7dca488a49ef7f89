"""The same image on two sides of a split, as the model would see it."""

import hashlib
import mmap

import numpy as np

RELEASE_EVERY = 256  # images after which the pages of a mapped array leave our memory


def on_two_sides(images: np.ndarray, sides: np.ndarray) -> dict[str, int]:
    """How many images of each side are, pixel for pixel, on another side too.

    Args:
        images: (images, ...), perhaps mapped; each is read once, one at a time.
        sides: (images,), the side of each.

    Returns:
        By side, in the order of the first image of each; empty if there is none.
    """
    digests = _digests(images)
    where: dict[bytes, set[str]] = {}
    for digest, side in zip(digests, sides.tolist(), strict=True):
        where.setdefault(digest, set()).add(side)
    shared = [side for digest, side in zip(digests, sides.tolist(), strict=True)
              if len(where[digest]) > 1]  # fmt: skip
    return {side: shared.count(side) for side in dict.fromkeys(shared)}


def _digests(images: np.ndarray) -> list[bytes]:
    found = []
    for row, image in enumerate(images, start=1):
        found.append(hashlib.blake2b(image.tobytes(), digest_size=16).digest())
        if row % RELEASE_EVERY == 0 and isinstance(images, np.memmap):
            # else memory grows to the size of the store; NumPy has no name of its own for this
            images._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    return found


def note(found: dict[str, int]) -> str:
    """What a report must say of it: one sentence, or two."""
    counts = ", ".join(f"{count:,} of the {side} side" for side, count in found.items())
    return (
        f"The same image is on two sides, pixel for pixel: {counts}. Figures may be too good; "
        "`data clean` lists the copies, and `dataset.leave_out` leaves them out."
    )
