"""A film with the heatmap of a class laid over it, and as a PNG that says what it shows."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from ...explain.pictures import coloured
from ...version import __version__
from ..wording import number, say
from . import caption, facts
from .caption import Line
from .result import Result

CUTOFF = 0.25  # share of the strongest evidence below which nothing is drawn
OPACITY = 0.45  # of the strongest evidence
SIDE = 1536  # pixels: the width of a PNG; its height is at most as much


def png(result: Result, label: int) -> bytes:
    """The film with the map of one class, the colour scale, and a caption burned in.

    Args:
        result: what to show.
        label: index into `result.classes`.

    Returns:
        A PNG, `SIDE` wide. Its text chunks say what the caption says.
    """
    file = io.BytesIO()
    Image.fromarray(captioned(result, label, SIDE)).save(
        file, "PNG", pnginfo=_chunks(result, label)
    )
    return file.getvalue()


def captioned(result: Result, label: int, side: int) -> NDArray[np.uint8]:
    """The film with the map of one class, the colour scale, and the caption.

    Args:
        result: what to show.
        label: index into `result.classes`.
        side: the width, in pixels; at least 256.

    Returns:
        (rows, side, 3) red green blue, with at most `side` rows.
    """
    strip = caption.strip(lines(result, label), side)
    room = side - len(strip), side - caption.scale_width(side)
    blend = blended(fitted(result.picture, *room), result.maps[label])
    shown = caption.marked(blend, facts.sides(result))
    return caption.framed(shown, scale(1024), strip, number(result.language, CUTOFF, 2))


def blended(picture: NDArray[np.uint8], shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture with a map laid over it.

    Args:
        picture: (rows, columns) grey.
        shares: (rows, columns) of any size, in [0, 1]; they cover the whole picture.

    Returns:
        (rows, columns, 3) red green blue. Where the share is below `CUTOFF` it is the picture;
        above, the colour's part is `OPACITY` times the square root of the share.
    """
    rows, columns = picture.shape
    resized = cv2.resize(shares.astype(np.float32), (columns, rows), interpolation=cv2.INTER_LINEAR)
    wide = np.clip(resized, 0, 1).astype(np.float32)
    colours = coloured(wide, OPACITY)
    opacity = np.where(wide >= CUTOFF, colours[..., 3], 0)[..., None]
    mixed = picture[..., None] * (1 - opacity) + 255 * colours[..., :3] * opacity
    return np.rint(mixed).astype(np.uint8)


def fitted(picture: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """A picture made as large as a room allows, its sides in proportion.

    Args:
        picture: (rows, columns) grey.
        rows, columns: of the room, in pixels.
    """
    factor = min(rows / picture.shape[0], columns / picture.shape[1])
    height, width = (max(1, round(factor * length)) for length in picture.shape)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=how).astype(np.uint8)


def scale(cells: int) -> NDArray[np.uint8]:
    """The colours of the shares 0 to 1, (cells, 3); grey where nothing is drawn."""
    shares = np.linspace(0, 1, cells)
    colours = np.rint(255 * coloured(shares, OPACITY)[:, :3])
    return np.where(shares[:, None] >= CUTOFF, colours, 70).astype(np.uint8)


def emptiness(result: Result, label: int) -> str:
    """Why no map is seen for a class; empty where one is."""
    strongest = result.maps[label].max()
    if strongest >= CUTOFF:
        return ""
    if strongest <= 0:
        return say(result.language, "exports.no_evidence")
    return say(result.language, "exports.weak_evidence", cutoff=number(result.language, CUTOFF, 2))


def lines(result: Result, label: int) -> list[Line]:
    """What is burned in under a picture."""
    language = result.language
    score, threshold = facts.figures(result)
    evidence = say(language, "exports.evidence_for", name=facts.class_name(result, label))
    own = number(language, result.probabilities[label], 3)
    decision = say(language, "exports.threshold_was", threshold=threshold)
    positive = f"{facts.class_name(result, -1)}: {score} · {facts.call(result)} ({decision})"
    told = [
        Line(facts.one_line(result.name, 80), bold=True),
        Line(f"{evidence} · {say(language, 'exports.probability_was', value=own)}", bold=True),
        Line(f"{positive}. {facts.below(result)}".strip()),
        Line(emptiness(result, label), caption.AMBER),
        Line(f"{facts.model(result)} · {facts.weights(result)} · {facts.moment(result.made)}"),
        Line(facts.research(result), caption.AMBER, bold=True),
        Line(say(language, "exports.synthetic") if result.model.synthetic else "", caption.AMBER),
        Line(f"{say(language, 'general.map_caveat')} {meaning(result)}"),
    ]
    return [line for line in told if line.text]


def meaning(result: Result) -> str:
    """What the colours stand for."""
    cutoff = number(result.language, CUTOFF, 2)
    return say(result.language, "exports.colours_mean", cutoff=cutoff)


def _chunks(result: Result, label: int) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    told = {
        "Title": facts.plain(result.name),
        "Description": "\n".join(line.text for line in lines(result, label)),
        "Disclaimer": facts.research(result),
        "Warning": say(result.language, "general.map_caveat"),
        "Software": f"radzoo {__version__}",
        "Creation Time": result.made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "radzoo:study": result.study,
        "radzoo:upload_sha256": result.upload,
        "radzoo:class": facts.plain(result.classes[label]),
        "radzoo:probability": f"{result.probabilities[label]:.6f}",
        "radzoo:threshold": f"{result.threshold:.6f}",
        "radzoo:model_title": facts.plain(result.model.title),
        "radzoo:model_version": facts.plain(result.model.version),
        "radzoo:weights_sha256": result.model.weights,
    }
    for key, text in told.items():
        chunks.add_itxt(key, text, result.language)
    return chunks
