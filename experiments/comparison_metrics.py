"""Figures of a comparison by configuration: metrics with intervals, and what batch size costs."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .canvas import BLUE, GREY, STYLE, figure, panels
from .compare import Comparison, Row
from .comparison_canvas import caption, keep, look, wrapped
from .comparison_words import SHOWN, label, reported

_BATCH = "training.batch_size"


@mpl.rc_context(STYLE)
def metrics(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw each metric with its interval: groups by the first setting, the others side by side."""
    data = pd.DataFrame([_place(row, name) for row in comparison.rows for name in SHOWN])
    groups, kinds = list(dict.fromkeys(data["group"])), list(dict.fromkeys(data["kind"]))
    heights = _heights(comparison.rows, groups)
    size = 2.6 * len(SHOWN) + 1.2, 0.34 * len(comparison.rows) + 0.25 * len(groups) + 1.7
    page = figure(size, caption(comparison, "test"))
    row_of_axes = page.subplots(1, len(SHOWN), sharey=True)
    for axes, name in zip(row_of_axes, SHOWN, strict=True):
        for row in comparison.rows:
            _point(axes, row, name, heights[row.name], kinds)
        _mark_reference(axes, comparison, name)
        axes.set(xlabel=label(name))
    middles = [
        np.mean([heights[r.name] for r in comparison.rows if _group(r) == g]) for g in groups
    ]
    row_of_axes[0].set_yticks(middles, [wrapped(group, 26) for group in groups])
    row_of_axes[0].set_ylim(max(heights.values()) + 0.6, -0.6)
    _explain(row_of_axes[-1], comparison, kinds)
    handles, labels = row_of_axes[-1].get_legend_handles_labels()
    page.legend(handles, labels, loc="outside right upper")
    title = f"Metrics by configuration ({comparison.threshold.name})"
    page.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    return keep(page, data, comparison, folder, "metrics_by_configuration")


@mpl.rc_context(STYLE)
def batch_size(comparison: Comparison, folder: Path) -> list[Path]:
    """Draw time and quality against the batch size; nothing where it is the same for all."""
    data = pd.DataFrame([_batch(row) for row in comparison.rows])
    if data["batch_size"].nunique() < 2:
        return []
    page = figure((9.4, 4.0), caption(comparison, "test"))
    time, quality = panels(page, 1, 2)[0]
    lines = list(dict.fromkeys(data["line"]))
    for number, name in enumerate(lines):
        own = data[data["line"] == name].sort_values("batch_size")
        style: dict[str, Any] = look(number)._asdict()
        time.plot(own["batch_size"], own["seconds_per_epoch"], label=wrapped(name), **style)
        beside = own["batch_size"] * 2 ** (0.08 * (number - (len(lines) - 1) / 2))
        bars = [own["roc_auc"] - own["low"], own["high"] - own["roc_auc"]]
        quality.errorbar(beside, own["roc_auc"], bars, capsize=2, **style)
    for axes, words in ((time, "Seconds per epoch (median)"), (quality, label("roc_auc"))):
        sizes = sorted(data["batch_size"].unique())
        axes.set(xlabel="Batch size (images)", ylabel=words)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
    time.set_ylim(bottom=0)
    percent = f"{100 * comparison.bootstrap.confidence:g} %"
    quality.set_title(f"with {percent} intervals over patients", fontsize=8, weight="normal")
    page.legend(loc="outside right upper")
    page.suptitle("Batch size: time and quality", x=0.01, ha="left", fontsize=10, weight="bold")
    return keep(page, data, comparison, folder, "batch_size")


def _group(row: Row) -> str:
    """The first setting, by which the others are put side by side."""
    for key, value in row.candidate.settings.items():
        return value if key == "configuration" else f"{key} {value}"
    return row.name


def _kind(row: Row) -> str:
    """All settings but the first."""
    return ", ".join(f"{key} {value}" for key, value in list(row.candidate.settings.items())[1:])


def _heights(rows: tuple[Row, ...], groups: list[str]) -> dict[str, float]:
    """Where each configuration stands: one below the other, with a gap between groups of many."""
    places, height = {}, 0.0
    gap = 0.6 if len(rows) > len(groups) else 0.0
    for group in groups:
        for row in rows:
            if _group(row) == group:
                places[row.name] = height
                height += 1
        height += gap
    return places


def _place(row: Row, name: str) -> dict[str, Any]:
    found = row.metrics[name]
    return {
        "configuration": row.name,
        "group": _group(row),
        "kind": _kind(row),
        "metric": name,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "seeds": " ".join(f"{value:.6g}" for value in row.measured.values[name]),
        "reported": reported(row).get(name),
    }


def _point(axes: Axes, row: Row, name: str, height: float, kinds: list[str]) -> None:
    found, style = row.metrics[name], look(kinds.index(_kind(row)))
    figure_of_paper = reported(row).get(name)
    if figure_of_paper is not None:
        axes.plot(figure_of_paper, height, "d", mfc="white", mec=GREY, ms=6, zorder=4)
    if found.value is None:
        axes.annotate("not estimable", (0.5, height), xycoords=("axes fraction", "data"))
        return
    if found.seeds > 1:
        seeds = row.measured.values[name]
        axes.plot(seeds, [height + 0.28] * len(seeds), "|", color=style.color, ms=5, mew=1)
    if found.low is not None and found.high is not None:
        axes.plot([found.low, found.high], [height] * 2, color=style.color, lw=1.6)
    axes.plot(found.value, height, marker=style.marker, color=style.color, ms=5.5)


def _mark_reference(axes: Axes, comparison: Comparison, name: str) -> None:
    reference = next(row for row in comparison.rows if row.name == comparison.reference)
    value = reference.metrics[name].value
    if value is not None:
        axes.axvline(value, color=GREY, linestyle=":", linewidth=1, zorder=0)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _explain(axes: Axes, comparison: Comparison, kinds: list[str]) -> None:
    """Empty lines that say in the legend what is what."""
    over_patients = f"{100 * comparison.bootstrap.confidence:g} % interval\nover patients"
    for number, kind in enumerate(kinds):
        style = look(number)
        axes.plot(
            [], [], marker=style.marker, color=style.color, label=wrapped(kind, 30) or "value"
        )
    axes.plot([], [], color=BLUE if kinds == [""] else GREY, label=over_patients)
    if any(len(row.candidate.runs) > 1 for row in comparison.rows):
        axes.plot([], [], "|", color=BLUE if kinds == [""] else GREY, label="each seed")
    said = wrapped(f"reference: {comparison.reference}", 30)
    axes.plot([], [], ":", color=GREY, lw=1, label=said)
    named = [row.reported.get("source", "reported") for row in comparison.rows if reported(row)]
    for source in dict.fromkeys(named):
        axes.plot([], [], "d", mfc="white", mec=GREY, label=wrapped(str(source), 30))


def _batch(row: Row) -> dict[str, Any]:
    others = [f"{k} {v}" for k, v in row.candidate.settings.items() if k != "batch size"]
    backend = row.candidate.runs[0].manifest["backend"]
    found = row.metrics["roc_auc"]
    return {
        "line": ", ".join(others) or f"backend {backend}",
        "batch_size": row.candidate.spec.get(_BATCH),
        "backend": backend,
        "seconds_per_epoch": _seconds(row),
        "wall_time_s": row.wall_time_s,
        "roc_auc": np.nan if found.value is None else found.value,
        "low": np.nan if found.low is None else found.low,
        "high": np.nan if found.high is None else found.high,
    }


def _seconds(row: Row) -> float:
    """The median over epochs; the first, which also compiles, does not count if there are more."""
    seconds = [run.history["seconds"].to_numpy() for run in row.candidate.runs]
    return float(np.median(np.concatenate([one[1:] if len(one) > 1 else one for one in seconds])))
