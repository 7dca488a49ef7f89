"""A comparison as files: one page that can be sent by mail, its table for papers, its figures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import comparison_curves, comparison_files, comparison_learning, comparison_metrics, pages
from . import comparison_tables as tables
from . import comparison_words as words
from .compare import Comparison
from .comparison_tables import Cell, Table

_Draw = Callable[[Comparison, Path], list[Path]]
_FIGURES: dict[str, tuple[_Draw, str]] = {
    "metrics_by_configuration": (
        comparison_metrics.metrics,
        "Metrics by configuration with intervals over resampled patients, and each seed",
    ),
    "roc": (
        comparison_curves.roc,
        "ROC curves of the test images, means over seeds, with bands over resampled patients",
    ),
    "precision_recall": (
        comparison_curves.precision_recall,
        "Precision-recall curves of the test images, means over seeds, with the prevalence",
    ),
    "errors_by_threshold": (
        comparison_curves.errors,
        "False negatives and false positives by threshold, means over seeds",
    ),
    "batch_size": (
        comparison_metrics.batch_size,
        "Seconds per epoch and ROC AUC by batch size",
    ),
    "learning_curves": (
        comparison_learning.learning_curves,
        "Learning curves of training and validation; the grey gap between them is overfitting",
    ),
}


def write(comparison: Comparison, out: Path) -> Path:
    """Write tables, figures with their data, and `comparison.html` into a folder.

    Returns:
        The path of the page.

    Raises:
        RunError: a file cannot be written, or a run's history cannot be read.
    """
    try:
        drawn = {name: draw(comparison, out / "plots") for name, (draw, _) in _FIGURES.items()}
        table = comparison_files.marked(comparison_files.frame(comparison), comparison)
        _write(out / "table.csv", table.to_csv(index=False))
        _write(out / "table.md", comparison_files.markdown(comparison))
        _write(out / "table.tex", comparison_files.latex(comparison))
        figures = [
            {"source": pages.picture(out / "plots", name), "words": _FIGURES[name][1]}
            for name, paths in drawn.items()
            if paths
        ]
        return _write(out / "comparison.html", _render(comparison, figures))
    except RunError:
        raise
    except OSError as error:
        where = error.filename or out
        raise RunError(
            f"{where} cannot be written: {error.strerror}. Choose another folder with --out."
        ) from error


def _write(path: Path, text: str) -> Path:
    """A reader finds the old file or the new one, never half."""
    draft = path.parent / f".{path.name}.{os.getpid()}"
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
    return path


def _render(comparison: Comparison, figures: list[dict[str, Any]]) -> str:
    return pages.render(
        "comparison.html.j2",
        title=comparison.title,
        use=words.USE,
        images=words.images(comparison),
        synthetic=comparison.synthetic,
        patients_known=comparison.patients_known,
        main=tables.main(comparison),
        verdict=words.verdict(comparison),
        notes=words.notes(comparison),
        left_out=tables.left_out(comparison),
        figures=figures,
        settings=tables.settings(comparison),
        runs=Table(
            ["Run", "Configuration", "Seed", "Device", "Wall time", "Code"], list(_runs(comparison))
        ),
    )


def _runs(comparison: Comparison) -> Iterator[list[Cell]]:
    for row in comparison.rows:
        for run in row.candidate.runs:
            manifest: dict[str, Any] = run.manifest
            git = manifest.get("git") or {}
            commit = str(git.get("commit") or "unknown")[:8]
            yield [
                Cell(run.folder.name),
                Cell(row.name),
                Cell(str(run.seed)),
                Cell(f"{manifest['backend']}, {manifest.get('device', {}).get('used', 'unknown')}"),
                Cell(tables.duration(manifest.get("wall_time_s"))),
                Cell(commit + (", with changes" if git.get("dirty") else "")),
            ]
