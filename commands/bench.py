"""The command `bench`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Interrupted, UnknownName, UserError
from . import output
from .output import Json

if TYPE_CHECKING:
    from ..experiments.benchmark_rows import Cell, Protocol
    from ..experiments.time_to_target import Target


class Mode(StrEnum):
    """What is timed."""

    train = "train"
    predict = "predict"
    both = "both"


def bench(  # noqa: PLR0913, PLR0917  one parameter an option
    models: Annotated[
        list[str] | None, typer.Argument(help="Of the zoo; baseline_cnn if none is named.")
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="Repeatable; all but fake if none is named.")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="cpu, gpu, gpu:N or auto. Repeatable; cpu if none.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What is timed.")] = Mode.both,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Fewer than 40 are a quick look.")] = 40,
    warm_up: Annotated[int, typer.Option(min=0, help="Fewer than 10 are a quick look.")] = 10,
    repetitions: Annotated[int, typer.Option(min=1, help="Fewer than 5 are a quick look.")] = 5,
    precision: Annotated[
        str, typer.Option(help="As training.precision of a spec, in mixed numbers or float32.")
    ] = "float32",
    target_auc: Annotated[
        float | None, typer.Option(min=0.5, max=1, help="Also time the way to a validation AUC.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="At most, on the way to it.")] = 15,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each backend to it.")] = 5,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the tables; bench/<date-time> if none is named.")
    ] = None,
    json: Json = False,
) -> None:
    """Time training and prediction by model, backend and device, a process each."""
    from ..backends import frameworks
    from ..experiments import benchmark, provenance
    from ..experiments.benchmark_rows import Protocol
    from ..experiments.time_to_target import Target

    modes = benchmark.MODES if mode is Mode.both else (mode.value,)
    places = models or ["baseline_cnn"], backend or frameworks(), _devices(device)
    cells = benchmark.cells(*places, modes)
    protocol = Protocol(batch_size, warm_up, steps, repetitions, _precision(precision))
    target = None if target_auc is None else Target(target_auc, epochs, seeds)
    folder = out or Path("bench") / provenance.now()[:19].replace(":", "-")
    try:
        code = _bench(cells, protocol, target, folder, json)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(f"Interrupted. What was measured before is in {folder}.") from None
    raise typer.Exit(code)


def _devices(asked: list[str] | None) -> list[str]:
    from ..backends import devices

    for name in asked or []:
        if not devices.is_valid(name):
            raise UserError(f"--device must be cpu, gpu, gpu:N or auto; got {name!r}.")
    return asked or ["cpu"]


def _precision(asked: str) -> str:
    from ..backends import registry

    if asked not in registry.OF_KERAS:
        raise UnknownName("precision", asked, registry.OF_KERAS)
    return asked


def _bench(
    cells: "Sequence[Cell]", protocol: "Protocol", target: "Target | None", folder: Path, json: bool
) -> int:
    """Measure, write and show; 1 if something failed, or nothing could be measured."""
    from ..experiments import benchmark, benchmark_report, time_to_target
    from ..experiments.benchmark_rows import FAILED, MEASURED

    tell = output.show_json if json else _tell
    rows, trials = benchmark.run(cells, protocol, folder, tell), []
    if target:
        places = list(dict.fromkeys((cell.model, cell.backend, cell.device) for cell in cells))
        trials = time_to_target.run(places, target, Path("runs"), folder, tell)
    report = benchmark_report.write(folder, rows, protocol, target, trials)
    tell({"event": "written", "report": str(report)})
    states = [row.state for row in rows]
    return int(FAILED in states + [trial.state for trial in trials] or MEASURED not in states)


def _tell(event: dict[str, Any]) -> None:
    """Show an event as words; a display that moves would take from what is measured."""
    if event["event"] in ("repetition", "epoch"):
        typer.echo(".", nl=False)
    elif event["event"] in _WORDS:
        text, ends_line = _WORDS[event["event"]](event)
        typer.echo(text, nl=ends_line)


def _cell(event: dict[str, Any]) -> tuple[str, bool]:
    place = f"{event['model']} on {event['backend']}, {event['device']}"
    return f"{event['number']}/{event['of']}  {event['mode']} {place} ", False


def _row(event: dict[str, Any]) -> tuple[str, bool]:
    if event["images_per_s"] is None:
        return f" {event['state']}: {event['reason']}", True
    low, high = event["images_per_s_p10"], event["images_per_s_p90"]
    return f" {event['images_per_s']:.1f} images/s ({low:.1f} to {high:.1f})", True


def _trial(event: dict[str, Any]) -> tuple[str, bool]:
    place = f"{event['model']} on {event['backend']}, {event['device']}, seed {event['seed']}"
    return f"{event['number']}/{event['of']}  to ROC AUC {event['roc_auc']:g}: {place} ", False


def _reached(event: dict[str, Any]) -> tuple[str, bool]:
    if event["reason"]:
        return f" {event['state']}: {event['reason']}", True
    if event["seconds"] is None:
        return f" not reached; the best was {event['best_roc_auc']:.3f}", True
    return f" {event['seconds']:.1f} s, epoch {event['epoch']}", True


def _written(event: dict[str, Any]) -> tuple[str, bool]:
    return f"Tables and figure: {event['report']}", True


_WORDS = {
    "cell": _cell,
    "row": _row,
    "trial": _trial,
    "reached": _reached,
    "written": _written,
}
