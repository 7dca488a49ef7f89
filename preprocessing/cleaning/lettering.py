"""Text burned into a film: short bright strokes, closely set, in a line."""

import numpy as np

LEAST = 192  # pixels of the longer side: below that letters are no letters any more
MOST = 1024  # a larger film is shrunk: text that can be read there is found there
STROKE = 0.02  # of the longer side: no stroke is wider, and no gap between two letters
BRIGHTER = 0.2  # than what is around: half of what burned-in text is; on white, none is found
TALLEST = 0.05  # of the longer side
LONGER = 3  # heights: a line of text is at least so long
DENSE = 0.9  # strokes in each length of one height; rib edges come to 0.05 to 0.85


def strokes(image: np.ndarray) -> float:
    """The strokes of the longest line of text, level or upright.

    Args:
        image: float32 (rows, columns) in [0, 1].

    Returns:
        How often a line through it enters a stroke, 0 if there is no text; NaN if the image is
        too small to tell.
    """
    import cv2

    size = max(image.shape)
    if size < LEAST:
        return float("nan")
    if size > MOST:
        share = MOST / size
        image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    size = max(image.shape)
    width = _odd(STROKE * size)
    small = cv2.morphologyEx(image, cv2.MORPH_TOPHAT, np.ones((width, width), np.uint8))
    bright = (small > BRIGHTER).astype(np.uint8)
    return max(_longest(bright, size), _longest(np.ascontiguousarray(bright.T), size))


def _odd(length: float) -> int:
    return max(5, int(length) // 2 * 2 + 1)


def _longest(bright: np.ndarray, size: int) -> float:
    import cv2

    bridge = np.ones((1, _odd(STROKE * size)), np.uint8)
    joined = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, bridge)
    _, numbers, found, _ = cv2.connectedComponentsWithStats(joined)
    longest = 0.0
    for number, (left, top, width, height, _) in enumerate(found[1:], start=1):
        longer = width >= max(LONGER * height, 2 * STROKE * size)
        if not longer or not 3 <= height <= TALLEST * size:
            continue
        place = np.s_[top : top + height, left : left + width]
        entered = _entered(bright[place] * (numbers[place] == number))
        if entered * height >= DENSE * width:
            longest = max(longest, entered)
    return longest


def _entered(line: np.ndarray) -> float:
    """How often the rows through a line of text enter a stroke: of the busier half, the mean."""
    starts = np.diff(np.pad(line.astype(np.int8), ((0, 0), (1, 0))), axis=1) == 1
    return float(np.sort(starts.sum(1))[-max(2, len(line) // 2) :].mean())
