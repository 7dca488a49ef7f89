"""What people see in a terminal: progress, tables and findings."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

RESEARCH_USE = "Research use only. Not a medical device; not validated for clinical use."

LABELS = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity (recall)",
    "specificity": "specificity",
    "f1": "F1",
}


class Display:
    """What shows progress as long as a `with` block lasts."""

    _progress: Progress

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class RunDisplay(Display):
    """Progress of one run: its stages, and a bar an epoch."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def tell(self, event: Mapping[str, Any]) -> None:
        """Show an event of the runner or of a worker."""
        getattr(self, "_" + event["event"], self._ignore)(event)

    def _ignore(self, event: Mapping[str, Any]) -> None:
        """An event that a terminal need not show."""

    def _stage(self, event: Mapping[str, Any]) -> None:
        self._console.print(f"[dim]{escape(event['name'])}[/dim]")

    def _run(self, event: Mapping[str, Any]) -> None:
        settings = "  ".join(f"{key}={value}" for key, value in event["settings"].items())
        line = f"[bold]{escape(event['folder'])}[/bold]  {escape(settings)}"
        self._console.print(line, highlight=False)

    def _note(self, event: Mapping[str, Any]) -> None:
        self._console.print(f"note: {escape(event['text'])}", highlight=False)

    def _resumed(self, event: Mapping[str, Any]) -> None:
        self._console.print(f"going on after epoch {len(event['history'])}")

    def _store(self, event: Mapping[str, Any]) -> None:
        self._show("images", event["images"], event["of"])

    def _files(self, event: Mapping[str, Any]) -> None:
        self._show("files read", event["files"], event["of"])

    def _step(self, event: Mapping[str, Any]) -> None:
        figures = f"loss {event['loss']:.4f}  accuracy {event['accuracy']:.3f}"
        name = f"epoch {event['epoch']}/{event['epochs']}"
        self._show("epoch", event["images"], event["of"], figures, name)
        self._show("training", event["epoch"] - 1, event["epochs"])

    def _epoch(self, event: Mapping[str, Any]) -> None:
        self._console.print(
            f"epoch {event['epoch']:>3}/{event['epochs']}  loss {event['loss']:.3f}  "
            f"validation: loss {event['val_loss']:.3f}  accuracy {event['val_accuracy']:.3f}  "
            f"AUC {event['val_roc_auc']:.3f}",
            highlight=False,
        )
        self._show("training", event["epoch"], event["epochs"])

    def _show(self, task: str, done: int, of: int, figures: str = "", name: str = "") -> None:
        if task not in self._tasks:
            self._tasks[task] = self._progress.add_task(name or task, total=of, figures=figures)
        number = self._tasks[task]
        self._progress.update(
            number,
            completed=done,
            total=of,
            description=name or task,
            figures=figures,
            visible=done < of,
        )


def metrics_table(metrics: Mapping[str, Any], reported: Mapping[str, Any]) -> Table:
    """The figures of the test side with their intervals, beside those of a paper if any."""
    if "findings" in metrics:
        return _findings_table(metrics)
    test = metrics["splits"]["test"]
    confidence = f"{metrics['confidence']:.0%} interval"
    synthetic = "SYNTHETIC images, " if metrics["synthetic"] else ""
    table = Table(
        title=f"Test: {synthetic}{test['images']} images of {test['patients']} patients, "
        f"{test['positives']} {escape(metrics['positive_class'])}; threshold {test['threshold']}",
        caption=RESEARCH_USE,
    )
    source = escape(str(reported.get("source", "reported")))
    columns = ["", "measured", confidence] + ([source] if reported else [])
    for column in columns:
        table.add_column(column, justify="left" if column == "" else "right")
    for name, label in LABELS.items():
        row = [label, *_estimate(test["metrics"][name])]
        table.add_row(*row, *([escape(str(reported.get(name, "")))] if reported else []))
    _add_counts(table, test)
    return table


def _findings_table(metrics: Mapping[str, Any]) -> Table:
    """The ROC AUC of each finding on the test side, and their mean."""
    test = metrics["splits"]["test"]
    synthetic = "SYNTHETIC images, " if metrics["synthetic"] else ""
    title = f"Test: {synthetic}{test['images']} images of {test['patients']} patients"
    table = Table(title=title, caption=RESEARCH_USE)
    heads = ("positive of known", "ROC AUC", f"{metrics['confidence']:.0%} interval")
    table.add_column("")
    for column in heads:
        table.add_column(column, justify="right")
    for name, found in metrics["findings"].items():
        side = found["splits"]["test"]
        cells = ("not measured", "")
        if "folder" in found:
            cells = _estimate(side["metrics"]["roc_auc"])
        table.add_row(escape(name), f"{side['positives']} of {side['images']}", *cells)
    table.add_section()
    table.add_row("mean", "", *_estimate(test["metrics"]["mean_roc_auc"]))
    return table


def _estimate(estimate: Mapping[str, Any]) -> tuple[str, str]:
    if estimate["value"] is None:
        return "not estimable", ""
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}", "none"
    return f"{estimate['value']:.3f}", f"{estimate['low']:.3f} to {estimate['high']:.3f}"


def _add_counts(table: Table, test: Mapping[str, Any]) -> None:
    table.add_section()
    for name in "true_positives", "false_negatives", "false_positives", "true_negatives":
        estimate = test["metrics"][name]
        low, high = estimate["low"], estimate["high"]
        interval = "" if low is None else f"{low:.0f} to {high:.0f}"
        table.add_row(name.replace("_", " "), f"{estimate['value']:.0f}", interval)


def plain_table(columns: list[str], rows: list[list[str]], title: str = "") -> Table:
    """A table of words, which mean themselves: `radzoo[torch]` is no markup of Rich's."""
    table = Table(title=escape(title) or None)
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def counts_table(name: str, counts: Any) -> Table:
    """Images by each value that a dataset knows, as `preprocessing.overview` counts them."""
    people = "patients unknown" if counts.patients is None else f"{counts.patients} patients"
    table = Table(title=f"{name}: {counts.images} images, {people}")
    for column in "", "value", "images", "patients":
        table.add_column(column, justify="right" if column in ("images", "patients") else "left")
    for column, images in counts.images_by.items():
        patients = counts.patients_by_label if column == "label" else {}
        for value, number in images.items():
            table.add_row(column, escape(value), str(number), str(patients.get(value, "")))
        table.add_section()
    return table
