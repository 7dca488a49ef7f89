"""What `sweep` shows of many runs: their progress, and tables of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ..terminal import Display, plain_table


class SweepDisplay(Display):
    """Progress of many runs: a bar for all, one for each under way, and a line for each end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._all = self._progress.add_task("runs", total=None, figures="")
        self._tasks: dict[int, TaskID] = {}
        self._words: dict[int, str] = {}

    def tell(self, number: int | None, event: Mapping[str, Any]) -> None:
        """Show an event of the sweep itself, or of its trial `number`."""
        if number is None:
            self._progress.update(self._all, total=event["trials"], completed=0)
            if event["event"] == "round":
                runs = f"{event['points']} points, {event['trials']} runs"
                self._console.print(f"To epoch {event['epochs']}: {runs}", highlight=False)
            return
        known = getattr(self, "_" + event["event"], None)
        if known:
            known(number, event)

    def _run(self, number: int, event: Mapping[str, Any]) -> None:
        settings = event["settings"]
        words = " ".join(f"{_short(key, [*settings])}={settings[key]}" for key in settings)
        self._words[number] = escape(f"{number}: {words}")
        self._show(number, "starting")

    def _stage(self, number: int, event: Mapping[str, Any]) -> None:
        if number in self._words:
            self._show(number, event["name"])

    def _step(self, number: int, event: Mapping[str, Any]) -> None:
        self._show(number, epochs=(event["epoch"] - 1, event["epochs"]))

    def _epoch(self, number: int, event: Mapping[str, Any]) -> None:
        figures = f"validation AUC {event['val_roc_auc']:.3f}"
        self._show(number, figures, (event["epoch"], event["epochs"]))

    def _again(self, number: int, event: Mapping[str, Any]) -> None:
        self._console.print(f"{number}: begun again. {escape(event['message'])}")

    def _note(self, number: int, event: Mapping[str, Any]) -> None:
        self._console.print(f"{number}: {escape(event['text'])}", highlight=False)

    def _finished(self, number: int, event: Mapping[str, Any]) -> None:
        how = "done before" if event["was_done"] else "finished"
        self._end(number, f"{how}: {escape(event['folder'])}")

    def _error(self, number: int, event: Mapping[str, Any]) -> None:
        pruned = event["kind"] == "Pruned"
        self._end(number, ("" if pruned else "[bold]FAILED[/bold] ") + escape(event["message"]))

    def _end(self, number: int, said: str) -> None:
        self._console.print(f"{self._words.get(number, number)}  {said}", highlight=False)
        if number in self._tasks:
            self._progress.remove_task(self._tasks.pop(number))
        self._progress.advance(self._all)

    def _show(
        self, number: int, figures: str | None = None, epochs: tuple[int, int] | None = None
    ) -> None:
        """Change a trial's bar; `epochs` are those done, and all."""
        if number not in self._tasks:
            words = self._words.get(number, str(number))
            self._tasks[number] = self._progress.add_task(words, total=None, figures="")
        if figures is not None:
            self._progress.update(self._tasks[number], figures=figures)
        if epochs is not None:
            self._progress.update(self._tasks[number], completed=epochs[0], total=epochs[1])


def settings_table(
    settings: Sequence[Mapping[str, Any]], further: Mapping[str, Sequence[str]], title: str
) -> Table:
    """Runs by number, each with what tells it from the others, and further columns by name.

    Args:
        settings: of each run; what all have in common is left out, unless there is nothing else.
        further: a text for each run, by column.
    """
    keys = list(dict.fromkeys(key for one in settings for key in one))
    telling = [key for key in keys if len({str(one.get(key)) for one in settings}) > 1] or keys
    heads = [_short(key, telling) for key in telling]
    rows = [
        [str(number), *(str(one.get(key, "")) for key in telling), *texts]
        for number, (one, *texts) in enumerate(zip(settings, *further.values(), strict=True))
    ]
    return plain_table(["", *heads, *further], rows, title)


def _short(key: str, among: Sequence[str]) -> str:
    """The last word of a dotted key, where it is enough to know it by."""
    word = key.rsplit(".", maxsplit=1)[-1]
    return key if [other.split(".")[-1] for other in among].count(word) > 1 else word


def trials_table(trials: Sequence[Any], title: str) -> Table:
    """The trials of a sweep (`experiments.sweep.Trial`), each with what became of it."""
    told = [_cut(trial.error) if trial.error else trial.folder for trial in trials]
    states = [trial.state for trial in trials]
    further = {"state": states, "run directory, or what went wrong": told}
    return settings_table([trial.settings for trial in trials], further, title)


def _cut(message: str, letters: int = 60) -> str:
    line = message.splitlines()[0]
    return line if len(line) <= letters else line[:letters] + " ..."
