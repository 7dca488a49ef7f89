"""The REST API of the reading room: all that the page does; described in openapi.yaml."""

import io
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request, send_file
from flask_login import current_user

from ..errors import FilmRefused, RadZooError, UnknownName
from ..version import __version__
from . import exporting, telling
from .audit_log import Action
from .exports import worklist
from .language import of_request as language
from .service import NotFound, Room, Withheld
from .uploads import Busy
from .wording import say

api = Blueprint("api", __name__, url_prefix="/api/v1")


def room() -> Room:
    """The one that this server shows."""
    return current_app.extensions["reading_room"]


@api.errorhandler(RadZooError)
def _told(error: RadZooError) -> tuple[Response, int]:
    """What cannot be done, as a sentence in the language of who asks."""
    code, values = type(error).__name__, {}
    message, status = str(error), 400
    if isinstance(error, FilmRefused):
        code, values = error.code, error.values
        message, status = telling.refusal(language(), code, values), 422
    elif isinstance(error, Withheld):
        message, status = say(language(), "page.hidden"), 409
    elif isinstance(error, NotFound | UnknownName):
        message, status = say(language(), "page.not_found"), 404
    told = jsonify(error={"code": code, "message": message, "values": values})
    if isinstance(error, Busy):
        status, told.headers["Retry-After"] = 429, str(error.seconds)
    return told, status


@api.post("/studies")
def add() -> tuple[Response, int]:
    """Take one file in; the answer comes when it was read."""
    with room().admitted(current_user.id, request.content_length):
        file = request.files.get("file")  # only here is the body read
        if file is None:
            raise FilmRefused("no_file")
        study, new = room().add(current_user.id, file.filename or "", file.read())
    found = room().seen(current_user.id, study, _model())
    return jsonify(telling.row(language(), found)), 201 if new else 200


@api.post("/examples")
def add_examples() -> tuple[Response, int]:
    """Take in some synthetic test images of a model that learned from such."""
    with room().admitted(current_user.id, 0):
        return jsonify(ids=room().add_examples(current_user.id, _model())), 201


@api.get("/studies")
def studies() -> Response:
    """The worklist."""
    found = room().worklist(current_user.id, _model())
    return jsonify(studies=[telling.row(language(), one) for one in found])


@api.get("/studies/<study>")
def study(study: str) -> Response:
    """All of one study."""
    found = room().seen(current_user.id, study, _model())
    if found.analysis is not None:
        room().note(current_user.id, Action.VIEWED, study, **room().card(_model()).stamp)
    told = telling.detail(language(), room(), current_user.id, found, room().card(_model()))
    return jsonify(told)


@api.delete("/studies/<study>")
def remove(study: str) -> tuple[str, int]:
    """Delete a study and all that was made of it."""
    room().remove(current_user.id, study)
    return "", 204


@api.post("/studies/<study>/reading")
def read(study: str) -> tuple[Response, int]:
    """Keep the doctor's reading."""
    given = _json()
    made = room().give_reading(
        current_user.id, study, str(given.get("verdict")), str(given.get("note", ""))
    )
    return jsonify(verdict=made.verdict, note=made.note, blind=made.blind), 201


@api.get("/studies/<study>/pixels")
def pixels(study: str) -> Response:
    """Raw grey values, little-endian, row by row; `facts` of the study say of what shape."""
    found = room().seen(current_user.id, study, None).study
    answer = _file(found.film, "pixels.gz", "application/octet-stream")
    answer.headers["Content-Encoding"] = "gzip"
    return answer


@api.get("/studies/<study>/thumbnail")
def thumbnail(study: str) -> Response:
    """A small JPEG."""
    found = room().seen(current_user.id, study, None).study
    return _file(found.film, "thumbnail.jpg", "image/jpeg")


@api.get("/studies/<study>/maps/<int:label>")
def heatmap(study: str, label: int) -> Response:
    """The heatmap of a class as a grey PNG, 255 the strongest evidence in this film."""
    found = room().shown(current_user.id, study, _model())
    assert found.analysis is not None, "`shown` gives what was analysed"
    path = room().films.map_path(found.study.film, found.analysis.model, label)
    if not path.exists():
        raise NotFound("There is no such class.")
    return send_file(path, mimetype="image/png")


@api.get("/studies/<study>/heatmap/<int:label>.png")
def exported_png(study: str, label: int) -> Response:
    """The film with the heatmap of a class laid over."""
    from .exports import picture

    made = _result(study)
    if label not in made.labels:
        raise NotFound("There is no such class.")
    room().note(current_user.id, Action.EXPORTED_PNG, study, **_stamp(made))
    return _sent(picture.png(made, label), "image/png", f"radzoo-{study[:8]}-{label}.png")


@api.get("/studies/<study>/report.pdf")
def exported_pdf(study: str) -> Response:
    """A report to print."""
    from .exports import pdf

    made = _result(study)
    room().note(current_user.id, Action.EXPORTED_PDF, study, **_stamp(made))
    return _sent(pdf.pdf(made), "application/pdf", f"radzoo-{study[:8]}.pdf")


@api.get("/studies/<study>/dicom.zip")
def exported_dicom(study: str) -> Response:
    """DICOM Secondary Captures and a Structured Report."""
    from .exports import dicom

    made = _result(study)
    room().note(current_user.id, Action.EXPORTED_DICOM, study, **_stamp(made))
    return _sent(dicom.archive(made), "application/zip", f"radzoo-{study[:8]}-dicom.zip")


@api.get("/worklist.csv")
def exported_csv() -> Response:
    """The worklist as a table; of withheld studies it has no probability."""
    card, threshold = room().card(_model()), _threshold()
    found = room().worklist(current_user.id, card.key)
    lines = (exporting.line(language(), one, card, threshold) for one in found)
    content = worklist.csv(lines).encode("utf-8-sig")
    room().note(current_user.id, Action.EXPORTED_CSV, "", **card.stamp, threshold=threshold)
    return _sent(content, "text/csv; charset=utf-8", "radzoo-worklist.csv")


@api.get("/models")
def models() -> Response:
    """The models that are served."""
    told = [
        {
            "key": card.key,
            "title": card.facts["title"],
            "version": card.facts["version"],
            "weights": card.weights,
            "finding": card.finding,
        }
        for card in room().cards.values()
    ]
    return jsonify(models=told)


@api.get("/models/<key>")
def model(key: str) -> Response:
    """What is known of a model, but for its single validation films."""
    facts = room().card(key).facts
    return jsonify({name: value for name, value in facts.items() if name != "validation"})


@api.get("/models/<key>/cases/<int:place>")
def case(key: str, place: int) -> Response:
    """A small picture of one of the model's own images."""
    from PIL import Image

    known = room().reference(room().card(key).key)
    if known is None or place >= len(known.pictures):
        raise NotFound("There is no such case.")
    made = io.BytesIO()
    Image.fromarray(known.pictures[place]).save(made, "PNG")
    made.seek(0)
    return send_file(made, mimetype="image/png")


@api.put("/settings")
def settings() -> tuple[str, int]:
    """Whether to read first, and where to cut a model's probabilities."""
    given = _json()
    if "read_first" in given:
        room().set_read_first(current_user.id, bool(given["read_first"]))
    if "threshold" in given:
        room().set_threshold(current_user.id, given.get("model", ""), _number(given["threshold"]))
    return "", 204


@api.get("/version")
def version() -> Response:
    """Of radzoo."""
    return jsonify(radzoo=__version__)


def _model() -> str | None:
    return request.args.get("model") or None


def _threshold() -> float:
    given = request.args.get("threshold")
    value = _number(given) if given else room().threshold(current_user.id, _model())
    if not 0 < value < 1:
        abort(400)
    return value


def _number(given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        abort(400)


def _json() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        abort(400)
    return given


def _result(study: str) -> Any:
    card, threshold = room().card(_model()), _threshold()
    found = room().shown(current_user.id, study, card.key)
    return exporting.result(language(), room(), current_user.name, found, card, threshold)


def _stamp(made: Any) -> dict[str, Any]:
    finding = {"finding": made.model.finding} if made.model.finding else {}
    return {
        "model": made.model.weights[:16],
        **finding,
        "threshold": made.threshold,
        "probability": round(made.probability, 6),
    }


def _file(film: str, name: str, kind: str) -> Response:
    path = room().films.folder(film) / name
    if not path.exists():
        raise NotFound("There is no picture.")
    return send_file(path, mimetype=kind)


def _sent(content: bytes, kind: str, name: str) -> Response:
    made: Callable[..., Response] = send_file
    return made(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)
