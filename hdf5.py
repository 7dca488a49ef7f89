"""What an HDF5 file of unknown worth may hold: arrays of its own, as large as it says.

HDF5 can name other files (external storage, virtual datasets, external links), claim arrays that
are not there, load filters from shared libraries, and lead round in circles. Each is refused
here, before an array is read.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import DataError

MOST_OBJECTS = 100_000  # groups and arrays; the largest application of Keras has some 3,000
DEEPEST = 32  # groups in groups
FLOOR = 64 * 2**20  # bytes; smaller claims need no proof
SPREAD = 100  # an array may be so many times what is stored of it
_FILTERS = (1, 2, 3, 32000)  # deflate, shuffle, Fletcher's checksum, and LZF, which h5py brings
MOST_TEXT = 2**26  # characters of an array of texts
_TEXTS = 64  # that are read at a time


def check(path: Path, most: int | None = None, texts: bool = False) -> None:
    """Look at everything that a file holds, and read no array.

    Args:
        path: of the file.
        most: bytes that all arrays together may claim; None for no other bound than `SPREAD`.
        texts: whether arrays of texts of any length are taken, to be read by `texts_of`.

    Raises:
        DataError: it is not HDF5, or holds what is not taken; the message names the object.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            claimed = sum(_claims(path, file, texts))
    except DataError:
        raise
    except Exception as error:  # damaged files make HDF5 and h5py raise almost anything
        raise DataError(
            f"{path} is no sound HDF5 file: {' '.join(str(error).split())[:300]}"
        ) from error
    if most is not None and claimed > most:
        raise DataError(f"{path} claims {claimed:,} bytes of arrays; {most:,} at most are taken.")


def texts_of(array: Any) -> list[str]:
    """The texts of an array (n,), a few at a time: many may be one long text by other names.

    Raises:
        DataError: they have more than `MOST_TEXT` characters together.
    """
    found: list[str] = []
    characters = 0
    for start in range(0, len(array), _TEXTS):
        found.extend(array.asstr()[start : start + _TEXTS])
        characters += sum(map(len, found[start:]))
        if characters > MOST_TEXT:
            raise DataError(f"{array.name!r} has more than {MOST_TEXT:,} characters of text.")
    return found


def _claims(path: Path, file: Any, texts: bool) -> Iterator[int]:
    """Bytes that each object claims, after a look at it."""
    import h5py

    waiting, seen = [(file, "", 0)], 0
    size = path.stat().st_size
    while waiting:
        held, name, depth = waiting.pop()
        seen += 1
        if seen > MOST_OBJECTS or depth > DEEPEST:
            raise DataError(
                f"{path} holds more than {MOST_OBJECTS:,} objects, more than {DEEPEST} levels "
                "deep, or leads round in circles. Such files are not read."
            )
        yield from _attributes(path, held, name, size)
        if isinstance(held, h5py.Dataset):
            yield _claim(path, held, name, texts)
        elif isinstance(held, h5py.Group):
            for key in held:
                if not isinstance(held.get(key, getlink=True), h5py.HardLink):
                    raise _refused(path, f"{name}/{key}", "is a link, perhaps to another file")
                waiting.append((held[key], f"{name}/{key}", depth + 1))


def _attributes(path: Path, held: Any, name: str, size: int) -> Iterator[int]:
    """An attribute is never compressed, so none is larger than its file."""
    import h5py

    for key in held.attrs:
        attribute = h5py.h5a.open(held.id, key.encode())
        claimed = math.prod(attribute.shape) * attribute.dtype.itemsize
        if claimed > size:
            raise _refused(path, f"{name}/{key}", f"claims {claimed:,} bytes, more than the file")
        yield claimed


def _claim(path: Path, array: Any, name: str, texts: bool) -> int:
    import h5py

    made = array.id.get_create_plist()
    if made.get_external_count():
        raise _refused(path, name, "is stored in another file")
    if array.is_virtual:
        raise _refused(path, name, "is put together from other files")
    if array.dtype.hasobject and not (texts and h5py.check_string_dtype(array.dtype)):
        raise _refused(path, name, "holds references or texts of any length, no numbers")
    filters = [made.get_filter(number)[0] for number in range(made.get_nfilters())]
    if not set(filters) <= set(_FILTERS):
        raise _refused(path, name, f"is packed by filter {filters}, only {_FILTERS} are unpacked")
    claimed = math.prod(array.shape or ()) * array.dtype.itemsize
    stored = array.id.get_storage_size()
    if claimed > FLOOR and claimed > SPREAD * stored:
        raise _refused(path, name, f"claims {claimed:,} bytes, and {stored:,} are stored")
    return claimed


def _refused(path: Path, name: str, why: str) -> DataError:
    return DataError(
        f"{path}: {name!r} {why}. Such files are not read. Write the arrays anew, into one file."
    )
