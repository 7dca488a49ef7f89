"""NIH ChestX-ray14: 112,120 frontal chest radiographs with labels text-mined from reports."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import DataError
from .. import ages, boxes, digests, paths, readers
from .. import nih_files as files
from ..nih_files import LABELS
from ..registry import Dataset, dataset

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("finding", *LABELS)
PUBLISHED_PX = 1024  # rows and columns of the images that the boxes were drawn on
BOX_COLUMNS = {"image": "Image Index", "x": "Bbox [x", "y": "y", "width": "w", "height": "h]"}
BOX_LABEL = "Finding Label"
BOX_NAMES = {"Infiltration": "Infiltrate"}  # what the list of boxes calls a label


@dataset(
    source="NIH ChestX-ray14: Wang et al., CVPR 2017, doi:10.1109/CVPR.2017.369",
    licence="NIH Clinical Center: use is unrestricted; name it, link to it, cite Wang et al. 2017",
    checks=files.checks,
)
def nih_chestxray14(
    path: str = "nih_chestxray14",
    target: str = "finding",
    views: list[str] | None = None,
    listed: str | None = None,
    validation: float = 0.125,
    missing: Literal["error", "skip"] = "error",
) -> Dataset:
    """Chest radiographs of NIH ChestX-ray14, all of them or Kaggle's sample of 5,606.

    Args:
        path: the folder, looked up in the current folder and then in RADZOO_DATA, with
            Data_Entry_2017*.csv or sample_labels.csv in it or a folder below, or that file
            itself; the images anywhere below; perhaps train_val_list.txt and test_list.txt
            (the official split), and BBox_List_2017.csv (boxes of some lesions).
        target: "finding", any of the 14 labels against none; or the label to tell from all
            images without it: "Pneumonia".
        views: keep these only: PA, AP.
        listed: a text file that names the images to keep, a name a line, looked up in the
            folder first.
        validation: share of the official train_val patients whose images become the side
            validation, the same patients for every target; 0 for none.
        missing: what is done if images of the table are not there: "error", or "skip" them.

    Returns:
        Images with patient, view, age (years; missing if over 120, as 411 in the sample), sex,
        follow_up, and a column of 0 and 1 for each of the 14 labels; `split` if the official
        lists are there; masks from the boxes of the target, on images that have one.

    Raises:
        DataError: a file or column is missing, a label is unknown, or images are not there.

    Source:
        Wang et al., ChestX-ray8, CVPR 2017. arXiv:1705.02315
    """
    _check(target, validation)
    found = files.find(path)
    rows = files.table(found.table)
    kept, notes = _chosen(rows, found, views, listed)
    kept, skipped = _present(kept, found, missing == "skip")
    described, odd_ages = _described(kept)
    described.insert(1, "label", _labels(described, target))
    if found.lists:
        described["split"] = _split(described, found, validation)
    images = [found.images[name] for name in described["id"]]
    held = digests.of_files(images)
    read = partial(_read, [str(image) for image in images])
    lesions = _boxes(found, list(described["id"]), target)
    classes = ("no_" + target.lower(), target.lower())
    return Dataset(
        name="nih_chestxray14",
        classes=classes,
        table=described,
        read=read,
        content=digests.combined(
            classes,
            described.to_csv(),
            [one.sha256 for one in held] + ([lesions.content] if lesions else []),
        ),
        levels=max(one.levels for one in held),
        notes=(*notes, *skipped, *_age_note(odd_ages)),
        masks=partial(_mask, lesions, list(described["id"]), read) if lesions else None,
        image_digests=tuple(one.sha256 for one in held),
        findings=LABELS,
    )


def _check(target: str, validation: float) -> None:
    problems = []
    if target not in TARGETS:
        near = get_close_matches(target, TARGETS, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        problems.append(f"target must be one of {', '.join(TARGETS)}; got {target!r}.{hint}")
    if not 0 <= validation < 1:
        problems.append(f"validation must be a share in [0, 1); got {validation}.")
    if problems:
        raise DataError("nih_chestxray14: " + " ".join(problems))


def _chosen(
    rows: "pd.DataFrame", found: files.Found, views: list[str] | None, listed: str | None
) -> tuple["pd.DataFrame", list[str]]:
    """The rows of these views that the list names; and sentences that count the others."""
    notes, kept = [], rows
    if views is not None:
        known = sorted(set(rows["View Position"]))
        if strange := sorted(set(views) - set(known)):
            raise DataError(
                f"{found.table} has no view {strange[0]!r}. It has: {', '.join(known)}."
            )
        kept = kept[kept["View Position"].isin(views)]
        notes.append(
            _left_out(len(rows) - len(kept), len(rows), f"view is not {' or '.join(views)}")
        )
    if listed is not None:
        beside = found.table.parent / listed
        file = beside if beside.is_file() else paths.find(listed)
        before, names = len(kept), files.names(file)
        if strange := sorted(names - set(rows["Image Index"])):
            raise DataError(
                f"{file} names {len(strange)} images that {found.table.name} does not, "
                f"{', '.join(strange[:3])} among them. Expected one name of an image a line."
            )
        kept = kept[kept["Image Index"].isin(names)]
        notes.append(_left_out(before - len(kept), before, f"name is not in {file.name}"))
    if not len(kept):
        raise DataError(f"{found.table}: no image is left by `views` and `listed`.")
    return kept, notes


def _left_out(count: int, of: int, why: str) -> str:
    return f"{count:,} of {of:,} images were left out: their {why}."


def _present(
    rows: "pd.DataFrame", found: files.Found, skip: bool
) -> tuple["pd.DataFrame", list[str]]:
    """The rows whose images are there; and a sentence on the others, if any."""
    there = rows["Image Index"].isin(found.images.keys())
    absent = list(rows["Image Index"][~there])
    if not absent:
        return rows, []
    told = f"{len(absent):,} of {len(rows):,} images that {found.table.name} lists are not there"
    if not skip or not there.any():
        raise DataError(
            f"{told}, such as {', '.join(absent[:3])}; looked below {found.folder}. Unpack all "
            "archives there, or set `missing: skip` to go on without."
        )
    return rows[there], [f"{told} and were left out."]


def _described(rows: "pd.DataFrame") -> tuple["pd.DataFrame", int]:
    """What is known of each image, but its label; and how many ages are none."""
    import pandas as pd

    rows = rows.reset_index(drop=True)
    result = pd.DataFrame({"id": rows["Image Index"]})
    # 13 in one table and 00000013 in the other are the same patient
    result["patient"] = rows["Patient ID"].str.zfill(8)
    for ours, theirs in {"view": "View Position", "sex": "Patient Gender"}.items():
        result[ours] = rows[theirs].where(rows[theirs] != "")
    result["age"], odd = ages.in_years(rows["Patient Age"])
    result["follow_up"] = pd.to_numeric(rows["Follow-up #"], errors="coerce")
    given = rows["Finding Labels"].str.get_dummies("|")
    for label in LABELS:
        result[label] = given.get(label, 0)
    return result, odd


def _labels(described: "pd.DataFrame", target: str) -> np.ndarray:
    columns = list(LABELS) if target == "finding" else [target]
    return described[columns].to_numpy().max(axis=1).astype(int)


def _split(described: "pd.DataFrame", found: files.Found, validation: float) -> "pd.Series":
    """The official sides; who is on neither list is on none."""
    import pandas as pd

    # with one list alone, who is not on it is on the other side
    other = [side for side in files.LISTS if side not in found.lists]
    sides = pd.Series([*other, pd.NA][0], index=described.index, dtype="str")
    for side, file in found.lists.items():
        sides[described["id"].isin(files.names(file))] = side
    held_back = described["patient"].map(_chance) < validation
    return sides.mask(held_back & (sides == "train"), "validation")


def _chance(patient: str) -> float:
    """A number in [0, 1) that is the patient's: the same whatever else is chosen."""
    return int(digests.combined("nih_chestxray14", patient)[:8], 16) / 2**32


def _boxes(found: files.Found, ids: list[str], target: str) -> boxes.Boxes | None:
    """The boxes of the target, of any label for "finding"; None if no image has one."""
    if found.boxes is None:
        return None
    only = {} if target == "finding" else {BOX_LABEL: BOX_NAMES.get(target, target)}
    if not files.boxed(found.boxes, only) & set(ids):
        return None
    return boxes.read({"path": str(found.boxes), **BOX_COLUMNS}, ids, only)


def _read(images: list[str], row: int) -> np.ndarray:
    return readers.read(images[row])


def _mask(
    lesions: boxes.Boxes, ids: list[str], read: partial[np.ndarray], row: int
) -> np.ndarray | None:
    """Boxes are in pixels of the published images; smaller copies have smaller ones."""
    from ..steps import resize

    if ids[row] not in lesions.of:
        return None
    published = np.zeros((PUBLISHED_PX, PUBLISHED_PX), np.float32)
    mask = lesions.masks(ids, lambda _: published)(row)
    rows, columns = read(row).shape
    if mask is None or mask.shape == (rows, columns):
        return mask
    return resize(mask.astype(np.float32), rows, columns) >= 0.5


def _age_note(odd: int) -> Iterator[str]:
    if odd:
        yield f"{odd} ages are not between 0 and {ages.OLDEST} years; they count as missing."
