"""A run in MLflow: its spec as parameters, its epochs and test figures as metrics, and its files.

MLflow's folder of files is used, for it needs neither a server nor a database; MLflow keeps it
working behind a switch. `MLFLOW_TRACKING_URI` names another store. Weights, predictions and the
split stay where they are.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .run import RunDirectory

FOLDER = "mlruns"  # beside the runs
USE = "Research use only. Not a medical device; not validated for clinical use."
_ID = "mlflow.json"
_FILES = ("report.html", "metrics.json", "manifest.json", "spec.yaml", "history.csv")
_STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "pruned": "KILLED"}
_BATCH = 100  # parameters that MLflow takes at a time
_ENVIRONMENT = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # a server that is down may not hold up a run
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


class MLflow:
    """One run in MLflow, found again by the id that the run directory keeps.

    It appears with the first epoch. A run that goes on is the same one there, and no epoch is
    logged twice; one whose folder was removed is another.

    Args:
        run: the run directory.
        spec: resolved, as plain values.
    """

    name = "MLflow"

    def __init__(self, run: RunDirectory, spec: Mapping[str, Any]) -> None:
        self._run, self._spec = run, spec
        self._client: Any = None
        self._id = ""
        self._logged: set[tuple[str, int]] = set()

    def epochs(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Log the epochs that MLflow does not have."""
        self._open()
        for row in rows:
            figures = {key: value for key, value in row.items() if key != "epoch"}
            self._log(figures, row["epoch"])

    def close(self) -> None:
        """Log the test figures and the files, and say how the run ended."""
        self._open()
        manifest = self._run.read_json("manifest.json")
        try:
            if self._run.is_finished:
                self._log(dict(_test(self._run.read_json("metrics.json"))), step=0)
            for file, folder in _files(self._run.path):
                self._client.log_artifact(self._id, str(file), folder)
            self._tag(manifest)
        finally:
            self._client.set_terminated(self._id, _STATUS.get(manifest["state"], "FAILED"))

    def _open(self) -> None:
        """Find or make the run; no other process of ours makes stores or experiments meanwhile."""
        if self._client:
            return
        out = self._run.path.parents[1]
        with open(out / ".mlflow", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._client = _connect(out / FOLDER)
            manifest = self._run.read_json("manifest.json")
            found = self._find() or self._create(manifest["spec"])
        self._id = found.info.run_id
        self._run.write_json(_ID, {"run_id": self._id})
        self._client.update_run(self._id, status="RUNNING")
        self._logged = {
            (figure.key, figure.step)
            for key in found.data.metrics
            for figure in self._client.get_metric_history(self._id, key)
        }
        self._parameters(known=found.data.params)
        self._tag(manifest)

    def _find(self) -> Any:
        """The run whose id we kept; None where this store has no such run, or not any more."""
        from mlflow.exceptions import MlflowException

        if not (self._run / _ID).exists():
            return None
        try:
            found = self._client.get_run(self._run.read_json(_ID)["run_id"])
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return found if found.info.lifecycle_stage == "active" else None

    def _create(self, experiment: str) -> Any:
        known = self._client.get_experiment_by_name(experiment)
        number = known.experiment_id if known else self._client.create_experiment(experiment)
        return self._client.create_run(number, run_name=self._run.path.name)

    def _parameters(self, known: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        named = {re.sub(r"[^\w./: -]", "_", key): value for key, value in _flat(self._spec)}
        new = [Param(key, value) for key, value in named.items() if key not in known]
        for start in range(0, len(new), _BATCH):
            self._client.log_batch(self._id, params=new[start : start + _BATCH])

    def _tag(self, manifest: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(key, value) for key, value in _tags(manifest, self._run.path).items()]
        self._client.log_batch(self._id, tags=tags)

    def _log(self, figures: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        new = {key: value for key, value in figures.items() if (key, step) not in self._logged}
        metrics = [Metric(key, float(value), now, step) for key, value in new.items()]
        self._client.log_batch(self._id, metrics=metrics)
        self._logged |= {(key, step) for key in new}


def _connect(folder: Path) -> Any:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # it must stand before the import
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    from mlflow import MlflowClient

    return MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or folder.resolve().as_uri())


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The values of a spec by dotted key, as text; lists of plain values are one value."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        inner = enumerate(value)
    if not inner:
        yield key, value if isinstance(value, str) else json.dumps(value)
    for name, item in inner:
        yield from _flat(item, f"{key}.{name}" if key else str(name))


def _tags(manifest: Mapping[str, Any], folder: Path) -> dict[str, str]:
    synthetic = manifest["data"]["synthetic"]
    return {
        "run": f"{manifest['spec']}/{folder.name}",
        "state": manifest["state"],
        "backend": manifest["backend"],
        "device": manifest["device"]["used"],
        "synthetic": str(synthetic).lower(),
        "commit": manifest["git"].get("commit", "unknown"),
        "mlflow.note.content": f"{'SYNTHETIC images. ' * synthetic}{USE}",
    }


def _test(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures of the test side with their bounds, and of how many; none that is not known."""
    side = metrics["splits"]["test"]
    for name in "images", "patients", "positives":
        yield f"test_{name}", side[name]
    for name, estimate in side["metrics"].items():
        for key, suffix in ("value", ""), ("low", "_low"), ("high", "_high"):
            if estimate[key] is not None:
                yield f"test_{name}{suffix}", estimate[key]


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """What MLflow gets of a run directory, each with the folder it is put in there."""
    for name in _FILES:
        if (folder / name).exists():
            yield folder / name, None
    for plot in sorted(folder.glob("plots/*.png")):
        yield plot, "plots"
