"""Explanations as pictures: the image, and beside it each class's map laid over it.

What is seen is stated under it: method, layer, grid. Colour says how strong the evidence is in
itself, without its neighbours, and it fades out where there is none.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from ..experiments.canvas import GREY, STYLE, figure, panels, save
from .evidence import Explanation

COLOURS = "inferno"  # perceptually uniform; told from dark to bright without seeing hues
OPACITY = 0.5
WORTH = "Where the network found evidence, not where disease is."
USE = "Research use only. Not a medical device; not validated for clinical use."


@mpl.rc_context(STYLE)
def draw(
    explanation: Explanation,
    labels: Sequence[int],
    folder: Path,
    name: str,
    opacity: float = OPACITY,
    note: str = "",
) -> list[Path]:
    """Draw an image and its maps side by side.

    Args:
        explanation: of one image.
        labels: which classes, in order.
        folder: where the PNG and the SVG go.
        name: of the two files.
        opacity: of the strongest evidence, in (0, 1]; none where there is none.
        note: what must be said of the image, such as that it is synthetic.

    Returns:
        The paths of the PNG and of the SVG.
    """
    columns = 1 + len(labels)
    drawn = figure((2.9 * columns + 0.9, 3.9), caption(explanation, note))
    first, *others = panels(drawn, 1, columns)[0]
    _show(first, explanation.image)
    truth = f"\ntruth: {explanation.truth}" if explanation.truth else "\n"
    first.set_title(f"As the network saw it{truth}", fontsize=9)
    for panel, label in zip(others, labels, strict=True):
        _show(panel, explanation.image)
        panel.imshow(coloured(explanation.maps[label], opacity), interpolation="nearest")
        said = f"for {explanation.classes[label]}\np = {explanation.probabilities[label]:.3f}"
        panel.set_title(f"Evidence {said}", fontsize=9)
        strongest = f"up to {explanation.maps[label].max():.2g}"
        said = "no evidence" if explanation.is_empty(label) else strongest
        panel.set_xlabel(said, fontsize=9, color=GREY)
    scale = ScalarMappable(mpl.colors.Normalize(0, 1), COLOURS)
    bar = drawn.colorbar(scale, ax=others, shrink=0.75, pad=0.02)
    bar.set_label("share of the strongest evidence in this image", fontsize=8)
    drawn.suptitle(explanation.name, x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, name)


def coloured(shares: NDArray[np.floating], opacity: float) -> NDArray[np.float64]:
    """A map as (rows, columns, 4), red green blue and opacity, to be laid over the image.

    Args:
        shares: (rows, columns) in [0, 1].
        opacity: where the share is 1; it falls to 0 with the share's square root, so that weak
            evidence is seen and none is not.
    """
    painted = np.array(colormaps[COLOURS](shares))
    painted[..., 3] = opacity * np.sqrt(shares)
    return painted


def caption(explanation: Explanation, note: str = "") -> str:
    """What must be read with every map."""
    pieces = (
        f"{explanation.method}, layer {explanation.layer}, grid {explanation.grid} for an image of "
        f"{explanation.image.shape[0]} x {explanation.image.shape[1]} pixels",
        WORTH,
        note,
        "Research use only",
    )
    return " \N{MIDDLE DOT} ".join(piece for piece in pieces if piece)


def keep(explanation: Explanation, path: Path) -> Path:
    """Write an explanation's numbers as `.npz`: `raw`, `maps`, `image`, `probabilities` and what
    they are of.
    """
    np.savez_compressed(
        path,
        raw=explanation.raw,
        maps=explanation.maps,
        image=explanation.image,
        probabilities=explanation.probabilities,
        classes=np.array(explanation.classes),
        method=explanation.method,
        layer=explanation.layer,
    )
    return path


def _show(panel: Axes, image: NDArray[np.float32]) -> None:
    grey = image[..., 0] if image.shape[-1] == 1 else image
    panel.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    panel.set(xticks=(), yticks=())
    panel.spines[:].set_visible(False)
    panel.grid(visible=False)
