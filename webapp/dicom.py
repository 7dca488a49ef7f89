"""An uploaded DICOM file becomes a film: one grey picture, and of its header what may be kept."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..preprocessing import deidentify, dicom, dicom_grey, dicom_kept, dicom_tags, readers
from . import guards
from .dicom_guards import opened
from .pictures import Film
from .shown import Values

_FRONTAL, _LATERAL = ("PA", "AP"), ("LL", "RL", "LATERAL")
_CHEST = ("CHEST", "THORAX", "TORAX", "LUNG")
_RADIOGRAPHS = ("CR", "DX", "RG")
_PREAMBLE = 128
_LARGEST_BLOB = 1024  # bytes of one element in header.json
_AGE, _DATE = re.compile("([0-9]{1,3})([DWMY]?)"), re.compile("[0-9]{8}")


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
        dicom.check(path, dataset)
        stored = dicom.decoded(dataset)
        kept = dataset if keep_identifiers else deidentify.anonymous(dataset, stored)
        blank = bytes(_PREAMBLE)  # what stands there may be a program
        film = blank + data[_PREAMBLE:] if keep_identifiers else deidentify.as_bytes(kept)
        header = _header(kept)
    (out / "film.dcm").write_bytes(film)
    (out / "header.json").write_text(header, encoding="utf-8")
    with guards.decoding(on_warning="ignore"):
        image = readers.read(out / "film.dcm")
        scale = _scale(dataset)
        values = _values(stored, dataset, scale)
        facts = _facts(dataset, keep_identifiers)
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
    least, greatest = dicom_grey.stored_range(dataset)
    slope, intercept = dicom_grey.rescale(dataset)
    steps = greatest - least
    levels = min(steps, 65_535)
    low = min(least * slope + intercept, greatest * slope + intercept)
    return Scale(low, abs(slope) * steps / levels, levels)


def _values(stored: NDArray[Any], dataset: Any, scale: Scale) -> Values:
    """Whole numbers from 0 to `scale.levels`, bone white, in the steps of the detector."""
    depth: type[np.uint8 | np.uint16] = np.uint8 if scale.levels < 256 else np.uint16
    values: NDArray[Any]
    if dataset.get("ModalityLUTSequence"):
        values = dicom_grey.meant(stored, dataset)
    else:
        least, greatest = dicom_grey.stored_range(dataset)
        wide = stored.astype(np.int64 if stored.dtype.itemsize > 2 else np.int32)
        values = greatest - wide if dicom_grey.rescale(dataset)[0] < 0 else wide - least
        if greatest - least > scale.levels:
            values = np.rint(np.multiply(values, scale.levels / (greatest - least)))
    values = np.clip(values, 0, scale.levels).astype(depth)
    if dicom_grey.inverted(dataset):
        values = depth(scale.levels) - values
    hidden = dicom_grey.padding(stored, dataset)
    if hidden is not None:
        values[hidden] = 0
    return values


def _window(dataset: Any, scale: Scale) -> list[float] | None:
    """The first VOI window of a file, in steps of its values; None if it tells none."""
    told = dicom_grey.window(dataset)
    if told is None:
        return None
    centre, width = (told[0] - scale.least) / scale.unit, told[1] / scale.unit
    return [scale.levels - centre if dicom_grey.inverted(dataset) else centre, width]


def _facts(dataset: Any, keep_identifiers: bool) -> dict[str, Any]:
    """What a header tells of a film, in defined codes and numbers.

    Returns:
        As `decoding.decode` says; '' where unknown. Age and sex are told, as PS3.15 allows by its
        option to retain patient characteristics; ages above 89 only with identifiers.
    """
    names = {
        "modality": "Modality",
        "view": "ViewPosition",
        "body_part": "BodyPartExamined",
        "sex": "PatientSex",
        "photometric": "PhotometricInterpretation",
        "burned_in": "BurnedInAnnotation",
    }
    date = str(dataset.get("StudyDate") or "")
    told = keep_identifiers and _DATE.fullmatch(date)
    return {
        "kind": "DICOM",
        "bits": int(dataset.BitsStored),
        **{fact: dicom_kept.code(dataset, name) for fact, name in names.items()},
        "age": _age(str(dataset.get("PatientAge") or ""), keep_identifiers),
        "study_date": date if told else "",
        "orientation": dicom_kept.orientation(dataset),
        "identified": keep_identifiers,
    }


def _age(value: str, keep_identifiers: bool) -> str:
    """Years as a number, less than two of them in the unit of the file: '45', '7M', '90+'."""
    found = _AGE.fullmatch(value)
    if not found:
        return ""
    number, unit = int(found[1]), found[2]
    if unit in ("D", "W", "M"):
        return f"{number}{unit}"
    oldest = deidentify.OLDEST
    return f"{oldest + 1}+" if number > oldest and not keep_identifiers else str(number)


def _notes(facts: dict[str, Any], dataset: Any) -> list[str]:
    modality, view = facts["modality"], facts["view"]
    radiograph = modality in _RADIOGRAPHS
    found = {
        "inverted": dicom_grey.inverted(dataset),
        "lossy": dataset.get("LossyImageCompression") == "01",
        "cut_levels": facts["bits"] <= 8,
        "burned_in": dicom_tags.may_have_text(dataset),
        "not_radiograph": not radiograph and modality != "CT",
        "not_chest": facts["body_part"] not in ("", *_CHEST),
        "lateral": view in _LATERAL,
        "view_unknown": radiograph and view not in _FRONTAL and view not in _LATERAL,
        "orientation_unknown": radiograph and facts["orientation"] is None,
    }
    return [code for code, holds in found.items() if holds]
