"""Contact sheets: what each channel of a layer says of an image, and what each filter looks for."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from ..experiments.canvas import GREY, STYLE, figure, panels, save

ACROSS = 8


@mpl.rc_context(STYLE)
def draw(
    pictures: Sequence[NDArray[np.floating]],
    words: Sequence[str],
    title: str,
    caption: str,
    folder: Path,
    name: str,
) -> list[Path]:
    """Draw small pictures in rows of eight, each stretched from its darkest to its brightest.

    Args:
        pictures: (rows, columns) or (rows, columns, channels) each.
        words: under each.
        title: over all.
        caption: at the foot.
        folder: where the PNG and the SVG go.
        name: of the two files.
    """
    down, across = math.ceil(len(pictures) / ACROSS), min(ACROSS, max(4, len(pictures)))
    drawn = figure((1.15 * across, 1.35 * down + 0.8), caption)
    grid = panels(drawn, down, across).ravel()
    for panel in grid:
        panel.set_axis_off()
    for panel, picture, said in zip(grid, pictures, words, strict=False):
        panel.imshow(_stretched(picture), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        panel.set_title(said, fontsize=6, weight="normal", loc="center", color=GREY, pad=2)
    drawn.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, name)


def _stretched(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """From 0 to 1; a picture that is the same everywhere becomes black."""
    low, high = float(picture.min()), float(picture.max())
    shown = (picture - low) / (high - low) if high > low else np.zeros_like(picture)
    return shown[..., 0] if shown.ndim == 3 and shown.shape[-1] == 1 else shown
