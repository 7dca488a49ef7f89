"""What of a DICOM header may stay, as a list: what showing an image takes, and nothing else.

A header is built anew, and of codes only those are taken that the standard defines. So private
elements, nested sequences, overlays and what hides in a compressed picture stay behind.
"""

import re
from typing import Any

import numpy as np

from . import dicom, dicom_grey

CODES = {
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
    "RescaleType": "HU US OD",
    "PatientSex": "M F O",
    "PatientPosition": "HFS HFP HFDR HFDL FFS FFP FFDR FFDL",
}
_KEPT_CODES = [name for name in CODES if name not in ("PatientSex", "PatientPosition")]
_WHOLE = ("Rows", "Columns", "BitsStored", "PixelRepresentation")
_PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_DECIMAL = ("RescaleIntercept", "RescaleSlope", "WindowCenter", "WindowWidth")
_LUTS = ("ModalityLUTSequence", "VOILUTSequence")
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_DIRECTION = re.compile("[APRLHF]{1,3}")


def code(source: Any, name: str) -> str:
    """The value of an element if the standard defines it, else ''."""
    value = source.get(name)
    return str(value) if isinstance(value, str) and value in CODES[name].split() else ""


def orientation(source: Any) -> list[str] | None:
    """Where rows and columns lead, such as ["L", "F"]."""
    values = source.get("PatientOrientation") or []
    told = [str(value) for value in values] if not isinstance(values, str) else []
    return told if len(told) == 2 and all(map(_DIRECTION.fullmatch, told)) else None


def shown(source: Any, stored: np.ndarray) -> Any:
    """A new data set of a picture and what its grey is computed with, for the same grey.

    Args:
        source: a data set of pydicom.
        stored: its picture, as `dicom.decoded` gives it, (rows, columns).

    Raises:
        Exception: any, where a value is not what its element may hold.
    """
    from pydicom.dataset import Dataset

    kept = Dataset()
    _picture(kept, source, stored)
    for name in _KEPT_CODES:
        if code(source, name):
            setattr(kept, name, code(source, name))
    if source.file_meta.TransferSyntaxUID in dicom.LOSSY:
        kept.LossyImageCompression = "01"  # what is stored uncompressed from here on would hide it
    if source.get("RescaleType") and not code(source, "RescaleType"):
        kept.RescaleType = "US"  # unspecified: not Hounsfield units
    if source.get("VOILUTFunction") and not code(source, "VOILUTFunction"):
        raise ValueError("the VOILUTFunction is unknown, and without it this is another image")
    if orientation(source):
        kept.PatientOrientation = orientation(source)
    kept.SeriesNumber = kept.InstanceNumber = None  # the standard wants them in every image
    return kept


def _picture(kept: Any, source: Any, stored: np.ndarray) -> None:
    from pydicom.dataelem import DataElement
    from pydicom.sequence import Sequence

    for name in _WHOLE:
        setattr(kept, name, int(source[name].value))
    for name in _DECIMAL:
        if name in source:
            setattr(kept, name, source[name].value)  # numbers, in the digits of the file
    for name in _LUTS:
        if source.get(name):
            setattr(kept, name, Sequence([_lut(source[name].value[0], _swapped(source))]))
    if (stored.dtype.kind == "i") != bool(kept.PixelRepresentation):
        raise ValueError("the sign of the pixels is not that of the header")
    kept.SamplesPerPixel = 1
    kept.BitsAllocated = 8 * stored.dtype.itemsize
    kept.HighBit = kept.BitsStored - 1
    for name in _PADDING:
        if source.get(name) is not None:
            value = dicom_grey.as_stored(int(source[name].value), source)
            kept.add(DataElement(name, "SS" if kept.PixelRepresentation else "US", value))
    raw = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<")).tobytes()
    kind = "OB" if kept.BitsAllocated == 8 else "OW"
    kept.add(DataElement("PixelData", kind, raw + b"\0" * (len(raw) % 2)))


def _swapped(source: Any) -> bool:
    return bool(source.file_meta.TransferSyntaxUID == _BIG_ENDIAN)


def _lut(item: Any, swapped: bool) -> Any:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

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
