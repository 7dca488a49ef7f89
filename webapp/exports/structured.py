"""What the model said of a film as a DICOM Structured Report, which programs can read.

The template is TID 1500 of DICOM PS3.16, with one measurement group (TID 1501) on the whole image.
Names that the standard has no code for are in our private scheme, `99RADZOO`.
"""

from collections.abc import Iterator

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from ..wording import say
from . import facts, identity
from .result import Result

_SERIES = 902
_SCHEME = "99RADZOO"
_LANGUAGES = {"es": "Spanish", "en": "English"}


def report(result: Result) -> sr.ComprehensiveSR:
    """The report on a film that is `identity.citable`, complete and not verified.

    Words are in the result's language, names of codes in English. Numbers have six decimals.
    """
    source = identity.source(result)
    name, source.PatientName = source.PatientName, ""  # highdicom warns of one like `ANON`
    document = sr.ComprehensiveSR(
        evidence=[source],
        content=_content(result),
        series_instance_uid=identity.uid(result, "reports"),
        series_number=_SERIES,
        series_description="RESEARCH USE ONLY - model result",
        sop_instance_uid=identity.uid(result, "report"),
        instance_number=1,
        manufacturer=identity.MANUFACTURER,
        is_complete=True,
        is_verified=False,
        specific_character_set="ISO_IR 192",
        content_date=result.made.date(),
        content_time=result.made.time(),
        coding_schemes=[
            CodingSchemeIdentificationItem(
                _SCHEME, name="radzoo", responsible_organization="radzoo"
            )
        ],
    )
    document.PatientName = name
    identity.stamp(document, result)
    return document


def _content(result: Result) -> sr.MeasurementReport:
    model = sr.DeviceObserverIdentifyingAttributes(
        uid=identity.device(result),
        name=identity.value(result.model.title),
        manufacturer_name=identity.MANUFACTURER,
        model_name=identity.value(f"{result.model.title} {result.model.version}"),
    )
    observer = sr.ObserverContext(codes.DCM.Device, model)
    language = CodedConcept(result.language, "RFC5646", _LANGUAGES[result.language])
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=[_group(result)],
        title=codes.DCM.ImagingMeasurementReport,
        language_of_content_item_and_descendants=sr.LanguageOfContentItemAndDescendants(language),
    )


def _group(result: Result) -> sr.MeasurementsAndQualitativeEvaluations:
    film = identity.citable(result)
    assert film is not None
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(identity.uid(result, "finding"), "whole image"),
        algorithm_id=sr.AlgorithmIdentification(
            name=facts.plain(result.model.title),
            version=facts.plain(result.model.version),
            parameters=[f"weights SHA-256 {result.model.weights}"],
            manufacturer=identity.MANUFACTURER,
        ),
        measurements=list(_measurements(result)),
        qualitative_evaluations=[_decision(result)],
        source_images=[
            sr.SourceImageForMeasurementGroup(str(film.SOPClassUID), str(film.SOPInstanceUID))
        ],
    )
    group[0].ContentSequence.extend(_texts(result))
    return group


def _measurements(result: Result) -> Iterator[sr.Measurement]:
    known = {
        ("raw-score", "Raw score of the positive class, not calibrated"): result.probability,
        ("calibrated", "Calibrated probability of the positive class"): result.calibrated,
        ("threshold", "Decision threshold of the raw score"): result.threshold,
    }
    for (code, meaning), value in known.items():
        if value is not None:
            name = CodedConcept(code, _SCHEME, meaning)
            yield sr.Measurement(name, round(float(value), 6), codes.UCUM.NoUnits)


def _decision(result: Result) -> sr.QualitativeEvaluation:
    side = "above" if result.is_above else "below"
    return sr.QualitativeEvaluation(
        CodedConcept("decision", _SCHEME, "Side of the decision threshold"),
        CodedConcept(f"{side}-threshold", _SCHEME, f"{side.title()} threshold"),
    )


def _texts(result: Result) -> Iterator[sr.TextContentItem]:
    synthetic = say(result.language, "exports.synthetic") if result.model.synthetic else ""
    words = {
        (
            "use",
            "Use of these results",
        ): f"RESEARCH USE ONLY. {facts.research(result)}. {synthetic}",
        ("words", "Model decision in words"): f"{facts.call(result)}. {facts.below(result)}",
        ("class", "Positive class"): facts.plain(result.classes[-1]),
        ("weights", "SHA-256 of the model weights"): result.model.weights,
        ("reading", "Reading by a doctor"): facts.verdict(result) if result.verdict else "",
        ("note", "Note by a doctor"): facts.plain(result.note),
    }
    for (code, meaning), text in words.items():
        if text.strip():
            name = CodedConcept(code, _SCHEME, meaning)
            yield sr.TextContentItem(name, text.strip(), sr.RelationshipTypeValues.CONTAINS)
