"""What stands around a picture, drawn into its pixels: a caption, the colour scale, the sides."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from . import typeface

WHITE, AMBER, _BACK, _STAGE = "#e8eaed", "#ffc447", "#15181c", "#000000"
_LEADING = 1.4  # distance between lines, in sizes of the letters


class Line(NamedTuple):
    """A line of a caption; one that is too long is broken."""

    text: str
    colour: str = WHITE
    bold: bool = False


def strip(lines: Sequence[Line], width: int) -> NDArray[np.uint8]:
    """A caption, (rows, width, 3): as high as it must be."""
    size = _letters(width)
    broken = [
        Line(text, line.colour, line.bold)
        for line in lines
        for text in _broken(line.text, _font(size, line.bold), width - 2 * size)
    ]
    height = round(size * (_LEADING * len(broken) + 1))
    image = Image.new("RGB", (width, height), _BACK)
    drawing = ImageDraw.Draw(image)
    for place, (text, colour, bold) in enumerate(broken):
        top = size * (0.6 + _LEADING * place)
        drawing.text((size, top), text, colour, _font(size, bold))
    return np.asarray(image)


def scale_width(width: int) -> int:
    """The columns that a frame needs for its colour scale."""
    return 5 * _letters(width)


def framed(
    picture: NDArray[np.uint8], scale: NDArray[np.uint8], under: NDArray[np.uint8], cutoff: str
) -> NDArray[np.uint8]:
    """A picture, its colour scale at the right, and a caption under both.

    Args:
        picture: (rows, columns, 3).
        scale: (cells, 3), of the shares 0 to 1.
        under: (rows, width, 3) from `strip`; the frame is as wide.
        cutoff: the share from which on the map is drawn, as it is written.
    """
    width, size = under.shape[1], _letters(under.shape[1])
    rows, columns = picture.shape[:2]
    height = max(rows, 8 * size)  # a flat picture leaves room for the scale all the same
    stage = Image.new("RGB", (width, height), _STAGE)
    left = (width - scale_width(width) - columns) // 2
    stage.paste(Image.fromarray(picture), (left, (height - rows) // 2))
    _draw_scale(stage, left + columns + size, scale, cutoff)
    return np.vstack([np.asarray(stage), under])


def marked(picture: NDArray[np.uint8], sides: tuple[str, str] | None) -> NDArray[np.uint8]:
    """A picture (rows, columns, 3) with letters at its left and right edge, if they are known."""
    if sides is None:
        return picture
    rows, columns = picture.shape[:2]
    size = max(10, max(rows, columns) // 26)
    image = Image.fromarray(picture)
    drawing = ImageDraw.Draw(image)
    for text, column, anchor in zip(
        sides, (size // 2, columns - 1 - size // 2), ("lm", "rm"), strict=True
    ):
        drawing.text(
            (column, rows // 2),
            text,
            WHITE,
            _font(size, bold=True),
            anchor,
            stroke_width=max(1, size // 10),
            stroke_fill=_STAGE,
        )
    return np.asarray(image)


def _draw_scale(stage: Image.Image, left: int, scale: NDArray[np.uint8], cutoff: str) -> None:
    size = _letters(stage.width)
    top, height = size, min(stage.height - 2 * size, 20 * size)
    bar = Image.fromarray(np.ascontiguousarray(scale[::-1, None])).resize((size, height))
    stage.paste(bar, (left, top))
    drawing = ImageDraw.Draw(stage)
    drawing.rectangle((left - 1, top - 1, left + size, top + height), outline=WHITE)
    shares = {"0": 0.0, cutoff: float(cutoff.replace(",", ".")), "1": 1.0}
    for text, share in shares.items():
        place = left + 1.5 * size, top + (1 - share) * height
        drawing.text(place, text, WHITE, _font(size, bold=False), "lm")


def _broken(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Text in lines that are not wider than `width` pixels, broken within words if need be."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        lines.append("")
        for letter in word:
            if font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


def _letters(width: int) -> int:
    """The size of the letters in a frame, in pixels."""
    return max(8, width // 62)


def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    # the basic layout is in every build of Pillow, so the same text is the same pixels
    return ImageFont.truetype(typeface.path(bold), size, layout_engine=ImageFont.Layout.BASIC)
