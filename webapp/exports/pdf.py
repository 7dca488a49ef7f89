"""The report on a film, for print and for the record."""

import io
from collections.abc import Iterator
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pixels
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    HRFlowable,
    Image,
    KeepTogether,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from ..wording import number, percent, say
from . import caption, facts, picture, sheet
from .result import Bounds, Check, Result

_SIDE = 900  # pixels of a picture: 300 an inch and more
_TALLEST = 58 * mm
# a table names its letters even if it writes none, and Helvetica would not be embedded
_LETTERS = ("FONTNAME", (0, 0), (-1, -1), sheet.REGULAR)
_MARKS = {"good": "✓", "note": "•", "warning": "⚠"}


def pdf(result: Result) -> bytes:
    """A report on A4: what the model said, what that is worth, and what the doctor reads.

    The letters are embedded. What does not fit on a page goes on on the next; head and foot, with
    `research use only`, are on each. The same result gives the same bytes.
    """
    return sheet.printed(result, list(_story(result)))


def _story(result: Result) -> Iterator[Flowable]:
    if result.model.synthetic:
        yield from _strip(say(result.language, "exports.synthetic"))
    yield Paragraph(_safe(result.name), sheet.style(12.5, sheet.BOLD))
    rows, columns = result.size
    size = say(result.language, "exports.file_was", columns=columns, rows=rows, study=result.study)
    yield Paragraph(f"{_safe(size)}<br/>SHA-256 {result.upload}", sheet.style(8, colour=sheet.GREY))
    yield Spacer(0, 4 * mm)
    yield _finding(result)
    yield Spacer(0, 4 * mm)
    yield _pictures(result)
    yield from _scale(result)
    yield Spacer(0, 3 * mm)
    yield from _table(result)
    yield Spacer(0, 4 * mm)
    yield _conclusion(result)


def _strip(text: str) -> Iterator[Flowable]:
    look = sheet.style(9, sheet.BOLD, sheet.AMBER_INK)
    box = Table([[Paragraph(f"⚠ {_safe(text)}", look)]], [sheet.WIDTH])
    box.setStyle(
        TableStyle(
            [
                ("BOX", (0, 0), (-1, -1), 1.2, sheet.AMBER_INK),
                ("BACKGROUND", (0, 0), (-1, -1), sheet.AMBER),
                ("LEFTPADDING", (0, 0), (-1, -1), 3 * mm),
                _LETTERS,
            ]
        )
    )
    yield box
    yield Spacer(0, 4 * mm)


def _finding(result: Result) -> Flowable:
    """The percentage, large; beside it, what it means."""
    colour = sheet.ABOVE if result.is_above else sheet.BELOW
    score, threshold = facts.figures(result)
    said = say(result.language, "exports.threshold_was", threshold=threshold)
    raw = say(result.language, "exports.raw_score", value=score)
    verdict = f"{facts.call(result)}. {facts.below(result)}".strip()
    right = [
        Paragraph(_safe(verdict), sheet.style(12, sheet.BOLD, colour)),
        Paragraph(_safe(f"{raw} · {said}"), sheet.style()),
        Paragraph(_safe(_calibration(result)), sheet.style()),
        Paragraph(_safe(_measured(result)), sheet.style(colour=sheet.GREY)),
    ]
    left = [
        Paragraph(_safe(facts.percentage(result)), sheet.style(29, sheet.BOLD, colour)),
        Paragraph(_safe(facts.class_name(result, -1)), sheet.style(9, colour=sheet.GREY)),
    ]
    return _bare(Table([[left, right]], [sheet.LABELS, sheet.WIDTH - sheet.LABELS]))


def _calibration(result: Result) -> str:
    if result.calibrated is None:
        return say(result.language, "exports.not_calibrated")
    value = percent(result.language, result.calibrated, 1)
    name = facts.class_name(result, -1)
    return say(result.language, "exports.calibrated_was", name=name, value=value)


def _measured(result: Result) -> str:
    """How good the model is at its threshold, and on whom that was found."""
    images, patients = result.measured_on
    if not images:
        return say(result.language, "exports.not_measured")
    sensitivity = _rate(result, "sensitivity", result.sensitivity)
    specificity = _rate(result, "specificity", result.specificity)
    basis = say(result.language, "exports.measured_on", images=images, patients=patients)
    return f"{sensitivity}, {specificity}. {basis}"


def _rate(result: Result, what: str, bounds: Bounds | None) -> str:
    if bounds is None:
        return say(result.language, f"exports.{what}_unknown")
    value, low, high = (percent(result.language, bound) for bound in bounds)
    return say(result.language, f"exports.{what}_was", value=value, low=low, high=high)


def _pictures(result: Result) -> Flowable:
    """The film, and beside it the map of each class."""
    shown = picture.fitted(result.picture, _SIDE, _SIDE)
    pictures = [np.repeat(shown[..., None], 3, axis=2)]
    pictures += [picture.blended(shown, result.maps[label]) for label in result.labels]
    told = [f"<b>{say(result.language, 'exports.original')}</b>"]
    told += [_under(result, label) for label in result.labels]
    gap, count = 3 * mm, len(pictures)
    width = (sheet.WIDTH - gap * (count - 1)) / count
    drawn = [_drawn(caption.marked(one, facts.sides(result)), width) for one in pictures]
    under = [Paragraph(text, sheet.style(8)) for text in told]
    table = _bare(Table([drawn, under], [width + gap] * (count - 1) + [width], hAlign="LEFT"))
    table.setStyle(TableStyle([("RIGHTPADDING", (0, 0), (-2, -1), gap)]))
    return table


def _under(result: Result, label: int) -> str:
    name = _safe(say(result.language, "exports.map_of", name=facts.class_name(result, label)))
    value = number(result.language, result.probabilities[label], 3)
    told = _safe(say(result.language, "exports.probability_was", value=value))
    empty = picture.emptiness(result, label)
    return f"<b>{name}</b><br/>{told}" + (f"<br/><b>{_safe(empty)}</b>" if empty else "")


def _drawn(pixels: NDArray[np.uint8], width: float) -> Image:
    file = io.BytesIO()
    Pixels.fromarray(pixels).save(file, "JPEG", quality=92, subsampling=0)
    rows, columns = pixels.shape[:2]
    factor = min(width / columns, _TALLEST / rows)
    return Image(file, factor * columns, factor * rows, hAlign="LEFT")


def _scale(result: Result) -> Iterator[Flowable]:
    """The colour scale, lying, and what a map is and is not."""
    file = io.BytesIO()
    Pixels.fromarray(np.repeat(picture.scale(512)[None], 16, axis=0)).save(file, "PNG")
    look = sheet.style(8)
    cells = [Paragraph("0", look), Image(file, 38 * mm, 2.6 * mm), Paragraph("1", look)]
    cells.append(Paragraph(_safe(picture.meaning(result)), sheet.style(7.5, colour=sheet.GREY)))
    widths = [4 * mm, 41 * mm, 6 * mm, sheet.WIDTH - 51 * mm]
    yield Spacer(0, 1.5 * mm)
    yield _bare(Table([cells], widths), "MIDDLE")
    yield Spacer(0, 1 * mm)
    caveat = say(result.language, "general.map_caveat")
    yield Paragraph(_safe(caveat), sheet.style(9, sheet.BOLD))


def _table(result: Result) -> Iterator[Flowable]:
    """What else must be known, a label a row; a row may go on on the next page."""
    method = say(result.language, "exports.method_was", method=result.method)
    model = f"{result.model.title} · {result.model.version}\nSHA-256 {result.model.weights}"
    checks = "\n".join(_check(result, check) for check in result.checks)
    rows = {
        "reading": facts.verdict(result),
        "note": result.note or say(result.language, "exports.no_note"),
        "checks": checks or say(result.language, "exports.no_checks"),
        "maps": f"{result.map_worth} {method}",
        "model": model,
        "asked_by": result.user,
    }
    for key, text in rows.items():
        yield HRFlowable("100%", 0.6, color=sheet.RULE, spaceBefore=1.6 * mm, spaceAfter=1.2 * mm)
        yield from _row(say(result.language, f"exports.{key}"), text)


def _row(label: str, text: str) -> Iterator[Flowable]:
    """A label and beside it a text; a paragraph a line, so that the longest note can be split."""
    look = sheet.style(
        leftIndent=sheet.LABELS, bulletFontName=sheet.BOLD, bulletFontSize=9, allowWidows=0
    )
    for line in filter(str.strip, facts.plain(text).split("\n")):
        yield Paragraph(_safe(line), look, bulletText=label)
        label = ""


def _check(result: Result, check: Check) -> str:
    warned = check.level == "warning"
    text = say(result.language, "exports.warning", text=check.text) if warned else check.text
    return f"{_MARKS[check.level]} {text}"


def _conclusion(result: Result) -> Flowable:
    """A frame to write in by hand, never parted from its heading."""
    heading = Paragraph(say(result.language, "exports.conclusion"), sheet.style(9.5, sheet.BOLD))
    below = Paragraph(
        say(result.language, "exports.signature"), sheet.style(7.5, colour=sheet.GREY)
    )
    box = Table([[Spacer(0, 0)], [below]], [sheet.WIDTH], [19 * mm, 7 * mm])
    box.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.8, sheet.RULE), _LETTERS]))
    return KeepTogether([heading, Spacer(0, 1.5 * mm), box])


def _bare(table: Table, align: str = "TOP") -> Table:
    """A table that is nothing but places."""
    paddings = {"LEFTPADDING": 0, "RIGHTPADDING": 0, "TOPPADDING": 1, "BOTTOMPADDING": 1}
    whole = (0, 0), (-1, -1)
    style = [(name, *whole, value) for name, value in paddings.items()]
    table.setStyle(TableStyle([("VALIGN", *whole, align), *style, _LETTERS]))
    return table


def _safe(text: str) -> str:
    """Text that reportlab takes for text and not for its markup."""
    return escape(facts.plain(text))
