"""An uploaded DICOM file becomes a film: one grey picture, and of its header what may be kept."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut

from ..errors import FilmRefused
from ..preprocessing import readers
from . import deidentify, guards
from .dicom_guards import opened
from .pictures import Film
from .shown import Values

_FRONTAL, _LATERAL = ("PA", "AP"), ("LL", "RL", "LATERAL")
_CHEST = ("CHEST", "THORAX", "TORAX", "LUNG")
_RADIOGRAPHS = ("CR", "DX", "RG")
_WRITTEN_ON = ("SC", "OT", "US", "XC", "ES", "DF")  # captures often have text within the picture
_PREAMBLE = 128
_LARGEST_BLOB = 1024  # bytes of one element in header.json


class Scale(NamedTuple):
    """How values after the modality LUT become whole numbers from 0 to `levels`.

    Attributes:
        least: value that becomes 0.
        unit: value of a step.
        levels: the greatest number.
    """

    least: float
    unit: float
    levels: int


def take(path: Path, data: bytes, out: Path, keep_identifiers: bool) -> Film:
    """Decode a DICOM file and write `film.dcm` and `header.json` into a folder.

    Raises:
        FilmRefused: it cannot be read whole, or is not what is read.
    """
    with guards.decoding(on_warning="ignore"):  # pydicom warns of many a header that is not tidy
        dataset = opened(path)
        stored = dataset.pixel_array
        if stored.shape != (dataset.Rows, dataset.Columns):
            raise FilmRefused("damaged")
        kept = dataset if keep_identifiers else deidentify.film(dataset, stored)
        blank = bytes(_PREAMBLE)  # what stands there may be a program
        film = blank + data[_PREAMBLE:] if keep_identifiers else deidentify.as_bytes(kept)
        header = _header(kept)
    (out / "film.dcm").write_bytes(film)
    (out / "header.json").write_text(header, encoding="utf-8")
    with guards.decoding(on_warning="ignore"):
        image = readers.read(out / "film.dcm")
        scale = _scale(dataset)
        values = _values(stored, dataset, scale)
        facts = deidentify.facts(dataset, keep_identifiers)
        facts["notes"] = _notes(facts, dataset)
        return Film(image, values, _window(dataset, scale), facts)


def _header(dataset: Any) -> str:
    """As DICOM JSON, without the picture and large blobs."""
    told = dataset.to_json_dict(
        bulk_data_threshold=_LARGEST_BLOB,
        bulk_data_element_handler=lambda _: "",
        suppress_invalid_tags=True,
    )
    told.pop("7FE00010", None)
    return json.dumps(told)


def _scale(dataset: Any) -> Scale:
    if dataset.get("ModalityLUTSequence"):
        return Scale(0.0, 1.0, 2 ** int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) - 1)
    least, greatest = _ends(dataset)
    slope, intercept = _rescale(dataset)
    steps = greatest - least
    levels = min(steps, 65_535)
    low = min(least * slope + intercept, greatest * slope + intercept)
    return Scale(low, abs(slope) * steps / levels, levels)


def _ends(dataset: Any) -> tuple[int, int]:
    """The least and the greatest number that the stored bits can mean."""
    bits = int(dataset.BitsStored)
    if dataset.PixelRepresentation:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _rescale(dataset: Any) -> tuple[float, float]:
    if "RescaleSlope" in dataset and "RescaleIntercept" in dataset:
        return float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    return 1.0, 0.0


def _values(stored: NDArray[Any], dataset: Any, scale: Scale) -> Values:
    """Whole numbers from 0 to `scale.levels`, bone white, in the steps of the detector."""
    depth: type[np.uint8 | np.uint16] = np.uint8 if scale.levels < 256 else np.uint16
    values: NDArray[Any]
    if dataset.get("ModalityLUTSequence"):
        values = apply_modality_lut(stored, dataset)
    else:
        least, greatest = _ends(dataset)
        wide = stored.astype(np.int64 if stored.dtype.itemsize > 2 else np.int32)
        values = greatest - wide if _rescale(dataset)[0] < 0 else wide - least
        if greatest - least > scale.levels:
            values = np.rint(np.multiply(values, scale.levels / (greatest - least)))
    values = np.clip(values, 0, scale.levels).astype(depth)
    return depth(scale.levels) - values if _inverted(dataset) else values


def _inverted(dataset: Any) -> bool:
    return bool(dataset.PhotometricInterpretation == "MONOCHROME1")


def _window(dataset: Any, scale: Scale) -> list[float] | None:
    """The first VOI window of a file, in steps of its values; None if it tells none."""
    centre, width = (_first(dataset, name) for name in ("WindowCenter", "WindowWidth"))
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        return None
    centre, width = (centre - scale.least) / scale.unit, width / scale.unit
    return [scale.levels - centre if _inverted(dataset) else centre, width]


def _first(dataset: Any, name: str) -> float:
    if name not in dataset or not dataset[name].VM:
        return math.nan
    value = dataset[name].value
    return float(value[0] if dataset[name].VM > 1 else value)


def _notes(facts: dict[str, Any], dataset: Any) -> list[str]:
    modality, view = facts["modality"], facts["view"]
    radiograph = modality in _RADIOGRAPHS
    written = facts["burned_in"] == "YES" or (
        not facts["burned_in"] and (modality in _WRITTEN_ON or "ConversionType" in dataset)
    )
    found = {
        "inverted": _inverted(dataset),
        "lossy": dataset.get("LossyImageCompression") == "01",
        "cut_levels": facts["bits"] <= 8,
        "burned_in": written,
        "not_radiograph": not radiograph and modality != "CT",
        "not_chest": facts["body_part"] not in ("", *_CHEST),
        "lateral": view in _LATERAL,
        "view_unknown": radiograph and view not in _FRONTAL and view not in _LATERAL,
        "orientation_unknown": radiograph and facts["orientation"] is None,
    }
    return [code for code, holds in found.items() if holds]
