"""DICOM without whom it shows, by two sieves, each of which would do for most files.

The first is `dicom_kept`, a list of what may stay. The second is the Basic Application Level
Confidentiality Profile of PS3.15, as dicom-anonymizer applies it: it replaces UIDs and empties
what names a patient, a place or a day. The pixels stay as they are: a name within the picture
stays in it.
"""

import hashlib
import hmac
import re
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Literal, NamedTuple

import numpy as np

from . import dicom_kept, dicom_tags

OLDEST = 89  # years; who is older is one of few
_GEOMETRY = (
    *("PixelSpacing", "ImagerPixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "KVP"),
)
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_EMPTY = (  # the standard wants them in every image
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate"),
    *("PatientSex", "StudyID"),
)
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_METHODS = {
    "113100": "Basic Application Confidentiality Profile",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
_EDITION = "dicomfields_2026c"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_EXPLICIT = "1.2.840.10008.1.2.1"
_LONGEST_SHIFT = 3650  # days
_WRITTEN_AGE = re.compile("[0-9]{3}[DWMY]")


class Pseudonyms(NamedTuple):
    """How copies of one patient and study stay together without saying whose they are.

    Attributes:
        key: secret; the same one gives the same names, and without it none leads back.
        dates: removed, or each patient's shifted into the past by as many days of his own, so
            that the time between two studies stays.
        characteristics: whether age (90 for all above 89) and sex are kept.
    """

    key: bytes
    dates: Literal["remove", "shift"] = "remove"
    characteristics: bool = False

    def uid(self, old: str) -> str:
        """A UID that stands for another, as PS3.5 B.2 derives them from a UUID."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', old)[:16], version=5).int}"

    def patient(self, old: str) -> str:
        """`P` and 16 hexadecimal digits."""
        return f"P{self._digest('patient', old).hex()[:16]}"

    def shifted(self, day: date, patient: str) -> str:
        """As DICOM writes dates."""
        number = int.from_bytes(self._digest("days", patient)[:8], "big")
        earlier = day - timedelta(days=1 + number % _LONGEST_SHIFT)
        return earlier.strftime("%Y%m%d")

    def _digest(self, use: str, text: str) -> bytes:
        return hmac.digest(self.key, f"{use}:{text}".encode(), hashlib.sha256)


def anonymous(source: Any, stored: np.ndarray) -> Any:
    """A new data set with a picture and what it takes to show it; its UIDs are random.

    Args:
        source: a data set of pydicom.
        stored: its picture, as `dicom.decoded` gives it, (rows, columns).

    Raises:
        Exception: any, where a value is not what its element may hold.
    """
    from pydicom.uid import generate_uid

    kept = dicom_kept.shown(source, stored)
    for name in (*_UIDS, *_EMPTY, "PatientName", "PatientID"):
        setattr(kept, name, str(source.get(name) or "") or None)
    for name in _UIDS:
        if not getattr(kept, name):
            setattr(kept, name, generate_uid(None))
    _apply_profile(kept, source, {"PatientName": "replace", "PatientID": "replace"})
    _say(kept, "REMOVED", ["113100"])
    return kept


def pseudonymous(source: Any, stored: np.ndarray, names: Pseudonyms) -> Any:
    """A new data set as of `anonymous`, which tells what belongs together and where it lies.

    Besides it keeps spacing, position and orientation, tube voltage, and the numbers of series
    and image; UIDs and patients get the names that stand for them.

    Raises:
        Exception: any, where a value is not what its element may hold.
    """
    kept = dicom_kept.shown(source, stored)
    for name in _EMPTY:
        setattr(kept, name, None)
    for name in _GEOMETRY:
        if source.get(name) is not None:
            setattr(kept, name, source[name].value)
    for name in ("SeriesNumber", "InstanceNumber"):
        number = dicom_tags.text(source, name) or ""
        setattr(kept, name, number if number.isdecimal() else None)
    if dicom_kept.code(source, "PatientPosition"):
        kept.PatientPosition = dicom_kept.code(source, "PatientPosition")
    for name in (*_UIDS, "FrameOfReferenceUID"):
        old = dicom_tags.text(source, name)
        if old or name in _UIDS:
            setattr(
                kept,
                name,
                names.uid(old or f"{name}:{hashlib.sha256(stored.tobytes()).hexdigest()}"),
            )
    patient = dicom_tags.text(source, "PatientID")
    kept.PatientID = kept.PatientName = names.patient(patient) if patient else None
    _set_dates(kept, source, names)
    _set_characteristics(kept, source, names)
    ours = [element.keyword for element in kept if element.VR in ("UI", "PN", "DA", "AS")]
    _apply_profile(kept, source, dict.fromkeys([*ours, *_EMPTY, "PatientID"], "keep"))
    shifts, keeps = names.dates == "shift", names.characteristics
    _say(
        kept,
        "MODIFIED" if shifts else "REMOVED",
        ["113100", *["113107"] * shifts, *["113108"] * keeps],
    )
    return kept


def as_bytes(kept: Any) -> bytes:
    """As a DICOM file with an empty preamble."""
    file = BytesIO()
    kept.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _set_dates(kept: Any, source: Any, names: Pseudonyms) -> None:
    if names.dates == "remove":
        return
    owner = dicom_tags.text(source, "PatientID") or dicom_tags.text(source, "StudyInstanceUID")
    for name in _DATES:
        day = dicom_tags.day(source, name)
        if day and owner:
            setattr(kept, name, names.shifted(day, owner))


def _set_characteristics(kept: Any, source: Any, names: Pseudonyms) -> None:
    if not names.characteristics:
        return
    kept.PatientSex = dicom_kept.code(source, "PatientSex") or None
    years = dicom_tags.of(source).age
    if years is not None:
        written = dicom_tags.text(source, "PatientAge") or ""
        exact = written if _WRITTEN_AGE.fullmatch(written) else f"{int(years):03d}Y"
        kept.PatientAge = f"{OLDEST + 1:03d}Y" if years > OLDEST else exact


def _apply_profile(kept: Any, source: Any, instead: dict[str, str]) -> None:
    """Let the profile do with each element what it prescribes, or another action of its own."""
    from dicomanonymizer import simpledicomanonymizer as profile
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    stated = UID(str(source.get("SOPClassUID") or ""))
    kept.SOPClassUID = stated if stated.type == "SOP Class" else UID(_SECONDARY_CAPTURE)
    kept.file_meta = FileMetaDataset()
    kept.file_meta.TransferSyntaxUID = UID(_EXPLICIT)
    kept.file_meta.MediaStorageSOPClassUID = kept.SOPClassUID
    kept.file_meta.MediaStorageSOPInstanceUID = kept.SOPInstanceUID
    rules: dict[tuple[int, int], Callable] = {}
    for keyword, action in instead.items():
        tag = tag_for_keyword(keyword) or 0
        rules[tag >> 16, tag & 0xFFFF] = getattr(profile, action)
    profile.anonymize_dataset(
        kept, rules, base_rules_gen=lambda: profile.initialize_actions(_EDITION)
    )
    profile.dictionary.clear()  # it would tell which new UID stands for which old one
    kept.file_meta.MediaStorageSOPInstanceUID = kept.SOPInstanceUID


def _say(kept: Any, times: str, methods: list[str]) -> None:
    """PS3.15 E.1.1: that it was done, and by which methods of CID 7050."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    kept.PatientIdentityRemoved = "YES"
    kept.LongitudinalTemporalInformationModified = times
    kept.DeidentificationMethod = "PS3.15 basic profile; elements not needed to show it removed"
    items = []
    for value in methods:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = value, "DCM"
        item.CodeMeaning = _METHODS[value]
        items.append(item)
    kept.DeidentificationMethodCodeSequence = Sequence(items)
