"""The files of NIH ChestX-ray14, as the NIH and Kaggle lay them out, and what is known of them."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from . import csv_files, paths
from .registry import Check

if TYPE_CHECKING:
    import pandas as pd

LABELS = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia"),
    *("Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening"),
    "Hernia",
)
NO_FINDING = "No Finding"
COLUMNS = (
    *("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age"),
    *("Patient Gender", "View Position"),
)
TABLES = ("Data_Entry_2017*.csv*", "sample_labels.csv*")  # the whole set before the sample
LISTS = {"train": "train_val_list.txt", "test": "test_list.txt"}
BOXES = "BBox_List_2017.csv"
BOX_ROWS = 984

# what the published files hold: the NIH's README, its lists, and Kaggle's sample
WHOLE = {"images": 112_120, "patients": 30_805, NO_FINDING: 60_361}
SAMPLE = {"images": 5_606, "patients": 4_230, NO_FINDING: 3_044}
LISTED = {"train": 86_524, "test": 25_596}
# MD5 of the archives, by the NIH's FAQ_CHESTXRAY.pdf, question 7
ARCHIVES = {
    "images_001.tar.gz": "fe8ed0a6961412fddcbb3603c11b3698",
    "images_002.tar.gz": "ab07a2d7cbe6f65ddd97b4ed7bde10bf",
    "images_003.tar.gz": "2301d03bde4c246388bad3876965d574",
    "images_004.tar.gz": "9f1b7f5aae01b13f4bc8e2c44a4b8ef6",
    "images_005.tar.gz": "1861f3cd0ef7734df8104f2b0309023b",
    "images_006.tar.gz": "456b53a8b351afd92a35bc41444c58c8",
    "images_007.tar.gz": "1075121ea20a137b87f290d6a4a5965e",
    "images_008.tar.gz": "b61f34cec3aa69f295fbb593cbd9d443",
    "images_009.tar.gz": "442a3caa61ae9b64e61c561294d1e183",
    "images_010.tar.gz": "09ec81c4c31e32858ad8cf965c494b74",
    "images_011.tar.gz": "499aefc67207a5a97692424cf5dbeed5",
    "images_012.tar.gz": "dc9fda1757c2de0032b63347a7d2895c",
}


@dataclass(frozen=True)
class Found:
    """What lies in a folder.

    Attributes:
        folder: below which all of it was looked for.
        table: Data_Entry_2017*.csv or sample_labels.csv, perhaps .gz.
        images: files by name, wherever they lie; of two of a name the one less deep.
        lists: of the official split, by side.
        boxes: BBox_List_2017.csv, or None.
        archives: of images, those that are still there.
    """

    folder: Path
    table: Path
    images: Mapping[str, Path]
    lists: Mapping[str, Path]
    boxes: Path | None
    archives: tuple[Path, ...]

    @property
    def is_sample(self) -> bool:
        """Whether the table is that of Kaggle's sample."""
        return self.table.name.startswith("sample")


def find(path: str) -> Found:
    """Look through a folder, or that of a table.

    Raises:
        DataError: there is no such folder, or no table in it or one folder below.
    """
    given = paths.find(path)
    folder = given if given.is_dir() else given.parent
    table = given if given.is_file() else _table(folder)
    images: dict[str, Path] = {}
    others: dict[str, Path] = {}
    for file in _files(folder):
        kind = images if file.suffix.lower() == ".png" else others
        kind.setdefault(file.name, file)
    return Found(
        folder=folder,
        table=table,
        images=images,
        lists={side: others[name] for side, name in LISTS.items() if name in others},
        boxes=others.get(BOXES),
        archives=tuple(others[name] for name in sorted(ARCHIVES.keys() & others.keys())),
    )


def _table(folder: Path) -> Path:
    for pattern in TABLES:
        for where in (pattern, f"*/{pattern}"):
            # of two releases the later one, Data_Entry_2017_v2020.csv
            if found := sorted(folder.glob(where)):
                return found[-1]
    raise DataError(
        f"{folder} has no Data_Entry_2017*.csv and no sample_labels.csv, nor has a folder just "
        "below. `path` must name the folder of NIH ChestX-ray14, or that file."
    )


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, the less deep first; links are followed, once each."""
    seen, level = {folder.resolve()}, [folder]
    while level:
        below = []
        for one in level:
            with os.scandir(one) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    place = Path(entry.path)
                    if not entry.is_dir():
                        yield place
                    elif place.resolve() not in seen:
                        seen.add(place.resolve())
                        below.append(place)
        level = below


def table(file: Path) -> "pd.DataFrame":
    """The table as text, one row an image.

    Raises:
        DataError: it cannot be read, lacks columns, names an image twice or an unknown label.
    """
    import pandas as pd

    with warnings.catch_warnings():  # some copies end each line with a comma
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        rows = csv_files.read(file, index_col=False)
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        raise DataError(
            f"{file}: line 1 has no column {', '.join(map(repr, missing))}. It has: "
            f"{', '.join(map(str, rows.columns))}."
        )
    rows = rows[list(COLUMNS)].apply(lambda column: column.str.strip())
    problems = list(_problems(rows))
    if problems:
        raise DataError(f"{file} cannot be used: " + "; ".join(problems) + ".")
    return rows


def _problems(rows: "pd.DataFrame") -> Iterator[str]:
    if not len(rows):
        yield "it lists no image"
    twice = rows["Image Index"][rows["Image Index"].duplicated()]
    if len(twice):
        yield f"it lists {len(twice)} images more than once, {twice.iloc[0]!r} among them"
    for texts in rows["Finding Labels"].drop_duplicates():
        strange = sorted(set(texts.split("|")) - {*LABELS, NO_FINDING})
        if strange:
            yield f"it has the label {strange[0]!r}; known are {', '.join(LABELS)}, {NO_FINDING}"
            return


def names(file: Path) -> set[str]:
    """The names of images in a list, a line each.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return set(file.read_text(encoding="utf-8-sig").split())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a list of images: {error}") from error


def boxed(file: Path, only: Mapping[str, str]) -> set[str]:
    """The names of images that a list of boxes has a box of, with these values in its columns."""
    rows = _boxes(file)
    for column, value in only.items():
        rows = rows[rows[column] == value]
    return set(rows.iloc[:, 0])


def _boxes(file: Path) -> "pd.DataFrame":
    rows = csv_files.read(file)
    if "Finding Label" not in rows:
        raise DataError(f"{file}: line 1 has no column 'Finding Label', as {BOXES} has.")
    return rows


def checks(path: str, **_: Any) -> Iterator[Check]:
    """Compare the files with what is published of them.

    Args:
        path: as the data set's option.

    Raises:
        DataError: there is no table, or it cannot be read.
    """
    found = find(path)
    rows = table(found.table)
    expected = SAMPLE if found.is_sample else WHOLE
    yield Check(f"images in {found.table.name}", expected["images"], len(rows))
    there = int(rows["Image Index"].isin(found.images.keys()).sum())
    yield Check("of these, files found", len(rows), there)
    people = int(rows["Patient ID"].str.zfill(8).nunique())
    yield Check("patients", expected["patients"], people)
    normal = int((rows["Finding Labels"] == NO_FINDING).sum())
    yield Check(f"images with {NO_FINDING!r}", expected[NO_FINDING], normal)
    for side, file in found.lists.items():
        yield Check(f"names in {file.name}", LISTED[side], len(names(file)))
    if found.boxes is not None:
        yield Check(f"boxes in {found.boxes.name}", BOX_ROWS, len(_boxes(found.boxes)))
    for archive in found.archives:
        yield Check(f"MD5 of {archive.name}", ARCHIVES[archive.name], _md5(archive))


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
