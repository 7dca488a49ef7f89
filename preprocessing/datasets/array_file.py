"""Images, labels, patients and sides of the split as arrays of one .npz or .hdf5 file."""

from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import arrays, digests, labels, paths
from ..registry import Dataset, dataset

SIDES = ("train", "val", "valid", "validation", "test")


@dataset(source="the user's own file of arrays", licence="as the owner of the images says")
def array_file(
    path: str,
    classes: labels.Classes,
    images: str = "images",
    label: str = "label",
    patient: str | None = None,
    split: str | None = None,
) -> Dataset:
    """Images in one .npz or .hdf5 file, with arrays of labels, patients and sides.

    A file with arrays of its own for each side, such as MedMNIST's, is read by writing
    `{split}` in the names: `images: "{split}_images"`.

    Args:
        path: looked up in the current folder, then in RADZOO_DATA.
        classes: names in order, the positive one last, each with its labels in the file:
            `{normal: 0, pneumonia: 1}`; see `labels.assign`.
        images: (images, rows, columns) or (images, rows, columns, 1); uint8, uint16, or
            floats in [0, 1]; bone white.
        label: (images,) or (images, 1).
        patient: (images,), numbers or texts, if the file knows the patients.
        split: (images,), texts such as "train"; not with `{split}`.

    Raises:
        DataError: an array is missing, of another shape or length, or holds values that
            are not listed.
    """
    file = paths.find(path)
    sides = _sides(file, images)
    keys = [images.replace("{split}", side) for side in sides]
    found = arrays.image_parts(file, keys)
    lengths = [part.shape[0] for part in found]
    given = _joined(file, label, sides, lengths)
    assigned = labels.assign(list(given), classes)
    _check_labels(file, assigned)
    written = None if split is None else _joined(file, split, sides, lengths)
    table = arrays.described(
        ids=[f"{key}[{i}]" for key, count in zip(keys, lengths, strict=True) for i in range(count)],
        found=assigned,
        patients=None if patient is None else _joined(file, patient, sides, lengths),
        split=_split(sides, lengths, written),
    )
    largest = _largest(file, found)
    stored = arrays.reader(file, found)
    return Dataset(
        name="array_file",
        classes=assigned.classes,
        table=table,
        read=lambda row: (stored(row) / largest).astype(np.float32),
        content=digests.combined(
            assigned.classes, table.to_csv(), keys, digests.of_files([file])[0].sha256
        ),
        levels=256 if largest == 255 else 65536,
        source=f"the user's own arrays in {file.name}",
    )


def _sides(file: Path, images: str) -> list[str]:
    """The sides that have images of their own; one nameless side if none has."""
    if "{split}" not in images:
        return [""]
    held = arrays.parts(file)
    sides = [side for side in SIDES if images.replace("{split}", side) in held]
    if not sides:
        raise DataError(f"{file} has no array {images!r}. It has: {', '.join(sorted(held))}.")
    return sides


def _joined(file: Path, key: str, sides: list[str], lengths: list[int]) -> np.ndarray:
    columns = [arrays.column(file, key.replace("{split}", side)) for side in sides]
    for column, length in zip(columns, lengths, strict=True):
        if column.size != length:
            raise DataError(
                f"{file}: {key!r} has the shape {column.shape} for {length} images; expected "
                "one value an image."
            )
    return np.concatenate([column.ravel() for column in columns])


def _check_labels(file: Path, assigned: labels.Assigned) -> None:
    if assigned.unknown:
        raise DataError(
            f"{file} holds labels that are in no class: "
            + ", ".join(f"{label!r} ({count} images)" for label, count in assigned.unknown.items())
            + ". List them in `classes`."
        )


def _split(sides: list[str], lengths: list[int], written: np.ndarray | None) -> list[str] | None:
    if written is not None:
        return [labels.text_of(side) for side in written]
    return None if sides == [""] else list(np.repeat(sides, lengths))


def _largest(file: Path, found: list[arrays.Part]) -> float:
    """The value that is white."""
    kinds = {part.dtype.name for part in found}
    if kinds == {"uint8"}:
        return 255.0
    if kinds == {"uint16"}:
        return 65535.0
    low, high = arrays.extremes(file, found)
    if all(part.dtype.kind == "f" for part in found) and low >= 0 and high <= 1:
        return 1.0
    raise DataError(
        f"{file}: the pixels are {', '.join(sorted(kinds))} from {low:g} to {high:g}; expected "
        "uint8, uint16, or floats in [0, 1]. Scale them first (CT patches in HU: "
        "`lung_node_malignancy` reads those)."
    )
