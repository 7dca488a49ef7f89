"""What a PACS can take: captures of the heatmaps and a structured report, as one archive."""

import io
import zipfile

from pydicom import Dataset

from ..wording import say
from . import capture, facts, identity, structured
from .result import Result


def archive(result: Result) -> bytes:
    """A ZIP for import into a PACS: in the study of the film, for the patient of its header.

    Returns:
        `heatmap-N.dcm`, a Secondary Capture for each class N; `report.dcm`, a structured report
        (TID 1500), if the film is DICOM and can be referred to; `README.txt`, which says what
        there is, and why there is no report. The same result gives the same bytes.
    """
    files = {
        f"heatmap-{label}.dcm": _written(capture.captured(result, label)) for label in result.labels
    }
    if identity.citable(result) is not None:
        files["report.dcm"] = _written(structured.report(result))
    files["README.txt"] = _readme(result).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archived:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, result.made.timetuple()[:6])
            archived.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _readme(result: Result) -> str:
    report = "no_report" if identity.citable(result) is None else "report_is"
    told = (
        facts.research(result),
        say(result.language, "exports.synthetic") if result.model.synthetic else "",
        f"{facts.model(result)} · {facts.weights(result)} · {facts.moment(result.made)}",
        say(result.language, "exports.heatmaps_are"),
        say(result.language, f"exports.{report}"),
        say(result.language, "exports.name_burned_in"),
        say(result.language, "general.map_caveat"),
        facts.below(result),
    )
    return "\n".join(filter(None, told)) + "\n"
