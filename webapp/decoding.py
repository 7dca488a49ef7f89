"""A file of unknown worth becomes a film in a folder, or is refused with the reason.

Run it through `decoder.Decoder`, in a process of its own: decoders have holes.
"""

import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FilmRefused
from . import dicom, guards, pictures, shown

LONGEST_NAME = 120
_WHITE, _BLACK = 0.05, 0.40  # shares of pixels; of real chest films here at most 0.05 and 0.25
_BRIGHT, _FEW = 0.25, 0.005


def decode(
    path: Path, out: Path, keep_identifiers: bool
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Make a film of an uploaded file.

    Into `out` go `film.png` or `film.dcm` (`readers.read` gives of it what it gives of the file),
    `pixels.gz` (gzip of raw little-endian uint8 or uint16 (shown_rows, shown_columns), bone white,
    before the window), `thumbnail.jpg` (longest side 160), and of DICOM `header.json`.

    Args:
        path: what was uploaded; its name says nothing.
        out: a folder, made if it is not there; after a refusal it may hold a part.
        keep_identifiers: whether a DICOM header is kept as it came.

    Returns:
        The facts, JSON values: `kind` PNG, JPEG or DICOM; `rows`, `columns`, upright;
        `shown_rows`, `shown_columns`; `bits` stored; `depth` 8 or 16 of pixels.gz; `highest` value
        that occurs and `window` [centre, width], in units of pixels.gz; '' where unknown:
        `modality`, `view`, `body_part`, `age`, `sex`, `study_date`, `photometric`, `burned_in`;
        `orientation` [row, column] or None; `identified`; `notes`, codes of the sentences `film.*`.
        And the image: float32 (rows, columns) in [0, 1], bone white.

    Raises:
        FilmRefused: why it is not taken.
        OSError: `out` cannot be written.
    """
    guards.check_bytes(path.stat().st_size)
    data = path.read_bytes()
    kind = guards.kind(data)
    out.mkdir(exist_ok=True)
    if kind == "DICOM":
        film = dicom.take(path, data, out, keep_identifiers)
    else:
        film = pictures.take(path, data, kind, out)
    spread = shown.spread(film.values)
    _check_contrast(film.image, spread)
    window = _window(film, spread)
    shown_rows, shown_columns = shown.write(film.values, window, out)
    rows, columns = film.image.shape
    sizes = {"rows": rows, "columns": columns}
    sizes |= {"shown_rows": shown_rows, "shown_columns": shown_columns}
    depth = 8 * film.values.dtype.itemsize
    facts = {**film.facts, **sizes, "depth": depth, "highest": spread.highest, "window": window}
    facts["notes"] = film.facts["notes"] + _exposure(film.image)
    return facts, film.image


def label(name: str) -> str:
    """What is shown of a file's name: its last part, without characters that nobody sees.

    >>> label("..\\\\..\\\\thorax\\u202egnp.exe")
    'thoraxgnp.exe'
    """
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(one for one in last if _is_seen(one)).strip()
    if len(seen) > LONGEST_NAME:
        half = (LONGEST_NAME - 1) // 2
        seen = seen[: LONGEST_NAME - 1 - half] + "…" + seen[-half:]
    return seen if seen.strip(".") else "unnamed"


def _is_seen(one: str) -> bool:
    """Not a control character, an override of direction, or a line separator."""
    category = unicodedata.category(one)
    return category[0] != "C" and category not in ("Zl", "Zp")


def _check_contrast(image: NDArray[np.float32], spread: shown.Spread) -> None:
    least, greatest = float(image.min()), float(image.max())
    if np.isnan(least) or np.isnan(greatest):  # a scale of the header that is no number
        raise FilmRefused("damaged")
    if least == greatest or spread.least == spread.highest:
        raise FilmRefused("blank")


def _window(film: pictures.Film, spread: shown.Spread) -> list[float]:
    """The file's window if it shows some of the film, else one made of its values."""
    if film.window is None:
        return spread.window
    centre, width = film.window
    shows = centre - width / 2 < spread.high and centre + width / 2 > spread.low
    return film.window if shows else spread.window


def _exposure(image: NDArray[np.float32]) -> list[str]:
    white, black, bright = (
        np.count_nonzero(marked) / image.size
        for marked in (image >= 1, image <= 0, image > _BRIGHT)
    )
    notes = ["clipped"] * bool(white > _WHITE or black > _BLACK)
    return notes + ["dark"] * bool(bright < _FEW)
