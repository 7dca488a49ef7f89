"""Where data lies: the current folder, then the folder that RADZOO_DATA names.

Data stays outside the repository, so specs give paths relative to either of the two.
"""

import os
from pathlib import Path

from ..errors import DataError

DATA = "RADZOO_DATA"
CACHE = "RADZOO_CACHE"


def find(path: str) -> Path:
    """The file or folder that an option of a dataset names.

    Raises:
        DataError: it is nowhere; the message names the places that were tried.
    """
    places = [Path.cwd(), *filter(None, [_data_folder()])]
    candidates = list(dict.fromkeys(place / Path(path).expanduser() for place in places))
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    raise DataError(
        f"There is no {path!r}; tried {' and '.join(map(str, candidates))}. Set {DATA} to the "
        "folder that holds the data, or give an absolute path."
    )


def cache_folder() -> Path:
    """Where arrays are kept between runs: RADZOO_CACHE, else the user's cache folder."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE]).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("radzoo"))


def _data_folder() -> Path | None:
    return Path(os.environ[DATA]).expanduser() if os.environ.get(DATA) else None
