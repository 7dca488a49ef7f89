"""What a run directory names: folders in it only, and code only if somebody here has said so.

In a spec of one's own, `module:function` is code of one's own. A run directory may come from
elsewhere, and its `spec.yaml` with it; were its word enough, whoever sends a run could have any
module imported. Registered names, those of installed plug-ins too, need no leave.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import RunError, SpecError
from .source import Key, Source

TRUSTED = "RADZOO_TRUSTED_CODE"  # addresses, with commas between
_KEYS: tuple[tuple[Key, str], ...] = (
    (("model", "architecture"), "architecture"),
    (("dataset", "name"), "dataset"),
    (("dataset",), "dataset"),
)


def refuse_code(spec: Source) -> None:
    """See that a run's spec names no code but what is trusted.

    Args:
        spec: of a run directory, not checked yet: to check it would import.

    Raises:
        SpecError: it names other code; the message says how to allow it. Or it has a grid, which
            could name code, too.
    """
    if isinstance(spec.data, dict) and spec.data.get("grid"):
        raise SpecError(
            f"{spec.place(('grid',))}: grid: the spec of a run directory is of one run and has no "
            "grid. A run is not written so; get it back, or repeat it."
        )
    allowed = {one.strip() for one in os.environ.get(TRUSTED, "").split(",")}
    for key, what, address in _named(spec):
        if address not in allowed:
            raise SpecError(
                f"{spec.place(key)}: {'.'.join(map(str, key))}: the run is of the {what} "
                f"{address!r}, which is code outside of radzoo. A run may come from elsewhere, so "
                f"its word does not have code imported. If you know this code, say so: "
                f"{TRUSTED}={address} before the command; or install it as a plug-in, whose name "
                "needs no leave."
            )


def inside(folder: Path, name: str) -> Path:
    """A folder that a file of a run names, which must lie in the run.

    Raises:
        RunError: it leads out, as `../..` or a link does: the run is not as it was written.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RunError(
            f"{folder} names the folder {name!r}, which leads out of it. A run is not written so; "
            "get it back, or repeat it."
        )
    return path


def _named(spec: Source) -> Iterator[tuple[Key, str, str]]:
    for key, what in _KEYS:
        value = spec.data
        for part in key:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str) and ":" in value:
            yield key, what, value
