"""Whose film a DICOM file of ours belongs to, and by which UIDs it is known."""

from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, generate_uid
from pydicom.valuerep import DA, DT, TM

from ...version import __version__
from .facts import one_line, plain
from .result import Result

MANUFACTURER = "radzoo"
_TEXTS = (
    *("PatientName", "PatientID", "PatientSex", "PatientBirthDate"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription"),
    *("AccessionNumber", "ReferringPhysicianName"),
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"),
)
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_MOMENTS: dict[str, Any] = {"PatientBirthDate": DA, "StudyDate": DA, "StudyTime": TM}


def source(result: Result) -> Dataset:
    """Patient, study and UIDs of the film, and nothing else of its header.

    What the header lacks, or holds in a form that DICOM does not allow, is empty. A film without a
    study gets one that follows from its file, so that all that is made of the file is in it.
    """
    header = result.header if result.header is not None else Dataset()
    kept = Dataset()
    for keyword in _TEXTS:
        # as text, for the header may be in another character set than what we write
        text = str(header.get(keyword) or "")
        setattr(kept, keyword, text if _is_allowed(keyword, text) else "")
    kept.StudyInstanceUID = kept.StudyInstanceUID or generate_uid(entropy_srcs=[result.upload])
    return kept


def _is_allowed(keyword: str, text: str) -> bool:
    if keyword == "PatientSex":
        return text in ("M", "F", "O")
    if keyword.endswith("UID"):
        return UID(text).is_valid
    try:
        _MOMENTS.get(keyword, str)(text)
    except ValueError:
        return False
    return True


def citable(result: Result) -> Dataset | None:
    """The header of a film that another DICOM object can refer to: it is DICOM, of a class that is
    in the standard, and has all its UIDs. None for any other.
    """
    if result.header is None:
        return None
    uids = [UID(str(result.header.get(keyword) or "")) for keyword in _UIDS]
    known = all(uid.is_valid for uid in uids) and not uids[-1].is_private
    return result.header if known else None


def uid(result: Result, part: str) -> UID:
    """The UID of a part of what is exported; the same for the same result."""
    said = (result.study, result.upload, result.model.weights, result.language, plain(result.note))
    part = f"{part} {result.model.finding}" if result.model.finding else part
    moments = (str(result.made), str(result.read_at), str(result.verdict), str(result.threshold))
    return generate_uid(entropy_srcs=[*said, *moments, part])


def device(result: Result) -> UID:
    """The UID of the model as a device: the same for the same weights and version of radzoo."""
    return generate_uid(entropy_srcs=[MANUFACTURER, __version__, result.model.weights])


def stamp(dataset: Dataset, result: Result) -> None:
    """Say which model a file of ours comes from, and date it by its result and not by the clock:
    the same result, the same bytes.
    """
    dataset.ManufacturerModelName = value(result.model.title)
    dataset.SoftwareVersions = __version__
    dataset.DeviceSerialNumber = value(result.model.weights)
    dataset.InstanceCreationDate = DA(result.made.date())
    dataset.InstanceCreationTime = TM(result.made.time())
    for equipment in dataset.ContributingEquipmentSequence:
        equipment.ContributionDateTime = DT(result.made)


def value(text: str) -> str:
    """Text as one value of at most 64 characters; a backslash would begin another value."""
    return one_line(text.replace("\\", "/"), 64)
