"""Cases of a hospital read by a finished run: probabilities, heatmaps and the radiologist's words.

It is how the thesis looked at its 16 radiographs from Vigo: few cases, each looked at by a person.
Nothing is chosen on them; weights, preprocessing and thresholds are those of the run.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RunError, UserError
from ..evaluation.intervals import wilson
from ..experiments import pages
from ..preprocessing import readers
from . import pictures
from .evidence import Explanation
from .explainer import Explainer, Prepared
from .registry import Method

COLUMNS = ("file", "words", "truth")
CONFIDENCE = 0.95
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """A file, and what is known of it.

    Attributes:
        name: its path below the folder.
        image: (rows, columns, channels) as the network takes it.
        words: what a radiologist said; may be empty.
        truth: the class it is known to have; None where it is not.
    """

    name: str
    image: NDArray[np.float32]
    words: str
    truth: str | None


@dataclass(frozen=True)
class Cases:
    """What a folder holds; get one from `read`.

    Attributes:
        folder: where they lie.
        cases: those that could be read.
        unread: name and reason of each that could not.
        others: how many files are no image at all.
    """

    folder: Path
    cases: tuple[Case, ...]
    unread: tuple[tuple[str, str], ...]
    others: int


def read(prepared: Prepared, folder: Path, words: Path | None) -> Cases:
    """Read all PNG, JPEG and DICOM files below a folder, told by their content.

    Args:
        prepared: the run that will read them.
        folder: of the cases.
        words: a CSV (UTF-8) with the columns `file` (path below the folder) and `words`, `truth`
            or both; `truth` is a class of the run, empty where it is not known.

    Raises:
        UserError: the run is of several findings.
        DataError: the CSV cannot be used, or no file could be read.
    """
    if prepared.run.several:
        raise UserError("Cases are read by a run of two classes; this one has several findings.")
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder. Name the one that holds the cases.")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != words)
    chosen = {path.relative_to(folder).as_posix(): path for path in files if readers.is_image(path)}
    said = _said(words, chosen, prepared.classes) if words else {}
    cases, unread = [], []
    for name, path in chosen.items():
        try:
            told = said.get(name, {})
            truth = told.get("truth") or None
            cases.append(Case(name, prepared.read(path), told.get("words", ""), truth))
        except DataError as error:
            unread.append((name, str(error)))
    if not cases:
        reasons = "".join(f"\n  {name}: {why}" for name, why in unread)
        raise DataError(f"{folder} holds no PNG, JPEG or DICOM file that can be read.{reasons}")
    return Cases(folder, tuple(cases), tuple(unread), len(files) - len(chosen))


def _said(
    path: Path, files: Mapping[str, Path], classes: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The rows of the CSV by file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
            columns = list(rows[0]) if rows else []
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV: {error}.") from error
    if "file" not in columns or not {"words", "truth"} & set(columns):
        raise DataError(
            f"{path} has the columns {', '.join(map(str, columns)) or 'of none'}; expected `file` "
            "and `words`, `truth` or both."
        )
    problems = list(_problems(rows, files, classes))
    if problems:
        raise DataError(f"{path} cannot be used:\n" + "\n".join(f"  {one}" for one in problems))
    return {row["file"]: {name: row.get(name) or "" for name in COLUMNS[1:]} for row in rows}


def _problems(
    rows: Sequence[Mapping[str, str]], files: Mapping[str, Path], classes: Sequence[str]
) -> Iterator[str]:
    seen: set[str] = set()
    for line, row in enumerate(rows, start=2):
        if row["file"] not in files:
            yield f"line {line}: there is no image {row['file']!r} in the folder."
        if row["file"] in seen:
            yield f"line {line}: {row['file']!r} is listed twice."
        seen.add(row["file"])
        if row.get("truth") and row["truth"] not in classes:
            yield f"line {line}: truth {row['truth']!r} is none of {', '.join(classes)}."


def write(
    explainer: Explainer, found: Cases, method: Method, opacity: float, out: Path, tell: Tell
) -> Path:
    """Explain each case; write the pictures, `cases.csv` and `cases.html`.

    Args:
        explainer: of the run.
        found: the cases.
        method: of the heatmaps, drawn for both classes.
        opacity: of the strongest evidence, in (0, 1].
        out: the folder to write to.
        tell: called with the name of each case that is done.

    Returns:
        The page: one file that loads nothing, made to be printed too.

    Raises:
        RunError: the folder cannot be written.
    """
    images = np.stack([case.image for case in found.cases])
    names = [case.name for case in found.cases]
    points = _points(explainer.prepared)
    rows, shown = [], []
    try:
        for number, one in enumerate(explainer.explain(images, names, method)):
            case = found.cases[number]
            labels = range(len(one.classes))
            pictures.draw(one, labels, out, f"{number + 1:03d}", opacity)
            rows.append(_row(case, one, points))
            shown.append((pages.picture(out, f"{number + 1:03d}"), rows[-1]))
            tell(case.name)
        _write_csv(out / "cases.csv", rows)
        page = out / "cases.html"
        page.write_text(_page(explainer, found, method, points, shown), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror}.") from error
    return page


def _points(prepared: Prepared) -> list[dict[str, Any]]:
    """Name and threshold of the run's operating points, each threshold once."""
    found: dict[float, dict[str, Any]] = {}
    for point in prepared.run.metrics["operating_points"]:
        found.setdefault(
            point["threshold"], {"name": point["name"], "threshold": point["threshold"]}
        )
    return sorted(found.values(), key=lambda point: -point["threshold"])


def _row(case: Case, told: Explanation, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    probability = float(told.probabilities[-1])
    return {
        "file": case.name,
        "probability": probability,
        **{
            f"at {point['threshold']}": told.classes[int(probability >= point["threshold"])]
            for point in points
        },
        "no_evidence_for": " ".join(
            name for label, name in enumerate(told.classes) if told.is_empty(label)
        ),
        "truth": case.truth or "",
        "words": case.words,
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _page(
    explainer: Explainer,
    found: Cases,
    method: Method,
    points: Sequence[Mapping[str, Any]],
    shown: Sequence[tuple[str | None, Mapping[str, Any]]],
) -> str:
    run, classes = explainer.prepared.run, explainer.prepared.classes
    return pages.render(
        "cases.html.j2",
        folder=Path(__file__).parent,
        title=run.manifest["title"],
        run=run.folder.resolve().name,
        weights=run.manifest["weights_sha256"][:12],
        backend=explainer.network.worker.backend.name,
        method=method.name,
        cases=[{"picture": picture, **row} for picture, row in shown],
        positive=classes[-1],
        negative=classes[0],
        points=points,
        counts=[_counts(point, found, shown, classes) for point in points],
        folder_name=found.folder.resolve().name,
        unread=found.unread,
        others=found.others,
        synthetic=bool(run.manifest["data"]["synthetic"]),
        use=pictures.USE,
        worth=pictures.WORTH,
    )


def _counts(
    point: Mapping[str, Any],
    found: Cases,
    shown: Sequence[tuple[str | None, Mapping[str, Any]]],
    classes: Sequence[str],
) -> dict[str, Any]:
    """How many were missed and how many alarmed falsely, of those whose class is known."""
    called = [row["probability"] >= point["threshold"] for _, row in shown]
    ill = [up for up, case in zip(called, found.cases, strict=True) if case.truth == classes[-1]]
    well = [up for up, case in zip(called, found.cases, strict=True) if case.truth == classes[0]]
    return {
        **point,
        "missed": _share(len(ill) - sum(ill), len(ill)),
        "alarms": _share(sum(well), len(well)),
    }


def _share(count: int, of: int) -> str:
    """`3 of 9 (0.12 to 0.65)`, by Wilson; an image counts as a patient."""
    if not of:
        return "none is known"
    low, high = wilson(count / of, of, CONFIDENCE)
    return f"{count} of {of} ({low:.2f} to {high:.2f})"
