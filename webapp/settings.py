"""How a reading room is set up: where it keeps its things, which runs it serves, what it allows."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

VARIABLE = "RADZOO_READING_ROOM"  # in the environment of the processes of a room: its settings


@dataclass(frozen=True)
class Settings:
    """Attributes:
    home: folder for films, the database and what is known of the models.
    runs: directories of finished runs, the first of which is shown first.
    database: URL as SQLAlchemy takes it.
    socket: of the analyst, a path of at most 100 characters.
    method: of the heatmaps.
    backend, device: in place of the runs'.
    https: whether people reach it through a proxy with TLS.
    keep_days: studies are deleted after so many days; 0 keeps them.
    keep_identifiers: whether DICOM headers are kept as they come.
    largest_mb: the largest file that is taken, in MB.
    most_studies: of one user at a time.
    files_a_minute, mb_a_minute: that one user may upload.
    files_at_once, all_at_once: that are taken of one user, and of all; fewer than the threads of
        a web process, see processes.py.
    first_key: opens the page on which the first account is made.
    """

    home: Path
    runs: tuple[Path, ...]
    database: str
    socket: Path
    method: str = "gradcam"
    backend: str | None = None
    device: str | None = None
    https: bool = False
    keep_days: int = 30
    keep_identifiers: bool = False
    largest_mb: int = 64
    most_studies: int = 5000
    files_a_minute: int = 600
    mb_a_minute: int = 2000
    files_at_once: int = 8
    all_at_once: int = 24
    first_key: str = ""

    def as_json(self) -> str:
        """For another process of the room."""
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `as_json` wrote."""
        values = json.loads(text)
        paths = {name: Path(values[name]) for name in ("home", "socket")}
        return cls(**{**values, **paths, "runs": tuple(map(Path, values["runs"]))})

    @classmethod
    def from_environment(cls) -> Self:
        """Those of the room that this process belongs to."""
        return cls.from_json(os.environ[VARIABLE])
