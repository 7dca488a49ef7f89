"""Where films lie: a folder for each file that was given, named by its content."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Films:
    """The films under one folder, which only the room's own user may enter.

    Args:
        home: of the room.
    """

    def __init__(self, home: Path) -> None:
        self._films, self._incoming = home / "films", home / "incoming"
        for folder in self._films, self._incoming:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def folder(self, film: str) -> Path:
        """Of a film by its name, 64 hex digits."""
        return self._films / film[:2] / film

    def incoming(self, study: str) -> Path:
        """Where a file waits until it is read."""
        return self._incoming / study

    def keep_incoming(self, study: str, content: bytes) -> None:
        """Write a file that is to be read; it is on the disk when this returns."""
        path = self.incoming(study)
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def path(self, film: str) -> Path:
        """Of the image itself, as `readers.read` takes it."""
        folder = self.folder(film)
        return folder / "film.dcm" if (folder / "film.dcm").exists() else folder / "film.png"

    def map_path(self, film: str, model: str, label: int) -> Path:
        """Of the heatmap of a class by a model: grey PNG, 255 the strongest evidence."""
        return self.folder(film) / f"map-{model[:16]}-{label}.png"

    def maps(self, film: str, model: str, classes: int) -> NDArray[np.float32]:
        """(classes, rows, columns) in [0, 1], over the whole film."""
        found = []
        for label in range(classes):
            with Image.open(self.map_path(film, model, label), formats=["PNG"]) as image:
                found.append(np.asarray(image, np.float32) / 255)
        return np.stack(found)

    def kept(self) -> Iterator[tuple[str, Path]]:
        """Films and files that wait, with their folders and paths; by film and by study."""
        yield from ((path.name, path) for path in self._films.glob("*/*"))
        yield from ((path.name, path) for path in self._incoming.iterdir())

    def remove(self, film: str) -> None:
        """Delete a film and all that was made of it."""
        shutil.rmtree(self.folder(film), ignore_errors=True)


def name_of(upload: bytes) -> str:
    """The name of a film: SHA-256 of the file that was given."""
    return hashlib.sha256(upload).hexdigest()
