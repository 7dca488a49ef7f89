"""What the header of a DICOM file tells of its image; missing is missing."""

import math
import re
from datetime import date
from typing import Any, NamedTuple

OLDEST = 120  # years
EARLIEST = 1900  # year; what is left of a date that was removed may be the year 1
VIEWS = ("AP", "PA", "LL", "RL", "LATERAL", "RLD", "LLD", "RLO", "LLO")
WRITTEN_ON = ("SC", "OT", "US", "XC", "ES", "DF")  # captures often have text within the picture
_AGE = re.compile("([0-9]{1,3})([DWMY]?)")
_DATE = re.compile("([0-9]{4})[.]?([0-9]{2})[.]?([0-9]{2})")
_PER_YEAR = {"": 1.0, "Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


class Tags(NamedTuple):
    """What is known of an image; None where the file does not tell.

    Attributes:
        patient: PatientID.
        view: ViewPosition, or by ViewCodeSequence AP, PA or LATERAL.
        age: years, 0 to 120, of PatientAge, else of the dates of birth and of the study.
        sex: M, F or O.
        study_date: as 2020-12-31.
        modality, body_part: as the file has them.
        laterality: R, L, B or U.
        spacing_mm: between rows and between columns; of a radiograph without PixelSpacing in the
            plane of the detector, where things are larger than in the patient.
        burned_in: whether there is text within the picture, by BurnedInAnnotation.
        instance: SOPInstanceUID.
    """

    patient: str | None
    view: str | None
    age: float | None
    sex: str | None
    study_date: str | None
    modality: str | None
    body_part: str | None
    laterality: str | None
    spacing_mm: tuple[float, float] | None
    burned_in: bool | None
    instance: str | None


def of(file: Any) -> Tags:
    """Read them from a data set of pydicom; values that make no sense count as missing."""
    studied = day(file, "StudyDate")
    return Tags(
        patient=text(file, "PatientID"),
        view=_view(file),
        age=_age(file, studied),
        sex=_one_of(text(file, "PatientSex"), "MFO"),
        study_date=studied.isoformat() if studied else None,
        modality=text(file, "Modality"),
        body_part=text(file, "BodyPartExamined"),
        laterality=_one_of(text(file, "ImageLaterality") or text(file, "Laterality"), "RLBU"),
        spacing_mm=_spacing(file),
        burned_in={"YES": True, "NO": False}.get(text(file, "BurnedInAnnotation") or ""),
        instance=text(file, "SOPInstanceUID"),
    )


def text(file: Any, keyword: str) -> str | None:
    """An element as text, several values joined as DICOM does; None if missing or empty."""
    value = _value(file, keyword)
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    joined = "\\".join("" if part is None else str(part).strip() for part in parts)
    return joined.strip("\\\0 ") or None


def day(file: Any, keyword: str) -> date | None:
    """An element that is a date; None if it is none, or before 1900."""
    found = _DATE.fullmatch(text(file, keyword) or "")
    if not found or int(found[1]) < EARLIEST:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:  # the 31st of February
        return None


def may_have_text(file: Any) -> bool:
    """Whether text within the picture, perhaps a name, is stated or likely and not denied."""
    stated = text(file, "BurnedInAnnotation")
    likely = text(file, "Modality") in WRITTEN_ON or "ConversionType" in file
    return stated == "YES" or (stated != "NO" and likely)


def _value(file: Any, keyword: str) -> Any:
    try:
        return file.get(keyword)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # such as letters in a number
        return None


def _one_of(value: str | None, known: str | tuple[str, ...]) -> str | None:
    return value if value is not None and value in tuple(known) else None


def _view(file: Any) -> str | None:
    stated = text(file, "ViewPosition")
    if stated:
        return stated.upper()
    meaning = ""
    for item in _value(file, "ViewCodeSequence") or []:
        meaning = re.sub("[^a-z]", "", (text(item, "CodeMeaning") or "").lower())
    parts = {"posteroanterior": "PA", "anteroposterior": "AP", "lateral": "LATERAL"}
    return next((view for part, view in parts.items() if part in meaning), None)


def _age(file: Any, studied: date | None) -> float | None:
    found = _AGE.fullmatch(text(file, "PatientAge") or "")
    born = day(file, "PatientBirthDate")
    if found:
        years = int(found[1]) / _PER_YEAR[found[2]]
    elif born and studied:
        years = (studied - born).days / _PER_YEAR["D"]
    else:
        return None
    return years if 0 <= years <= OLDEST else None


def _spacing(file: Any) -> tuple[float, float] | None:
    for keyword in _SPACINGS:
        try:
            rows, columns = (float(value) for value in _value(file, keyword) or ())
        except (TypeError, ValueError):
            continue
        if math.isfinite(rows + columns) and min(rows, columns) > 0:
            return rows, columns
    return None
