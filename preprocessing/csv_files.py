"""CSV files of unknown worth as text: all cells, and no more of them than memory bears."""

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LARGEST_BYTES = 2**30  # as text; a table of a million images has some hundred million
_BLOCK = 2**22
_GZIP = b"\x1f\x8b"


def read(file: Path, **how: Any) -> "pd.DataFrame":
    """Read a CSV (UTF-8, a header, perhaps .gz) as text; nothing is taken for missing.

    Args:
        file: what to read.
        how: more for `pandas.read_csv`.

    Raises:
        DataError: it is no CSV, or has more than `LARGEST_BYTES` of text.
    """
    import pandas as pd

    try:
        packed = _check_size(file)
        return pd.read_csv(
            file,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            compression="gzip" if packed else None,
            **how,
        )
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataError(
            f"{file} cannot be read as a CSV: {error}. It has to be text in UTF-8, as it is or "
            "packed by gzip."
        ) from error


def _check_size(file: Path) -> bool:
    """Whether a file is packed, after a look at how large it becomes."""
    with file.open("rb") as opened:
        packed = opened.read(2) == _GZIP
    length = file.stat().st_size
    if packed:
        length = 0
        with gzip.open(file) as unpacked:
            while length <= LARGEST_BYTES and (block := unpacked.read(_BLOCK)):
                length += len(block)
    if length > LARGEST_BYTES:
        raise DataError(
            f"{file} is too large: more than {LARGEST_BYTES:,} bytes of text. Split it, or take "
            "out columns that are not needed."
        )
    return packed
