"""What all pages share: one file that loads nothing, its pictures inside, its look in page.css."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
_LARGEST_SVG = 600_000  # bytes; beyond it the PNG is the smaller and faster picture


def render(template: str, *, folder: Path = HERE, **values: Any) -> str:
    """A page as HTML; all that is put in is escaped. Its template may stand in another folder."""
    environment = Environment(
        loader=FileSystemLoader([folder, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def picture(folder: Path, name: str) -> str | None:
    """A figure as a data URI: the SVG, which stays sharp, unless it is very large.

    Returns:
        None where the folder has neither `name.svg` nor `name.png`.
    """
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    if svg.exists() and (svg.stat().st_size <= _LARGEST_SVG or not png.exists()):
        path, kind = svg, "image/svg+xml"
    elif png.exists():
        path, kind = png, "image/png"
    else:
        return None
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
