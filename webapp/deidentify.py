"""What may be kept of a DICOM header: two sieves, each of which would do for most files.

The first is a list of what showing a film takes: nothing else passes, and of codes only those that
the standard defines. A header is built anew, so private elements, nested sequences, overlays and
what hides in a compressed picture stay behind. The second is the Basic Application Level
Confidentiality Profile of PS3.15, as dicom-anonymizer applies it: it replaces UIDs and empties
what names a patient, a place or a day.
"""

import re
from io import BytesIO
from typing import Any

import numpy as np
from dicomanonymizer import simpledicomanonymizer as profile
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from ..errors import FilmRefused

_EDITION = "dicomfields_2026c"
_OLDEST = 89  # years; who is older is one of few
_CODES = {
    "Modality": "CR DX RG CT MR US NM PT XA RF MG IO PX DF SC OT XC ES",
    "ViewPosition": "AP PA LL RL LATERAL RLD LLD RLO LLO",
    "BodyPartExamined": "CHEST THORAX TORAX LUNG RIB RIBCAGE STERNUM HEART CLAVICLE SHOULDER NECK "
    "HEAD SKULL SPINE CSPINE TSPINE LSPINE ABDOMEN PELVIS HIP ARM ELBOW WRIST HAND LEG KNEE ANKLE "
    "FOOT EXTREMITY BREAST WHOLEBODY",
    "PhotometricInterpretation": "MONOCHROME1 MONOCHROME2",
    "ImageLaterality": "R L U B",
    "Laterality": "R L",
    "BurnedInAnnotation": "YES NO",
    "LossyImageCompression": "00 01",
    "VOILUTFunction": "LINEAR LINEAR_EXACT SIGMOID",
    "PresentationLUTShape": "IDENTITY INVERSE",
    "PatientSex": "M F O",
}
_KEPT_CODES = [name for name in _CODES if name != "PatientSex"]
_WHOLE = ("Rows", "Columns", "BitsStored", "PixelRepresentation")
_DECIMAL = ("RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth")
_LUTS = ("ModalityLUTSequence", "VOILUTSequence")
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_EMPTY = (  # the standard wants them in every image
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate"),
    *("PatientSex", "StudyID"),
)
_DIRECTION = re.compile("[APRLHF]{1,3}")
_AGE, _DATE = re.compile("([0-9]{1,3})([DWMY]?)"), re.compile("[0-9]{8}")


def film(source: Any, stored: NDArray[Any]) -> Dataset:
    """A new data set with a picture and what it takes to show it.

    Args:
        source: as pydicom read it.
        stored: its picture, decoded, (rows, columns).

    Raises:
        Exception: any, where a value is not what its element may hold.
    """
    kept = Dataset()
    _picture(kept, source, stored)
    for name in _KEPT_CODES:
        if code(source, name):
            setattr(kept, name, code(source, name))
    if source.get("VOILUTFunction") and not code(source, "VOILUTFunction"):
        raise FilmRefused("damaged")  # it cannot be shown, and without it is another film
    if orientation(source):
        kept.PatientOrientation = orientation(source)
    for name in (*_UIDS, *_EMPTY, "PatientName", "PatientID"):
        setattr(kept, name, str(source.get(name) or "") or None)
    kept.SeriesNumber = kept.InstanceNumber = None  # the profile would let them pass
    _apply_profile(kept, source)
    return kept


def as_bytes(kept: Dataset) -> bytes:
    """As a DICOM file with an empty preamble."""
    file = BytesIO()
    kept.save_as(file, enforce_file_format=True)
    return file.getvalue()


def facts(source: Any, keep_identifiers: bool) -> dict[str, Any]:
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
    date = str(source.get("StudyDate") or "")
    told = keep_identifiers and _DATE.fullmatch(date)
    return {
        "kind": "DICOM",
        "bits": int(source.BitsStored),
        **{fact: code(source, name) for fact, name in names.items()},
        "age": _age(str(source.get("PatientAge") or ""), keep_identifiers),
        "study_date": date if told else "",
        "orientation": orientation(source),
        "identified": keep_identifiers,
    }


def code(source: Any, name: str) -> str:
    """The value of an element if the standard defines it, else ''."""
    value = source.get(name)
    return str(value) if isinstance(value, str) and value in _CODES[name].split() else ""


def orientation(source: Any) -> list[str] | None:
    """Where rows and columns lead, such as ["L", "F"]."""
    values = source.get("PatientOrientation") or []
    told = [str(value) for value in values] if not isinstance(values, str) else []
    return told if len(told) == 2 and all(map(_DIRECTION.fullmatch, told)) else None


def _picture(kept: Dataset, source: Any, stored: NDArray[Any]) -> None:
    """All that `readers.read` computes with, for the same result."""
    for name in _WHOLE:
        setattr(kept, name, int(source[name].value))
    for name in _DECIMAL:
        if name in source:
            setattr(kept, name, source[name].value)  # numbers, in the digits of the file
    for name in _LUTS:
        if source.get(name):
            setattr(kept, name, Sequence([_lut(source[name].value[0], _swapped(source))]))
    if (stored.dtype.kind == "i") != bool(kept.PixelRepresentation):
        raise FilmRefused("damaged")
    kept.SamplesPerPixel = 1
    kept.BitsAllocated = 8 * stored.dtype.itemsize
    kept.HighBit = kept.BitsStored - 1
    raw = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<")).tobytes()
    kind = "OB" if kept.BitsAllocated == 8 else "OW"
    kept.add(DataElement("PixelData", kind, raw + b"\0" * (len(raw) % 2)))


def _swapped(source: Any) -> bool:
    return bool(source.file_meta.TransferSyntaxUID == ExplicitVRBigEndian)


def _lut(item: Any, swapped: bool) -> Dataset:
    kept = Dataset()
    descriptor, data = item["LUTDescriptor"], item["LUTData"]
    kept.add(DataElement(descriptor.tag, descriptor.VR, [int(n) for n in descriptor.value]))
    raw = data.value
    if not isinstance(raw, bytes):
        raw = np.asarray([int(n) for n in raw], "<u2").tobytes()
    elif swapped:
        raw = np.frombuffer(raw, ">u2").astype("<u2").tobytes()
    kept.add(DataElement(data.tag, "OW", raw))  # a list of numbers could be too long for US
    return kept


def _apply_profile(kept: Dataset, source: Any) -> None:
    stated = UID(str(source.get("SOPClassUID") or ""))
    kept.SOPClassUID = stated if stated.type == "SOP Class" else SecondaryCaptureImageStorage
    for name in _UIDS:
        if not getattr(kept, name):
            setattr(kept, name, generate_uid(None))
    kept.file_meta = FileMetaDataset()
    kept.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    kept.file_meta.MediaStorageSOPClassUID = kept.SOPClassUID
    kept.file_meta.MediaStorageSOPInstanceUID = kept.SOPInstanceUID
    neutral = {(0x0010, 0x0010): profile.replace, (0x0010, 0x0020): profile.replace}
    profile.anonymize_dataset(
        kept, neutral, base_rules_gen=lambda: profile.initialize_actions(_EDITION)
    )
    profile.dictionary.clear()  # it would tell which new UID stands for which old one
    kept.PatientIdentityRemoved = "YES"
    kept.LongitudinalTemporalInformationModified = "REMOVED"
    kept.DeidentificationMethod = "PS3.15 basic profile; elements not needed to show it removed"
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator = "113100", "DCM"
    method.CodeMeaning = "Basic Application Confidentiality Profile"
    kept.DeidentificationMethodCodeSequence = Sequence([method])


def _age(value: str, keep_identifiers: bool) -> str:
    """Years as a number, less than two of them in the unit of the file: '45', '7M', '90+'."""
    found = _AGE.fullmatch(value)
    if not found:
        return ""
    number, unit = int(found[1]), found[2]
    if unit in ("D", "W", "M"):
        return f"{number}{unit}"
    return f"{_OLDEST + 1}+" if number > _OLDEST and not keep_identifiers else str(number)
