"""The thesis's other views: what each layer says of an image, and what its filters look for."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import RunError, UserError
from . import patterns, sheets
from .explainer import Explainer
from .network import Network, grid_of

MOST = 64  # channels on a sheet
# How filters' patterns are found -> the only backend that it runs on, None for all.
PATTERNS = {"ascent": None, "tf_keras_vis.activation_maximization": "tensorflow"}
_WINDOWS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D")
_FILTERS = _WINDOWS[:3]

Tell = Callable[[Path], None]


def layers(
    explainer: Explainer, file: Path, only: Sequence[str], out: Path, tell: Tell
) -> list[Path]:
    """Draw what every convolution and pooling says of an image, a sheet a layer.

    Args:
        explainer: of a run.
        file: an image.
        only: layers to draw in place of all.
        out: the folder to write to.
        tell: called with each sheet.

    Raises:
        DataError: the file cannot be read or does not fit the model.
        UnknownName, UnsupportedModel: a layer is not there, or has no grid.
        RunError: the folder cannot be written.
    """
    network, image = explainer.network, explainer.prepared.read(file)[None]
    names = list(only) or _layers(network, _WINDOWS)
    for name in names:
        grid_of(network.graph, name)
    return [_layer(network, file, image, name, out, tell) for name in names]


def filters(
    explainer: Explainer, only: Sequence[str], method: str, out: Path, tell: Tell
) -> list[Path]:
    """Draw what the filters of convolutions look for, a sheet a layer.

    Args:
        explainer: of a run.
        only: layers to draw in place of every convolution.
        method: one of `PATTERNS`.
        out, tell: as for `layers`.

    Raises:
        UserError: there is no such method, or it does not run on this backend.
        UnknownName, UnsupportedModel: a layer is not there, or has no grid.
        RunError: the folder cannot be written.
    """
    network = explainer.network
    if method not in PATTERNS:
        raise UserError(f"--method must be one of {', '.join(PATTERNS)}; got {method!r}.")
    needed = PATTERNS[method]
    if needed not in (None, network.worker.backend.name):
        raise UserError(f"{method} runs on {needed} only: add --backend {needed}.")
    names = list(only) or _layers(network, _FILTERS)
    for name in names:
        grid_of(network.graph, name)
    return [_patterns(network, name, method, out, tell) for name in names]


def _layer(
    network: Network, file: Path, image: NDArray[np.float32], name: str, out: Path, tell: Tell
) -> Path:
    said = network.activations(image, name)[0]
    shown = range(min(MOST, said.shape[-1]))
    title = f"{name} of {file.name}: {len(shown)} of {said.shape[-1]} channels"
    words = [f"{channel}: up to {said[..., channel].max():.3g}" for channel in shown]
    caption = (
        f"Activations on a grid of {grid_of(network.graph, name)}, each channel stretched from its "
        "least to its greatest \N{MIDDLE DOT} Research use only"
    )
    maps = [said[..., channel] for channel in shown]
    return _sheet(maps, words, title, caption, out / f"layer-{name}", tell)


def _patterns(network: Network, name: str, method: str, out: Path, tell: Tell) -> Path:
    probe = np.zeros((1, *network.image_shape), np.float32)
    filters = network.activations(probe, name).shape[-1]
    shown = list(range(min(MOST, filters)))
    if method == "ascent":
        images, answers = patterns.ascend(network, name, shown)
        words = [
            f"{number}: {first:.2g} to {last:.2g}" if last > first else f"{number}: no answer"
            for number, (first, last) in zip(shown, answers, strict=True)
        ]
        under = "; under each its mean answer before and after"
    else:
        images = network.keras_vis_patterns(name, shown, patterns.STEPS)
        words, under = [str(number) for number in shown], ""
    title = f"What the filters of {name} look for: {len(shown)} of {filters}"
    caption = (
        f"Activation maximisation ({method}, {patterns.STEPS} steps from grey noise){under} "
        "\N{MIDDLE DOT} Drawn by a program, no patient \N{MIDDLE DOT} Research use only"
    )
    return _sheet(list(images), words, title, caption, out / f"filters-{name}", tell)


def _sheet(
    pictures: Sequence[NDArray[np.floating]],
    words: Sequence[str],
    title: str,
    caption: str,
    path: Path,
    tell: Tell,
) -> Path:
    try:
        drawn, _ = sheets.draw(pictures, words, title, caption, path.parent, path.name)
        np.savez_compressed(path.with_suffix(".npz"), pictures=np.stack(pictures))
    except OSError as error:
        raise RunError(f"{path.parent} cannot be written: {error.strerror}.") from error
    tell(drawn)
    return drawn


def _layers(network: Network, ops: Sequence[str]) -> list[str]:
    return [layer["name"] for layer in network.graph["layers"] if layer["op"] in ops]
