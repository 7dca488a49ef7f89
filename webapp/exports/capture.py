"""The film with a heatmap as a DICOM Secondary Capture, which every viewer and PACS can show."""

from highdicom.sc import SCImage
from pydicom import Dataset
from pydicom.sr.codedict import codes

from . import facts, identity, picture
from .result import Result

SIDE = 1024  # pixels: the width, and the height at most; it is stored uncompressed
_SERIES = 901


def captured(result: Result, label: int) -> SCImage:
    """The picture of `picture.captioned`, in the study of the film.

    The name of the file is in the pixels and may be the patient's, hence BurnedInAnnotation is
    YES, and the capture does not repeat that the film's identity was removed.

    Args:
        result: what to show.
        label: index into `result.classes`.
    """
    image = SCImage(
        pixel_array=picture.captioned(result, label, SIDE),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # highdicom wants one; the film's own follows
        study_instance_uid=identity.source(result).StudyInstanceUID,
        series_instance_uid=identity.uid(result, "captures"),
        series_number=_SERIES,
        series_description="RESEARCH USE ONLY - heatmaps",
        sop_instance_uid=identity.uid(result, f"capture {label}"),
        instance_number=label + 1,
        manufacturer=identity.MANUFACTURER,
        specific_character_set="ISO_IR 192",
        content_date=result.made.date(),
        content_time=result.made.time(),
    )
    _say_whose(image, identity.source(result))
    _say_what(image, result, label)
    return image


def _say_whose(image: SCImage, source: Dataset) -> None:
    """Patient and study, as text of any form: highdicom's own arguments warn of unusual names."""
    for element in source:
        if element.tag.group == 0x0010 or element.keyword.startswith(("Study", "Accession", "Ref")):
            image.add(element)


def _say_what(image: SCImage, result: Result, label: int) -> None:
    """What is seen, how it was made of what, and when."""
    image.PatientOrientation = list(result.orientation or ())
    image.Laterality = ""  # must be there, and is not known
    image.BurnedInAnnotation = "YES"
    image.ImageComments = "\n".join(line.text for line in picture.lines(result, label))
    score = result.probabilities[label]
    image.DerivationDescription = facts.one_line(
        f"RESEARCH USE ONLY. Heatmap ({result.method}) of class {label}, probability {score:.6f}, "
        f"threshold {result.threshold:.6f}. Model {result.model.title}, version "
        f"{result.model.version}, weights SHA-256 {result.model.weights}.",
        1024,
    )
    film = identity.citable(result)
    if film is not None:
        image.SourceImageSequence = [_cited(film)]
        if "LossyImageCompression" in film:  # what was lost once stays lost
            image.LossyImageCompression = film.LossyImageCompression
    image.DateOfSecondaryCapture = image.ContentDate
    image.TimeOfSecondaryCapture = image.ContentTime
    identity.stamp(image, result)


def _cited(header: Dataset) -> Dataset:
    """A reference to the film."""
    purpose = Dataset()
    code = codes.DCM.SourceImageForImageProcessingOperation
    purpose.CodeValue, purpose.CodingSchemeDesignator = code.value, code.scheme_designator
    purpose.CodeMeaning = code.meaning
    cited = Dataset()
    cited.ReferencedSOPClassUID = header.SOPClassUID
    cited.ReferencedSOPInstanceUID = header.SOPInstanceUID
    cited.PurposeOfReferenceCodeSequence = [purpose]
    return cited
