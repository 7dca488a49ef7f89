"""Pictures in folders that are named by their class."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import DataError
from .. import digests, labels, paths, readers, splits
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd


class _Found(NamedTuple):
    """An image below the folder, and what its place says."""

    path: Path
    id: str  # the path below the folder
    folder: str  # below the folder, and below the level of the split
    split: str


@dataset(source="the user's own images, in folders", licence="as the owner of the images says")
def image_folder(
    path: str,
    classes: labels.Classes,
    split: bool = False,
    patient: str | None = None,
    ignore_labels: list[labels.Label] | None = None,
) -> Dataset:
    """Images in one subfolder a class, perhaps below train, validation and test.

    Args:
        path: the folder, looked up in the current folder and then in RADZOO_DATA.
        classes: names of the classes in order, the positive one last, each with its subfolder or
            subfolders: `{normal: NORMAL, pneumonia: [BACTERIA, VIRUS]}`; see `labels.assign`.
            Of nested ones the whole path counts: `"PNEUMONIA/*"`.
        split: whether the first level of folders is the split, the second the class.
        patient: a regular expression that finds the patient in a file's name: its first group
            that takes part, else all that it matches. `"(person[0-9]+)_|^(.*)-[0-9]+[.]"`.
        ignore_labels: subfolders to leave out; a note counts their images.

    Returns:
        PNG, JPEG and DICOM, told by their content, as `readers.read` gives them; a note counts
        what is none. The patient is missing if no expression is given.

    Raises:
        DataError: naming every problem at once: folders in no class, classes without an image,
            names in which no patient is found, folders that are no split.
    """
    folder = paths.find(path)
    found, others = _found(folder, split)
    assigned = labels.assign([one.folder for one in found], classes, ignore_labels or [])
    keep = assigned.labels != labels.IGNORED
    used = [one for one, kept in zip(found, keep, strict=True) if kept]
    patients, problems = _patients(used, patient)
    problems += _problems(found, assigned) if found else ["no PNG, JPEG or DICOM lies below it"]
    problems += _split_problems(used) if split else []
    if problems:
        raise DataError(f"{folder} cannot be used:\n" + "\n".join(f"  {p}" for p in problems))
    files = [one.path for one in used]
    read = digests.of_files(files)
    table = _table(used, assigned.labels[keep], patients, split)
    images = tuple(digest.sha256 for digest in read)
    return Dataset(
        name="image_folder",
        classes=assigned.classes,
        table=table,
        read=partial(_read, files),
        content=digests.combined(assigned.classes, table.to_csv(), images),
        levels=max(digest.levels for digest in read),
        source=f"the user's own images, in the folder {folder.name}",
        notes=tuple(_notes(others, found, assigned)),
        image_digests=images,
    )


def _read(files: list[Path], row: int) -> np.ndarray:
    return readers.read(files[row])


def _found(folder: Path, split: bool) -> tuple[list[_Found], int]:
    """The images below a folder, in the order of their paths; and how many files are none."""
    images, others = [], 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        if not readers.is_image(path):
            others += 1
            continue
        name = path.relative_to(folder)
        side, *rest = name.parts[:-1] if split else ("", *name.parts[:-1])
        images.append(_Found(path, name.as_posix(), "/".join(rest), side))
    return images, others


def _patients(used: list[_Found], expression: str | None) -> tuple[list[str | None], list[str]]:
    if expression is None:
        return [None] * len(used), []
    try:
        pattern = re.compile(expression)
    except re.error as error:
        return [None] * len(used), [f"`patient` is no regular expression: {error}"]
    matches = [pattern.search(one.path.name) for one in used]
    patients = [match and _first(match) for match in matches]
    without = [one.id for one, patient in zip(used, patients, strict=True) if not patient]
    shown = ", ".join(without[:3])
    problem = f"`patient` finds none in {len(without)} of {len(used)} names, such as {shown}"
    return patients, [problem] if without else []


def _first(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group is not None), match[0])


def _problems(found: list[_Found], assigned: labels.Assigned) -> Iterator[str]:
    for folder, count in sorted(assigned.unknown.items()):
        yield (
            f"the folder {folder or '.'!r} ({count} images) is in no class; list it in `classes` "
            "or in `ignore_labels`"
        )
    for index, name in enumerate(assigned.classes):
        if index not in assigned.labels:
            known = sorted({one.folder for one in found})
            yield f"the class {name!r} has no image; the folders are {known[:8]}"


def _split_problems(used: list[_Found]) -> list[str]:
    unknown = sorted({one.split for one in used} - set(splits.SPELLINGS), key=str.lower)
    odd = [name for name in unknown if name.lower() not in splits.SPELLINGS]
    allowed = ", ".join(splits.SPELLINGS)
    return [f"the first folders {odd[:8]} are no split; they may be {allowed}"] if odd else []


def _table(
    used: list[_Found], numbers: np.ndarray, patients: list[str | None], split: bool
) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame({"id": [one.id for one in used], "label": numbers})
    table["patient"] = pd.Series(patients, dtype="str")
    if split:
        table["split"] = pd.Series([one.split for one in used], dtype="str")
    return table


def _notes(others: int, found: list[_Found], assigned: labels.Assigned) -> Iterator[str]:
    if others:
        yield f"{others} files are no PNG, JPEG or DICOM and were left out."
    left_out = int((assigned.labels == labels.IGNORED).sum())
    if left_out:
        yield f"{left_out} of {len(found)} images were left out for their folder."
