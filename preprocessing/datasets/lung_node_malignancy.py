"""The CT patches of lung nodules on which the thesis behind this project was written."""

from pathlib import Path

import numpy as np

from ...errors import DataError
from .. import arrays, digests, labels, paths
from ..registry import Dataset, dataset

WINDOW_HU = (-1000.0, 400.0)
IMAGES, LABELS, PATIENTS = "ct_slices", "slice_class", "patient"


@dataset(
    source="LUNA16 / LIDC-IDRI by way of Kaggle kmader/lungnodemalignancy (all_patches.hdf5)",
    licence="LIDC-IDRI: CC BY 3.0; the patches as the Kaggle page says",
)
def lung_node_malignancy(path: str = "all_patches.hdf5") -> Dataset:
    """CT patches of nodules that radiologists thought benign or malignant.

    Args:
        path: the HDF5 file, looked up in the current folder and then in RADZOO_DATA, with
            `ct_slices` (images, rows, columns) and `slice_class` (images,) or (images, 1),
            0 benign, 1 malignant. The Kaggle file (6,691 patches of 64x64) names no
            patients; an array `patient` (images,) is used if the file has it.

    Returns:
        Patches of which HU were mapped from the window -1000 to 400 to [0, 1]; pixels of
        8 bits were divided by 255, and floats within [0, 1] left alone. A note says which.

    Raises:
        DataError: an array is missing or of another shape, or the pixels are none of these.

    Source:
        Armato et al., The Lung Image Database Consortium, Med Phys 2011;38:915.
        Setio et al., LUNA16, Med Image Anal 2017;42:1.
    """
    file = paths.find(path)
    images = arrays.image_parts(file, [IMAGES])
    count = images[0].shape[0]
    given = _column(file, LABELS, count)
    assigned = labels.assign(list(given), {"benign": 0, "malignant": 1})
    if assigned.unknown:
        raise DataError(
            f"{file}: {LABELS!r} holds {dict(assigned.unknown)}, expected 0 (benign) and "
            "1 (malignant)."
        )
    patients = _column(file, PATIENTS, count) if PATIENTS in arrays.parts(file) else None
    ids = [f"{IMAGES}[{row}]" for row in range(count)]
    low, high, scaling = _scaling(file, images)
    stored = arrays.reader(file, images)
    table = arrays.described(ids, assigned, patients, None)
    return Dataset(
        name="lung_node_malignancy",
        classes=assigned.classes,
        table=table,
        read=lambda row: _scaled(stored(row), low, high),
        content=digests.combined(
            assigned.classes, table.to_csv(), digests.of_files([file])[0].sha256
        ),
        levels=256 if images[0].dtype == np.uint8 else 65536,
        notes=(scaling, *([] if patients is not None else [NO_PATIENTS])),
    )


NO_PATIENTS = "The file names no patients: one patient may be on both sides of a split."


def _column(file: Path, key: str, count: int) -> np.ndarray:
    column = arrays.column(file, key)
    if column.size != count:
        raise DataError(
            f"{file}: {key!r} has the shape {column.shape} for {count} images; expected one "
            "value an image."
        )
    return column.ravel()


def _scaling(file: Path, images: list[arrays.Part]) -> tuple[float, float, str]:
    """Which values are black and white, and the sentence that says why."""
    kind = images[0].dtype
    if kind == np.uint8:
        return 0.0, 255.0, "Pixels of 8 bits were divided by 255."
    low, high = arrays.extremes(file, images)
    if kind.kind == "f" and low >= 0 and high <= 1:
        return 0.0, 1.0, "The pixels were in [0, 1] already and were left alone."
    if low < -100 and high > 1:
        return *WINDOW_HU, (
            f"Pixels from {low:g} to {high:g} were taken for HU; the window {WINDOW_HU[0]:g} to "
            f"{WINDOW_HU[1]:g} was mapped to [0, 1]."
        )
    raise DataError(
        f"{file}: the pixels are {kind} from {low:g} to {high:g}; expected HU (from below -100), "
        "8 bits, or floats in [0, 1]."
    )


def _scaled(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((pixels - low) / (high - low), 0, 1).astype(np.float32)
