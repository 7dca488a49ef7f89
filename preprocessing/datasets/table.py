"""Any folder of images that a CSV describes."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DataError
from .. import ages, csv_files, digests, labels, paths, readers
from ..boxes import read as read_boxes
from ..findings import ANY, NONE
from ..findings import read as read_findings
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd

BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
REQUIRED = ("path", "label")
COLUMNS = (*REQUIRED, "patient", "view", "age", "sex", "site", "study_date", "split", *BOX)


@dataset(source="the user's own images, listed in a CSV", licence="as the owner of the images says")
def table(  # noqa: PLR0913, PLR0917  a CSV has as many ways to say things
    path: str,
    classes: labels.Classes | None = None,
    root: str | None = None,
    columns: dict[str, str] | None = None,
    where: dict[str, labels.Label | list[labels.Label]] | None = None,
    ignore_labels: list[labels.Label] | None = None,
    boxes: dict[str, str] | None = None,
    findings: dict[str, str] | list[str] | None = None,
) -> Dataset:
    """Images that a CSV lists with their labels, patients and whatever else is known.

    Args:
        path: the CSV (UTF-8, a header, perhaps .gz), looked up in the current folder and
            then in RADZOO_DATA.
        classes: names of the classes in order, the positive one last, each with its labels
            in the CSV: `{no_finding: "No Finding", finding: "*"}`; see `labels.assign`. May be
            left out where `findings` are named: any of them is then told from none.
        root: the folder that the CSV's paths start from; the CSV's own if not given.
        columns: our names to the CSV's, where they differ: `{path: image}`. Ours are path,
            label, patient, view, age, sex, site, study_date, split, box_x0 ... box_y1.
        where: keep the rows in which each of these columns of the CSV has (one of) these
            values: `{task: cxr_finding}`.
        ignore_labels: labels of rows to leave out; a note counts them.
        boxes: another CSV with lesions, any number of them an image, a row each: `{path: FILE}`,
            and its columns where they are not called image, x, y, width and height.
        findings: columns of labels of which an image may have several, a list, or by the name of
            the finding: `{Effusion: Pleural Effusion}`. They hold 1, 0, nothing where it is not
            known, and -1 where it is not certain, which counts as not known.

    Returns:
        Images as `readers.read` gives them; ages in years from `60`, `060Y` or `006M`,
        missing if outside 0 to 120.

    Raises:
        DataError: naming every problem at once: columns and images that are missing,
            labels that are unknown, paths listed twice, classes without an image.
    """
    file = paths.find(path)
    folder = paths.find(root) if root else file.parent
    rows = _rows(file)
    marked = read_findings(rows, _named(findings or {}))
    if classes is None and findings:
        rows["label"] = np.where((marked.table == 1).any(axis=1), ANY, NONE)
        classes = [NONE, ANY]
    mapping, problems = _mapping(rows, columns or {}, where or {})
    problems += [*_finding_problems(classes, marked.table.columns), *marked.problems]
    _complain(file, problems)
    kept = _chosen(rows, where or {})
    assigned = labels.assign(list(kept[mapping["label"]]), classes or [], ignore_labels or [])
    used = kept[(assigned.labels != labels.IGNORED)]
    images = [folder / name for name in used[mapping["path"]]]
    problems += _label_problems(kept[mapping["label"]], assigned)
    problems += _path_problems(used[mapping["path"]], images)
    _complain(file, problems)
    described, odd_ages = _described(used, mapping)
    described.insert(1, "label", assigned.labels[assigned.labels != labels.IGNORED])
    described[list(marked.table.columns)] = marked.table.loc[used.index].to_numpy()
    found = digests.of_files(images)
    lesions = read_boxes(boxes, list(described["id"])) if boxes else None
    read = partial(_read, [str(image) for image in images])
    return Dataset(
        name="table",
        classes=assigned.classes,
        table=described,
        read=read,
        content=digests.combined(
            assigned.classes,
            described.to_csv(),
            [digest.sha256 for digest in found] + ([lesions.content] if lesions else []),
        ),
        levels=max(digest.levels for digest in found),
        source=f"the user's own images, listed in {file.name}",
        notes=(
            *_notes(file, len(rows), kept[mapping["label"]], assigned, odd_ages),
            *marked.notes,
        ),
        masks=lesions.masks(list(described["id"]), read) if lesions else None,
        image_digests=tuple(digest.sha256 for digest in found),
        findings=tuple(marked.table.columns),
    )


def _read(images: list[str], row: int) -> np.ndarray:
    return readers.read(images[row])


def _rows(file: Path) -> "pd.DataFrame":
    """All of the CSV as text, numbered by line of the file."""
    import pandas as pd

    rows = csv_files.read(file)
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    return rows


def _complain(file: Path, problems: list[str]) -> None:
    if problems:
        raise DataError(f"{file} cannot be used:\n" + "\n".join(f"  {p}" for p in problems))


def _mapping(
    rows: "pd.DataFrame", columns: dict[str, str], where: dict
) -> tuple[dict[str, str], list[str]]:
    """Which column of the CSV is which of ours, and which are not there."""
    present = [str(name) for name in rows.columns]
    problems = [
        f"columns.{ours}: no such column of ours.{_near(ours, COLUMNS)}"
        for ours in columns
        if ours not in COLUMNS
    ]
    mapping = {ours: columns.get(ours, ours) for ours in COLUMNS}
    needed = {f"columns.{ours}": name for ours, name in columns.items()}
    needed |= {f"columns.{ours}": mapping[ours] for ours in REQUIRED}
    needed |= {f"where.{name}": name for name in where}
    problems += [
        f"{key}: line 1 has no column {name!r}.{_near(name, present)} It has: {', '.join(present)}."
        for key, name in needed.items()
        if name not in present
    ]
    return {ours: name for ours, name in mapping.items() if name in present}, problems


def _named(findings: dict[str, str] | list[str]) -> dict[str, str]:
    return findings if isinstance(findings, dict) else {name: name for name in findings}


def _finding_problems(classes: labels.Classes | None, names: Iterable[str]) -> Iterator[str]:
    if classes is None:
        yield "neither `classes` nor `findings` says what is to be told apart; name one of them."
    for name in names:
        if name in {"id", *COLUMNS}:
            yield f"findings: {name!r} is a column of ours; give the finding another name."


def _near(name: str, known: tuple[str, ...] | list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _chosen(rows: "pd.DataFrame", where: dict) -> "pd.DataFrame":
    for name, values in where.items():
        texts = {labels.text_of(value) for value in labels.many(values)}
        rows = rows[[labels.text_of(value) in texts for value in rows[name]]]
    return rows


def _label_problems(given: "pd.Series", assigned: labels.Assigned) -> Iterator[str]:
    for label, count in sorted(assigned.unknown.items()):
        line = next(line for line, text in given.items() if labels.text_of(text) == label)
        yield (
            f"line {line}: the label {label!r} ({count} rows) is in no class; list it in "
            "`classes` or in `ignore_labels`."
        )
    for index, name in enumerate(assigned.classes):
        if index not in assigned.labels:
            known = sorted({labels.text_of(text)[:40] for text in given})
            yield f"the class {name!r} has no image; the {len(given)} rows hold {known[:8]}."


def _path_problems(names: "pd.Series", images: list[Path]) -> Iterator[str]:
    missing = [(line, image) for line, image in zip(names.index, images, strict=True)
               if not image.is_file()]  # fmt: skip
    if missing:
        shown = "; ".join(f"line {line}: {image}" for line, image in missing[:3])
        yield f"{len(missing)} of {len(images)} images are missing: {shown}. Is `root` right?"
    twice = names[names.duplicated(keep=False)]
    if len(twice):
        lines = ", ".join(str(line) for line in twice[twice == twice.iloc[0]].index)
        yield (
            f"{twice.nunique()} paths are listed more than once: {twice.iloc[0]!r} on lines "
            f"{lines}. Keep one row an image (`where` can choose)."
        )


def _described(used: "pd.DataFrame", mapping: dict[str, str]) -> tuple["pd.DataFrame", int]:
    """The columns of ours but the label; and how many ages were out of range."""
    import pandas as pd

    result = pd.DataFrame({"id": list(used[mapping["path"]])})
    odd = 0
    result["patient"] = pd.Series(pd.NA, index=result.index, dtype="str")
    for ours in COLUMNS[2:]:
        if ours not in mapping or not used[mapping[ours]].str.strip().any():
            continue
        texts = used[mapping[ours]].reset_index(drop=True).str.strip()
        if ours == "age":
            result[ours], odd = ages.in_years(texts)
        elif ours in BOX:
            result[ours] = pd.to_numeric(texts, errors="coerce")
        else:
            result[ours] = texts.where(texts != "")
    return result, odd


def _notes(
    file: Path, listed: int, given: "pd.Series", assigned: labels.Assigned, odd_ages: int
) -> Iterator[str]:
    if len(given) < listed:
        yield f"{listed - len(given)} of the {listed} rows of {file.name} were left out by `where`."
    left_out = given[assigned.labels == labels.IGNORED]
    if len(left_out):
        names = ", ".join(sorted({text[:40] for text in left_out})[:8])
        yield f"{len(left_out)} of {len(given)} images were left out for their label: {names}."
    if odd_ages:
        yield f"{odd_ages} ages are not between 0 and {ages.OLDEST} years; they count as missing."
