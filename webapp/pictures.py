"""An uploaded PNG or JPEG becomes a film: grey, upright, without a word beside its pixels."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..preprocessing import readers
from . import guards, jpeg, png
from .shown import Values

_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright


class Film(NamedTuple):
    """What was made of an uploaded file.

    Attributes:
        image: float32 (rows, columns) in [0, 1], bone white, as `readers.read` gives it.
        values: uint8 or uint16 of the same shape, bone white, for a viewer.
        window: [centre, width] in units of `values`; None if the file tells none.
        facts: what is known of it, see `decoding.decode`.
    """

    image: NDArray[np.float32]
    values: Values
    window: list[float] | None
    facts: dict[str, Any]


def take(path: Path, data: bytes, kind: Literal["PNG", "JPEG"], out: Path) -> Film:
    """Decode a picture and write it as `film.png` into a folder.

    Raises:
        FilmRefused: it cannot be read whole, or is not what is read.
    """
    with guards.decoding(on_warning="error"):
        coding = png if kind == "PNG" else jpeg
        header = coding.inspect(data)
        guards.check_size(header.rows, header.columns)
        coding.check_whole(data)
        turned = header.exif and _turned(path)
        image = readers.read(path)
    depth: type[np.uint8 | np.uint16] = np.uint16 if header.bits == 16 else np.uint8
    values = np.rint(image * np.iinfo(depth).max).astype(depth)
    (out / "film.png").write_bytes(png.encode(values))
    notes = [*header.notes, *["turned"] * turned, *["cut_levels"] * (header.bits == 8)]
    told = dict.fromkeys(_UNKNOWN, "")
    facts = {"kind": kind, "bits": header.bits, **told, "orientation": None, "identified": False}
    return Film(image, values, None, {**facts, "notes": notes})


_UNKNOWN = (
    *("modality", "view", "body_part", "age", "sex", "study_date"),
    *("photometric", "burned_in"),
)


def _turned(path: Path) -> bool:
    with Image.open(path, formats=["PNG", "JPEG"]) as image:
        return image.getexif().get(_ORIENTATION, 1) in range(2, 9)
