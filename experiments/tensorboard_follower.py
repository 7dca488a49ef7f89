"""The epochs of a run as TensorBoard's event files: `train/` beside `validation/`.

A figure has the same tag on both sides, so TensorBoard draws the two as one pair of curves. The
files are written without TensorFlow, which TensorBoard's own writer would load.
"""

import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_SIDES = ("train", "validation")
_VALIDATION = "val_"
_NO_FIGURES = {"epoch", "phase", "seconds"}


class TensorBoard:
    """Event files in a folder, one on each side for every process; each epoch is there once."""

    name = "TensorBoard"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = ""
        self._written: dict[str, set[int]] = {}

    def epochs(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append the epochs that are not there, each with the time at which it ended.

        Those that ended unseen are dated as if there had been no pause since.
        """
        if not self._file:
            self._begin()
        ended = time.time() - sum(row["seconds"] for row in rows)
        for row in rows:
            ended += row["seconds"]
            for side, figures in _sides(row):
                if row["epoch"] not in self._written[side]:
                    self._append(side, _scalars(figures, row["epoch"], ended))

    def close(self) -> None:
        """Nothing to do: no file stays open."""

    def _begin(self) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._file = f"events.out.tfevents.{time.time():.6f}.radzoo"
        for side in _SIDES:
            folder = self._folder / side
            folder.mkdir(parents=True, exist_ok=True)
            self._written[side] = {step for path in folder.iterdir() for step in _steps(path)}
            self._append(side, Event(wall_time=time.time(), file_version="brain.Event:2"))

    def _append(self, side: str, event: Any) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with open(self._folder / side / self._file, "ab") as file:
            RecordWriter(file).write(event.SerializeToString())


def _steps(path: Path) -> Iterator[int]:
    """The epochs in an event file; the last may be torn, if its process was killed.

    A record is its length (8 bytes), a checksum (4), the event and its checksum (4).
    """
    from tensorboard.compat.proto.event_pb2 import Event

    data, at = path.read_bytes(), 0
    while at + 12 <= len(data):
        end = at + 12 + struct.unpack_from("<Q", data, at)[0]
        if end + 4 <= len(data):
            yield Event.FromString(data[at + 12 : end]).step
        at = end + 4


def _sides(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    figures = {key: value for key, value in row.items() if key not in _NO_FIGURES}
    measured = {key for key in figures if key.startswith(_VALIDATION)}
    yield "train", {key: value for key, value in figures.items() if key not in measured}
    yield "validation", {key.removeprefix(_VALIDATION): figures[key] for key in measured}


def _scalars(figures: Mapping[str, float], epoch: int, ended: float) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    return Event(wall_time=ended, step=epoch, summary=Summary(value=values))
