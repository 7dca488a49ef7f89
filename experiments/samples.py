"""Example images of a run: what was missed, what was a false alarm, what was right."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..evaluation import Predictions
from .canvas import BLUE, GREY, RED, STYLE, Caption, figure, panels, save

_RIGHT, _WRONG = "\N{CHECK MARK}", "\N{BALLOT X}"
# (true class, called class): what it is called; the gravest first
_GROUPS = {
    (1, 0): f"{_WRONG} MISSED",
    (0, 1): f"{_WRONG} false alarm",
    (1, 1): f"{_RIGHT} found",
    (0, 0): f"{_RIGHT} cleared",
}
_LONGEST_ID = 28


@dataclass(frozen=True, eq=False)
class Samples:
    """Images to show with what was predicted of them.

    Args:
        images: (k, rows, columns), in [0, 1], bone white.
        truths: (k,), 1 where the image is of the positive class.
        probabilities: (k,), of the positive class.
        ids: (k,), as the dataset names the images.
        classes: the negative and the positive class.
        threshold: a probability at or above it is called positive.
    """

    images: NDArray[np.floating]
    truths: Sequence[int]
    probabilities: Sequence[float]
    ids: Sequence[str]
    classes: Sequence[str]
    threshold: float = 0.5


def most_telling(
    predictions: Predictions, threshold: float = 0.5, each: int = 4
) -> NDArray[np.intp]:
    """Choose the images to show: of each kind of call those that the model was surest of.

    Args:
        predictions: of n images.
        threshold: a probability at or above it is called positive.
        each: how many at most of the missed, false alarms, found and cleared.

    Returns:
        (k,) places of the images among the predictions, k at most 4 times `each`.
    """
    called = (predictions.probabilities >= threshold).astype(int)
    chosen = []
    for truth, call in _GROUPS:
        places = np.flatnonzero((predictions.labels == truth) & (called == call))
        chosen.append(places[_surest(predictions.probabilities[places], call)][:each])
    return np.concatenate(chosen)


@mpl.rc_context(STYLE)
def sample_predictions(samples: Samples, folder: Path, caption: Caption) -> list[Path]:
    """Draw example images, one row for each kind of call, the surest first.

    Args:
        samples: at least one image.
        folder: where `sample_predictions.png` and `.svg` go.
        caption: of the split that the images come from.

    Returns:
        The paths of the PNG and of the SVG.

    Raises:
        ValueError: there is no image.
    """
    rows = _rows(samples)
    if not rows:
        raise ValueError("There is no image to show.")
    columns = max(2, *(len(places) for places in rows.values()))
    drawn = figure((1.75 * columns + 0.5, 2.3 * len(rows) + 0.7), caption)
    grid = panels(drawn, len(rows), columns)
    for axes, (verdict, places) in zip(grid, rows.items(), strict=True):
        for panel, place in zip(axes, places, strict=False):
            _show(panel, samples, place, verdict)
        for panel in axes[len(places) :]:
            panel.set_axis_off()
    title = f"Surest calls at threshold {samples.threshold:.4g}: p = probability of "
    drawn.set_layout_engine("constrained", hspace=0.05)
    drawn.suptitle(title + samples.classes[1], x=0.01, ha="left", fontsize=10, weight="bold")
    return save(drawn, folder, "sample_predictions")


def _rows(samples: Samples) -> dict[str, list[int]]:
    truths, probabilities = np.asarray(samples.truths), np.asarray(samples.probabilities)
    called = (probabilities >= samples.threshold).astype(int)
    rows = {}
    for (truth, call), verdict in _GROUPS.items():
        places = np.flatnonzero((truths == truth) & (called == call))
        if len(places):
            rows[verdict] = places[_surest(probabilities[places], call)].tolist()
    return rows


def _surest(probabilities: NDArray[np.float64], call: int) -> NDArray[np.intp]:
    return np.argsort(-probabilities if call else probabilities, kind="stable")


def _show(panel: Axes, samples: Samples, place: int, verdict: str) -> None:
    panel.imshow(samples.images[place], cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    colour = BLUE if verdict.startswith(_RIGHT) else RED
    panel.spines[:].set(visible=True, color=colour, linewidth=1.6)
    panel.set(xticks=(), yticks=())
    panel.grid(visible=False)
    truth = samples.classes[int(samples.truths[place])]
    said = f"{verdict}, p = {samples.probabilities[place]:.3f}"
    panel.set_title(f"{said}\ntruth: {truth}", fontsize=7.5, weight="normal")
    panel.set_xlabel(_short(str(samples.ids[place])), fontsize=6.5, color=GREY)


def _short(name: str) -> str:
    if len(name) <= _LONGEST_ID:
        return name
    half = (_LONGEST_ID - 1) // 2
    return f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"
