"""The run directories that somebody names: those that are finished, and why the others are not."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import RunError, SpecError
from ..evaluation import Predictions
from . import source
from .requests import digest

STUDY = "study.json"


@dataclass(frozen=True)
class Finished:
    """A run that went to its end, read back.

    Args:
        folder: the run directory.
        spec: `spec.yaml`.
        manifest: `manifest.json`.
        metrics: `metrics.json`.
    """

    folder: Path
    spec: dict[str, Any]
    manifest: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def name(self) -> str:
        """What people know it by: its folder, and of a finding also that of the run."""
        folder = self.folder.resolve()
        return f"{folder.parents[1].name}, {self.finding}" if self.finding else folder.name

    @property
    def seed(self) -> int:
        """The seed of its training."""
        return int(self.manifest["seed"])

    @property
    def several(self) -> bool:
        """Whether it tells findings of which an image may have several."""
        return "findings" in self.metrics

    @property
    def finding(self) -> str | None:
        """Which finding of a run this is the folder of; None for a run."""
        return self.manifest.get("finding")

    @property
    def weights(self) -> Path:
        """`weights.safetensors`; that of the run, for a finding of it."""
        home = self.folder.resolve().parents[1] if self.finding else self.folder
        return home / "weights.safetensors"

    @property
    def split(self) -> str:
        """SHA-256 of which image is on which side."""
        return str(self.manifest["split"]["sha256"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """`predictions.csv`: split, id, patient (empty where unknown), label and probability."""
        path = self.folder / "predictions.csv"
        try:
            columns = ["split", "id", "patient", "label", "probability"]
            table = pd.read_csv(path, usecols=columns, dtype=str, keep_default_na=False)
            return table.astype({"probability": float})  # exact, as not every pandas reads
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}.") from error

    @property
    def ids(self) -> list[str]:
        """Of the test images, in order."""
        return self.table["id"][self.table["split"] == "test"].tolist()

    @property
    def predictions(self) -> Predictions:
        """Of the test images; an image whose patient is not known is its own."""
        return self.predictions_of("test")

    def predictions_of(self, side: str) -> Predictions:
        """Of the images of a side; an image whose patient is not known is its own."""
        table = self.table[self.table["split"] == side]
        own = "image " + table["id"]
        return Predictions(
            (table["label"] == self.metrics["positive_class"]).to_numpy(),
            table["probability"].to_numpy(),
            table["patient"].where(table["patient"] != "", own),
        )

    def checked_weights(self) -> Path:
        """`weights.safetensors`, found to be what the run was finished with.

        Raises:
            RunError: it is not.
        """
        return _unchanged(self.weights, self.manifest.get("weights_sha256"))

    def checked_graph(self) -> Path:
        """`graph.json`, likewise; a run from before its hash was written down is believed.

        Raises:
            RunError: it is not.
        """
        path = self.weights.with_name("graph.json")
        return _unchanged(path, self.manifest.get("graph_sha256") or _digest(path))

    @property
    def history(self) -> pd.DataFrame:
        """`history.csv`: a row an epoch."""
        path = self.folder / "history.csv"
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}.") from error


def _unchanged(path: Path, expected: Any) -> Path:
    found = _digest(path)
    if found != expected:
        raise RunError(
            f"{path} is not what the run was finished with: its SHA-256 begins {found[:12]}, "
            f"that in manifest.json {str(expected)[:12]}. Get the file back, or repeat the run."
        )
    return path


def _digest(path: Path) -> str:
    try:
        return digest(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class LeftOut:
    """A run that cannot be compared, and why.

    Args:
        name: of its folder, or what tells it apart where it never had one.
        state: as its manifest or the study says.
        why: the error, if any.
    """

    name: str
    state: str
    why: str


@dataclass(frozen=True)
class Found:
    """What was found under the paths that were named.

    Args:
        runs: the finished ones.
        left_out: all others.
        in_order: whether somebody put them in order: by naming each, or in a study.
    """

    runs: tuple[Finished, ...]
    left_out: tuple[LeftOut, ...]
    in_order: bool


def one(path: Path) -> Finished:
    """Read the one run under a path, which tells two classes apart: or a finding of a run.

    Raises:
        RunError: as for `find`, or there are several, or it tells several findings.
    """
    run = whole(path)
    refuse_several([run])
    return run


def refuse_several(runs: Sequence[Finished]) -> None:
    """See that runs tell two classes apart.

    Raises:
        RunError: one tells several findings; a finding of it is named instead.
    """
    for run in runs:
        folders = [found["folder"] for found in run.metrics.get("findings", {}).values()
                   if "folder" in found]  # fmt: skip
        if run.several:
            raise RunError(
                f"{run.folder} tells several findings, and this is of one. Name the folder of one "
                f"of its {len(folders)}, such as {run.folder / folders[0]}."
            )


def whole(path: Path) -> Finished:
    """Read the one run under a path, whatever it tells.

    Raises:
        RunError: as for `find`, or there are several.
    """
    runs = find([path]).runs
    if len(runs) > 1:
        names = ", ".join(run.folder.name for run in runs[:3])
        raise RunError(f"{path} holds {len(runs)} runs; name one of them: {names}.")
    return runs[0]


def find(paths: Sequence[Path]) -> Found:
    """Read the runs under paths, each a run directory or a folder of run directories.

    Raises:
        RunError: a path holds no run, a file is damaged, or no run is finished.
    """
    found: dict[Path, Finished | LeftOut] = {}
    for path in paths:
        for folder, one in _under(path):
            found.setdefault(folder.resolve(), one)
    runs = tuple(one for one in found.values() if isinstance(one, Finished))
    left_out = tuple(one for one in found.values() if isinstance(one, LeftOut))
    if not runs:
        states = "; ".join(f"{one.name}: {one.state} {one.why}".strip() for one in left_out)
        raise RunError(
            f"None of these runs is finished: {states}. Finish them by `run` or `sweep`."
        )
    return Found(runs, left_out, all(_is_run(path) or (path / STUDY).exists() for path in paths))


def _under(path: Path) -> Iterable[tuple[Path, Finished | LeftOut]]:
    if _is_run(path):
        return [(path, _read(path))]
    folders = sorted(file.parent for file in path.glob("*/manifest.json"))
    if (path / STUDY).exists():
        return _of_study(path, folders)
    if not folders:
        raise RunError(
            f"{path} is no run directory and holds none. Name a run directory, or the folder of a "
            "study: runs/<name of the spec>."
        )
    return [(folder, _read(folder)) for folder in folders]


def _of_study(path: Path, folders: list[Path]) -> Iterable[tuple[Path, Finished | LeftOut]]:
    """The runs of the latest sweep in its order; those of earlier ones are left out."""
    listed = [entry for entry in _json(path / STUDY)["runs"]]
    names = {entry["folder"] for entry in listed}
    for number, entry in enumerate(listed):
        folder = path / (entry["folder"] or f"run {number}")
        yield folder, _read(folder) if folder in folders else _never_begun(entry)
    for folder in folders:
        if folder.name not in names:
            yield folder, LeftOut(folder.name, "not in the latest sweep", "name it to compare it")


def _never_begun(entry: dict[str, Any]) -> LeftOut:
    name = ", ".join(f"{key} {value}" for key, value in entry["settings"].items())
    return LeftOut(entry["folder"] or name, entry["state"], entry["error"])


def _is_run(path: Path) -> bool:
    return (path / "manifest.json").exists()


def _read(folder: Path) -> Finished | LeftOut:
    manifest = _json(folder / "manifest.json")
    if not (folder / "metrics.json").exists():
        state = manifest.get("state", "unknown")
        state = "running, or killed" if state == "running" else state
        return LeftOut(folder.name, state, manifest.get("error") or "")
    try:
        spec = source.read(folder / "spec.yaml").data
    except SpecError as error:
        raise RunError(f"{folder} cannot be used: {error}") from error
    metrics = _json(folder / "metrics.json")
    if not isinstance(spec, dict):
        raise RunError(f"{folder / 'spec.yaml'} holds no keys, so it is no run's spec.")
    return Finished(folder, spec, manifest, metrics)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise RunError(f"{path} holds no keys; it is not as a run writes it.")
    return found
