"""A benchmark as Markdown: the machine, how it was measured, and every row."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from . import machine, provenance
from .benchmark import BATCHES, OPTIMIZER
from .benchmark_rows import MEASURED, USE, Protocol, Row
from .run import RunDirectory
from .time_to_target import Target, Trial, median

NAME = "benchmark.md"


def write(
    folder: Path,
    rows: Sequence[Row],
    protocol: Protocol,
    target: Target | None = None,
    trials: Sequence[Trial] = (),
) -> Path:
    """Write `benchmark.md`, and the figure as PNG and SVG; arguments as in `markdown`."""
    from . import benchmark_plot

    benchmark_plot.times(rows, protocol, folder)
    RunDirectory(folder).write(NAME, markdown(rows, protocol, target, trials))
    return folder / NAME


def markdown(
    rows: Sequence[Row],
    protocol: Protocol,
    target: Target | None = None,
    trials: Sequence[Trial] = (),
) -> str:
    """All that was measured.

    Args:
        rows: as `benchmark.run` gives them.
        protocol: how they were measured.
        target, trials: as `time_to_target.run` takes and gives them, if it was asked for.
    """
    parts = [
        f"# {protocol.title}",
        f"**{USE}**",
        f"    {' '.join(provenance.command())}",
        _table(["machine", ""], machine.facts().items()),
        _how(protocol),
        _table(_SPEED, map(_speed, rows)),
        _notes(),
        "## What ran",
        _table(_RAN, _ran(rows)),
        "The largest difference is that of a probability on one batch at the initial weights, "
        "which are the same on every backend, to the backend named.",
    ]
    if target:
        parts += [f"## Time to a validation ROC AUC of {target.roc_auc:g}", _times(target, trials)]
    return "\n\n".join(parts) + "\n"


def said(row: Row | Trial) -> str:
    """Why there is no figure."""
    return f"{row.state}: {row.reason}"


def _how(protocol: Protocol) -> str:
    return (
        f"Synthetic random images, uniform in [0, 1], in the shape that each model takes, the "
        f"same bytes for every backend: {BATCHES} batches of {protocol.batch_size}, taken in "
        "turn, in memory before the clock starts, so that only the backend is timed and not how "
        f"images are read. Training is by {OPTIMIZER['name']} at {OPTIMIZER['learning_rate']}. "
        "Each row is a process of its own, one after the other. The first step, which compiles, "
        f"is apart; {protocol.warm_up} steps to warm up, then {protocol.repetitions} repetitions "
        f"of {protocol.steps} steps. Figures are the median of all those steps, with p10 to p90."
    )


def _notes() -> str:
    return (
        "The first step holds the compilation. Peak memory is that of the worker's processes "
        "from their start, framework included. Other load is the number of cores that other "
        "programs kept busy just before or just after the row, whichever was more. Precision is "
        "each framework's own: on NVIDIA GPUs since 2020, float32 products may be computed in TF32."
    )


_SPEED = [
    "model", "mode", "backend", "device", "images/s (p10 to p90)", "ms a step (p10 to p90)",
    "first step, s", "peak memory, MiB", "other load, cores",
]  # fmt: skip


def _speed(row: Row) -> list[str]:
    names = [row.model, row.mode, row.backend, row.device or row.device_asked]
    if row.state != MEASURED:
        return [*names, said(row), "", "", "", ""]
    return [
        *names,
        _spread(row.images_per_s, row.images_per_s_p10, row.images_per_s_p90),
        _spread(row.ms_per_step, row.ms_per_step_p10, row.ms_per_step_p90),
        _number(row.first_step_s),
        f"{row.peak_memory_mb:,.0f}",
        f"{row.other_load_cores:.1f}",
    ]


_RAN = [
    "model", "images", "parameters", "backend", "device", "threads", "precision", "jit_compile",
    "largest difference", "versions",
]  # fmt: skip


def _ran(rows: Iterable[Row]) -> Iterable[list[str]]:
    """One line for each model, backend and device, whatever the mode."""
    known = [row for row in rows if row.state == MEASURED]
    for place in dict.fromkeys(map(_place, known)):
        same = [row for row in known if _place(row) == place]
        row = max(same, key=lambda row: row.largest_difference or 0)
        yield [
            row.model,
            str(row.input_shape),
            f"{row.parameters:,}",
            row.backend,
            ", ".join(dict.fromkeys([str(row.device), str(row.device_name)])),
            str(row.threads),
            f"{row.precision}",
            str(row.jit_compile),
            _difference(row),
            row.versions,
        ]


def _place(row: Row) -> tuple[str, str, str]:
    return row.model, row.backend, row.device or ""


def _difference(row: Row) -> str:
    if row.largest_difference is None:
        return "not compared: other weights"
    if row.compared_with == f"{row.backend} on {row.device}":
        return "the others are compared with it"
    return f"{row.largest_difference:.1e} to {row.compared_with}"


def _times(target: Target, trials: Sequence[Trial]) -> str:
    lines = []
    for (model, backend, device), group in groupby(
        trials, key=lambda trial: (trial.model, trial.backend, trial.device)
    ):
        same = list(group)
        lines.append([model, backend, device, *_time(target, same)])
    heads = ["model", "backend", "device", "median, s", "range, s", "reached", "epochs", "measured"]
    return _table(heads, lines) + (
        "\n\nSynthetic images (phantom_nodules), 180 of them to validate. The seconds are those "
        "of training and validation until the end of the first epoch that reached the target, "
        "compiling included, checkpoints and the start of the worker not. Runs that were done "
        "before are taken as they are: see 'measured'."
    )


def _time(target: Target, trials: Sequence[Trial]) -> list[str]:
    failed = [trial for trial in trials if trial.state != MEASURED]
    if failed:
        return [said(failed[0]), "", "", "", ""]
    reached = [trial for trial in trials if trial.seconds is not None]
    missed = f"not reached in {target.epochs} epochs"
    if not reached:
        return [missed, "", f"0 of {len(trials)}", "", _days(trials)]
    times = [trial.seconds or math.nan for trial in reached]
    most = f"{max(times):.1f}" if len(reached) == len(trials) else missed
    middle = median(trials)
    return [
        missed if math.isinf(middle) else f"{middle:.1f}",
        f"{min(times):.1f} to {most}",
        f"{len(reached)} of {len(trials)}",
        ", ".join(str(trial.epoch or "-") for trial in trials),
        _days(trials),
    ]


def _days(trials: Sequence[Trial]) -> str:
    return " and ".join(sorted({(trial.started or "")[:10] for trial in trials}))


def _spread(middle: float | None, low: float | None, high: float | None) -> str:
    return f"{_number(middle)} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    """Three digits or all of the whole number."""
    assert value is not None, "of a measured row"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    )
