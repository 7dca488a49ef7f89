"""A folder of DICOM files, whose headers say whom and how they show."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import DataError
from .. import csv_files, dicom, dicom_check, dicom_tags, digests, paths, readers
from ..labels import IGNORED, Assigned, Classes, Label, assign, many, text_of
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("path", "id", "SOPInstanceUID", "PatientID")  # by which a CSV may name images
_COLUMNS = ("view", "age", "sex", "study_date")


class _Found(NamedTuple):
    path: Path
    id: str  # the path below the folder
    tags: dicom_tags.Tags
    text: bool  # whether there may be text within the picture


@dataclass
class _Search:
    """What lies below a folder."""

    images: list[_Found] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    others: int = 0  # files that are no DICOM
    no_images: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)  # left out by `where`


@dataset(source="the user's own DICOM files", licence="as the owner of the images says")
def dicom_folder(  # noqa: PLR0913, PLR0917  what a folder of a hospital holds must be chosen from
    path: str,
    classes: Classes,
    labels: str | None = None,
    columns: dict[str, str] | None = None,
    where: dict[str, Label | list[Label]] | None = None,
    ignore_labels: list[Label] | None = None,
    frame: int | None = None,
    skip_unreadable: bool = False,
) -> Dataset:
    """All DICOM images below a folder; patient, view, age, sex and date from their headers.

    Args:
        path: the folder, looked up in the current folder and then in RADZOO_DATA.
        classes: names of the classes in order, the positive one last, each with its labels;
            see `labels.assign`.
        labels: a CSV (UTF-8, a header) with a column `label` and one of `path` or `id` (the
            file's path below the folder), `SOPInstanceUID` or `PatientID`. Images that it does
            not name are left out, with a note. Without a CSV, the first level of folders is
            the label.
        columns: our names to the CSV's, where they differ: `{label: Finding, path: file}`.
        where: keep images whose header has (one of) these values, by the keyword of the
            standard: `{Modality: [CR, DX], ViewPosition: [PA, AP]}`; an empty one is "".
        ignore_labels: labels of images to leave out; a note counts them.
        frame: which of the frames of a file is read, from 1; if not given, a file with
            several cannot be read.
        skip_unreadable: leave out files that cannot be read, with a note, instead of refusing.

    Returns:
        Images as `dicom.read` gives them. Reports, plans, directories and other objects
        without an image, and files that are no DICOM, are left out and counted in the notes.
        Ages in years.

    Raises:
        DataError: naming every problem at once: each file that cannot be read with the
            reason, columns that are missing, labels that are unknown or contradict each other,
            classes without an image. Damage within compressed pixels shows when they are read.
    """
    folder = paths.find(path)
    search = _search(folder, where or {}, frame)
    problems = [] if skip_unreadable else list(_unreadable(search))
    texts, unused = _texts(search.images, labels, columns or {})
    named = [(one, text) for one, text in zip(search.images, texts, strict=True) if text]
    assigned = assign([text for _, text in named], classes, ignore_labels or [])
    problems += _label_problems(assigned, [text for _, text in named])
    if problems:
        raise DataError(f"{folder} cannot be used:\n" + "\n".join(f"  {p}" for p in problems))
    used = [one for (one, _), label in zip(named, assigned.labels, strict=True) if label != IGNORED]
    files = [one.path for one in used]
    table = _table(used, assigned.labels[assigned.labels != IGNORED])
    images = tuple(digests.combined(read.sha256, frame) for read in digests.of_files(files))
    left_out = {
        "were not named by the CSV": len(search.images) - len(named),
        "were left out for their label": len(named) - len(used),
    }
    return Dataset(
        name="dicom_folder",
        classes=assigned.classes,
        table=table,
        read=partial(_read, files, frame),
        content=digests.combined(assigned.classes, table.to_csv(), images),
        levels=65_536,
        source=f"the user's own DICOM files, in the folder {folder.name}",
        notes=tuple(_notes(search, left_out, unused, used)),
        image_digests=images,
    )


def _read(files: list[Path], frame: int | None, row: int) -> np.ndarray:
    return dicom.read(files[row], frame)[0]


def _search(folder: Path, where: dict[str, Any], frame: int | None) -> _Search:
    _check_keywords(where)
    wanted = {name: {text_of(value) for value in many(values)} for name, values in where.items()}
    result = _Search()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _look(path, path.relative_to(folder).as_posix(), wanted, frame, result)
    return result


def _check_keywords(where: dict[str, Any]) -> None:
    if not where:
        return
    from pydicom.datadict import tag_for_keyword

    unknown = [name for name in where if tag_for_keyword(name) is None]
    if unknown:
        raise DataError(
            f"`where` has {', '.join(unknown)}, which DICOM does not know. Write keywords of the "
            "standard: Modality, BodyPartExamined, ViewPosition."
        )


def _look(
    path: Path, name: str, wanted: dict[str, set[str]], frame: int | None, result: _Search
) -> None:
    """Put one file where it belongs; its pixels are not decoded."""
    try:
        with path.open("rb") as opened:
            start = opened.read(132)
        if not (readers.is_dicom(start) or readers.is_headless_dicom(start)):
            result.others += 1
            return
        file = dicom.opened(path, whole=False)
        other = [
            f"{keyword} {dicom_tags.text(file, keyword) or 'missing'}"
            for keyword, values in wanted.items()
            if (dicom_tags.text(file, keyword) or "") not in values
        ]
        if not dicom_check.holds_picture(file):
            result.no_images[dicom_check.kind(file)] += 1
        elif other:
            result.elsewhere[other[0]] += 1
        else:
            dicom.check(path, file, frame)
            tags, text = dicom_tags.of(file), dicom_tags.may_have_text(file)
            result.images.append(_Found(path, name, tags, text))
    except DataError as error:
        result.unreadable.append(str(error))
    except OSError as error:
        result.unreadable.append(f"{path} cannot be read: {error.strerror}.")


def _unreadable(search: _Search) -> Iterator[str]:
    if search.unreadable:
        whole = len(search.images) + len(search.unreadable)
        yield f"{len(search.unreadable)} of {whole} images cannot be read:"
        yield from (f"  {problem}" for problem in search.unreadable)
        yield "Mend or remove them, choose by `where`, or leave them out: skip_unreadable: true."


def _texts(
    images: list[_Found], csv: str | None, columns: dict[str, str]
) -> tuple[list[str | None], int]:
    """The label of each image, None if it has none; and how many rows of the CSV name none."""
    if csv is None:
        return [one.id.partition("/")[0] if "/" in one.id else None for one in images], 0
    key, listed = _listed(paths.find(csv), columns)
    names = [_name(one, key) for one in images]
    return [listed.get(name) for name in names], len(set(listed) - set(names))


def _name(one: _Found, key: str) -> str:
    known = {"SOPInstanceUID": one.tags.instance, "PatientID": one.tags.patient}
    return known.get(key, one.id) or ""


def _listed(file: Path, columns: dict[str, str]) -> tuple[str, dict[str, str]]:
    """By which of `KEYS` a CSV names images, and the label of each name."""
    import pandas as pd

    rows = csv_files.read(file)
    mapping = {ours: columns.get(ours, ours) for ours in ("label", *KEYS)}
    key = next((key for key in KEYS if mapping[key] in rows), None)
    if key is None or mapping["label"] not in rows:
        raise DataError(
            f"{file} needs a column {mapping['label']!r} and one of "
            f"{', '.join(repr(mapping[key]) for key in KEYS)}; it has: {', '.join(rows.columns)}. "
            "Name yours: columns: {label: ..., path: ...}."
        )
    pairs = rows[[mapping[key], mapping["label"]]].drop_duplicates()
    pairs.columns = pd.Index(["name", "label"])
    twice = pairs[pairs["name"].duplicated()]["name"]
    if len(twice):
        raise DataError(f"{file} gives {len(twice)} images two labels, such as {twice.iloc[0]!r}.")
    return key, dict(zip(pairs["name"].str.strip(), pairs["label"], strict=True))


def _label_problems(assigned: Assigned, texts: list[str]) -> Iterator[str]:
    for label, count in sorted(assigned.unknown.items()):
        yield (
            f"the label {label!r} ({count} images) is in no class; list it in `classes` or in "
            "`ignore_labels`."
        )
    for index, name in enumerate(assigned.classes):
        if index not in assigned.labels:
            known = sorted({text[:40] for text in texts})
            yield f"the class {name!r} has no image; the {len(texts)} labels are {known[:8]}."


def _table(used: list[_Found], numbers: np.ndarray) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame({"id": [one.id for one in used], "label": numbers})
    table["patient"] = pd.Series([one.tags.patient for one in used], dtype="str")
    for name in _COLUMNS:
        values = [getattr(one.tags, name) for one in used]
        if any(value is not None for value in values):
            table[name] = pd.Series(values, dtype="float64" if name == "age" else "str")
    return table


def _notes(
    search: _Search, left_out: dict[str, int], unused: int, used: list[_Found]
) -> Iterator[str]:
    if search.others:
        yield f"{search.others} files are no DICOM and were left out."
    if search.no_images:
        yield f"{_counted(search.no_images)}: no images, left out."
    if search.elsewhere:
        yield f"Left out by `where`: {_counted(search.elsewhere)}."
    if search.unreadable:
        yield f"{len(search.unreadable)} images cannot be read and were left out."
    for what, count in left_out.items():
        if count:
            yield f"{count} of {len(search.images)} images {what}."
    if unused:
        yield f"{unused} names in the CSV are of no image that was read."
    twice = [
        one for one, count in Counter(x.tags.instance for x in used).items() if one and count > 1
    ]
    if twice:
        yield f"{len(twice)} SOPInstanceUIDs are those of several images."
    text = sum(one.text for one in used)
    if text:
        yield f"{text} images may have text within the picture, by their headers."


def _counted(what: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(what.items()))
