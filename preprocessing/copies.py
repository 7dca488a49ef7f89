"""De-identified copies of a folder of DICOM files."""

import os
import secrets
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError, RunError
from . import deidentify, dicom, dicom_check, dicom_tags, readers

_FEWEST = 32  # characters of a key
_UNKNOWN = "unknown"  # folder of those that name no patient


class Told(NamedTuple):
    """What became of one file.

    Attributes:
        source: its path below the folder that was copied.
        copy: that of its copy below the target; None if there is none.
        why: there is none.
        image: whether it is an image, which should have been copied.
        text: whether there may be text within the picture, which the copy then has too.
    """

    source: Path
    copy: Path | None = None
    why: str = ""
    image: bool = True
    text: bool = False


def key(path: Path) -> bytes:
    """The secret by which names are made, read from a file, or made and written there.

    Raises:
        RunError: the file cannot be read or written, or holds less than 32 characters.
    """
    try:
        if not path.exists():
            with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(secrets.token_hex(32) + "\n")
        value = path.read_bytes().strip()
    except OSError as error:
        raise RunError(f"{path} cannot be read or written: {error.strerror}.") from error
    if len(value) < _FEWEST:
        raise RunError(f"{path} holds {len(value)} characters; a key needs {_FEWEST} or more.")
    return value


def check(source: Path, target: Path, secret: Path) -> None:
    """Look whether a folder can be copied to another, before any key is made.

    Raises:
        DataError: the source is no folder, or what is needed is not installed.
        RunError: the target is no folder, one lies within the other, or the key within the
            target, which is to be shared.
    """
    if not all(map(find_spec, ("pydicom", "dicomanonymizer"))):
        raise DataError("De-identified copies need pip install 'radzoo[dicom]'.")
    if not source.is_dir():
        raise DataError(f"{source} is no folder; name the folder that holds the DICOM files.")
    if target.exists() and not target.is_dir():
        raise RunError(f"{target} is no folder; name a folder for the copies.")
    inner, outer = target.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise RunError(f"{source} and {target} lie within each other; name another target.")
    if secret.resolve().is_relative_to(inner):
        raise RunError(f"The key {secret} lies among the copies; keep it elsewhere: --key.")


def write(source: Path, target: Path, names: deidentify.Pseudonyms) -> Iterator[Told]:
    """Copy every grey image below a folder to `PATIENT/SOPInstanceUID.dcm`, in new names.

    Copies are uncompressed, and hold what `deidentify.pseudonymous` keeps. What is there
    already is never written over; done again with the same key, the same copies count as made.

    Yields:
        What became of each file, in the order of their paths.

    Raises:
        RunError: the target cannot be written.
    """
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield _one(path, path.relative_to(source), target, names)


def _one(path: Path, name: Path, target: Path, names: deidentify.Pseudonyms) -> Told:
    image = _is_dicom(path)
    try:
        file = dicom.opened(path)
        image = dicom_check.holds_picture(file)
        number = dicom.check(path, file)
        with dicom.explained(path):
            kept = deidentify.pseudonymous(file, dicom.decoded(file, number), names)
            data = deidentify.as_bytes(kept)
    except DataError as error:
        return Told(name, why=str(error).removeprefix(f"{path} "), image=image)
    copy = Path(str(kept.PatientID or _UNKNOWN)) / f"{kept.SOPInstanceUID}.dcm"
    if not _written(target / copy, data):
        return Told(name, why=f"there is another {copy}, perhaps of the same SOPInstanceUID")
    return Told(name, copy, text=dicom_tags.may_have_text(file))


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(132)
    except OSError:
        return True  # unknown: what may be an image is not passed over
    return readers.is_dicom(start) or readers.is_headless_dicom(start)


def _written(path: Path, data: bytes) -> bool:
    """Whether it is there now; of a write that fails nothing is left."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            try:
                file.write(data)
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        return path.read_bytes() == data
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}.") from error
    return True
