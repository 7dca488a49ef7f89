"""The paper that a report is printed on: A4, its letters, its styles, its head and foot."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from ...version import __version__
from ..wording import say
from . import facts, typeface
from .result import Result

REGULAR, BOLD = "radzoo-regular", "radzoo-bold"
INK, GREY, RULE = HexColor("#17222b"), HexColor("#52606b"), HexColor("#d5dce2")
AMBER, AMBER_INK, BRAND = HexColor("#fdf1d3"), HexColor("#6b4300"), HexColor("#0f766e")
ABOVE, BELOW = (
    HexColor("#a83408"),
    HexColor("#0b5c9e"),
)  # told apart by the colour-blind, and in grey
LEFT, RIGHT = 18 * mm, A4[0] - 18 * mm
WIDTH = RIGHT - LEFT
LABELS = 42 * mm  # the column of labels


def style(size: float = 9, font: str = REGULAR, colour: Any = INK, **more: Any) -> ParagraphStyle:
    """How a paragraph looks; `more` are the names of reportlab's ParagraphStyle."""
    _install_letters()
    return ParagraphStyle(
        "text", fontName=font, fontSize=size, leading=1.38 * size, textColor=colour, **more
    )


def printed(result: Result, story: Sequence[Flowable]) -> bytes:
    """A PDF with a story on as many pages as it takes.

    The same result gives the same bytes: the file's date is the result's, not today's.
    """
    _install_letters()
    file = io.BytesIO()
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        title=say(result.language, "exports.report_of", name=facts.plain(result.name)),
        author=f"radzoo {__version__}",
        creator=f"radzoo {__version__}",
        subject=facts.research(result),
        lang=result.language,
        displayDocTitle=True,
        invariant=True,
        initialFontName=REGULAR,
    )
    room = Frame(LEFT, 24 * mm, WIDTH, A4[1] - 58 * mm, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[room]))
    document.build(list(story), canvasmaker=_numbered(result))
    return file.getvalue()


def _numbered(result: Result) -> type[Canvas]:
    """A canvas that draws the head and the foot once it knows how many pages there are."""

    class Numbered(Canvas):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.setDateFormatter(lambda *_: result.made.strftime("D:%Y%m%d%H%M%S+00'00'"))
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, state in enumerate(self._pages, start=1):
                self.__dict__.update(state)
                _draw_head(self, result)
                _draw_foot(self, result, page, len(self._pages))
                super().showPage()
            super().save()

    return Numbered


def _draw_head(canvas: Canvas, result: Result) -> None:
    top = A4[1] - 19 * mm
    _write(canvas, (LEFT, top), say(result.language, "general.app"), (17, BOLD, BRAND))
    tagline = say(result.language, "general.tagline")
    _write(canvas, (LEFT + 27 * mm, top), tagline, (9, REGULAR, GREY))
    _write(canvas, (RIGHT, top), facts.moment(result.made), (9, REGULAR, GREY))
    canvas.setFillColor(AMBER)
    canvas.roundRect(LEFT, top - 11 * mm, WIDTH, 7.5 * mm, 1.5 * mm, stroke=0, fill=1)
    use = facts.research(result)
    _write(canvas, (LEFT + 3 * mm, top - 8.4 * mm), use, (9.5, BOLD, AMBER_INK))


def _draw_foot(canvas: Canvas, result: Result, page: int, pages: int) -> None:
    canvas.setStrokeColor(RULE)
    canvas.line(LEFT, 19 * mm, RIGHT, 19 * mm)
    _, value = facts.figures(result)
    said = (
        f"radzoo {__version__}",
        facts.weights(result),
        say(result.language, "exports.threshold_was", threshold=value),
        facts.moment(result.made),
        say(result.language, "general.research_use_only"),
    )
    small = (7, REGULAR, GREY)
    _write(canvas, (LEFT, 15 * mm), facts.model(result), small)
    _write(canvas, (LEFT, 11 * mm), " · ".join(said), small)
    count = say(result.language, "exports.page_of", page=page, pages=pages)
    _write(canvas, (RIGHT, 11 * mm), count, small)


def _write(
    canvas: Canvas, place: tuple[float, float], text: str, look: tuple[float, str, Any]
) -> None:
    """Write a line; one at the right margin ends there."""
    size, font, colour = look
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    draw = canvas.drawRightString if place[0] == RIGHT else canvas.drawString
    draw(*place, text)


@cache
def _install_letters() -> None:
    pdfmetrics.registerFont(TTFont(REGULAR, typeface.path(bold=False)))
    pdfmetrics.registerFont(TTFont(BOLD, typeface.path(bold=True)))
    pdfmetrics.registerFontFamily(REGULAR, REGULAR, BOLD, REGULAR, BOLD)
