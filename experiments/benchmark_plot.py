"""A benchmark as a bar chart like the thesis's: the time by backend, device beside device."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from . import machine
from .benchmark_rows import MEASURED, SHARED, USE, Protocol, Row
from .canvas import BLUE, GREY, RED, STYLE, figure, panels, save

_DEVICES = ((BLUE, ""), (RED, "///"), ("#009E73", "..."), ("#CC79A7", "xxx"))
_IMAGES = 1000  # the unit of the bars
_WORDS = {"train": "Training", "predict": "Prediction"}


@mpl.rc_context(STYLE)
def times(rows: Sequence[Row], protocol: Protocol, folder: Path) -> list[Path]:
    """Draw the seconds that 1,000 images take, at the median step, with p10 to p90.

    Args:
        rows: as `benchmark.run` gives them; what is not available is said in its place.
        protocol: how they were measured.
        folder: where `benchmark.png` and `.svg` go.
    """
    models, modes, names, devices = (
        list(dict.fromkeys(getattr(row, key) for row in rows))
        for key in ("model", "mode", "backend", "device_asked")
    )
    wide = max(2.6, 0.55 + 0.42 * len(names) * len(devices)) * len(modes) + 0.8
    drawn = figure((max(6.4, wide), 2.9 * len(models) + 1.2), _caption(protocol))
    grid = panels(drawn, len(models), len(modes))
    for axes_of_model, model in zip(grid, models, strict=True):
        for axes, mode in zip(axes_of_model, modes, strict=True):
            shown = [row for row in rows if (row.model, row.mode) == (model, mode)]
            _panel(axes, shown, names, devices)
            axes.set_title(f"{_WORDS[mode]}: {model}")
        axes_of_model[0].set_ylabel(f"Seconds per {_IMAGES:,} images\n(shorter is faster)")
    if len(devices) > 1:
        handles = [
            mpl.patches.Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=device)
            for (colour, hatch), device in zip(cycle(_DEVICES), devices, strict=False)
        ]
        drawn.legend(handles=handles, loc="outside upper right", ncols=len(devices))
    drawn.suptitle(protocol.title, x=0.01, ha="left", fontsize=11, weight="bold")
    return save(drawn, folder, "benchmark")


def _panel(axes: Axes, rows: Sequence[Row], names: list[str], devices: list[str]) -> None:
    """The bars of one model and mode; a number on each, or words where there is none."""
    width, top = 0.8 / len(devices), max((_seconds(row)[2] for row in rows), default=1.0) or 1.0
    for row in rows:
        number = devices.index(row.device_asked)
        place = names.index(row.backend) + (number - (len(devices) - 1) / 2) * width
        if row.state != MEASURED:
            axes.text(
                place, 0.03 * top, row.state, rotation=90, ha="center", color=GREY, fontsize=7.5
            )
            continue
        low, middle, high = _seconds(row)
        colour, hatch = _DEVICES[number % len(_DEVICES)]
        axes.bar(place, middle, 0.92 * width, color=colour, hatch=hatch, edgecolor="white")
        spread = [[middle - low], [high - middle]]
        axes.errorbar(place, middle, spread, color="#303134", capsize=3, linewidth=1.2)
        axes.text(place, high + 0.02 * top, f"{middle:.3g}", ha="center", fontsize=8)
    axes.set(xlim=(-0.6, len(names) - 0.4), ylim=(0, 1.15 * top), xticks=np.arange(len(names)))
    axes.set_xticklabels(names)
    axes.grid(visible=False, axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=0)


def _seconds(row: Row) -> tuple[float, float, float]:
    """p10, median and p90 of the seconds that 1,000 images take; zeros where not measured."""
    steps = (row.ms_per_step_p10, row.ms_per_step, row.ms_per_step_p90)
    low, middle, high = ((step or 0.0) / 1000 * _IMAGES / (row.batch_size or 1) for step in steps)
    return low, middle, high


def _caption(protocol: Protocol) -> str:
    return (
        f"Synthetic random images, batches of {protocol.batch_size}; bars: median of "
        f"{protocol.repetitions} x {protocol.steps} steps, whiskers: p10 to p90; first step and "
        f"{protocol.warm_up} to warm up apart. {machine.facts()['processor']}. {SHARED} {USE}"
    )
