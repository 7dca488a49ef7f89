"""External validation: a finished run on images of other people, beside its internal test.

Nothing is chosen here. Weights, preprocessing and thresholds are those of the run.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import backends
from ..backends import Worker
from ..errors import DataError, SpecError
from ..preprocessing import Store
from . import prediction, provenance, requests
from .external_pair import Asked, Pair, prepare
from .run import RunDirectory
from .runner import Outcome

__all__ = ["Asked", "Pair", "evaluate", "prepare"]

Listener = Callable[[dict[str, Any]], None]


def evaluate(pair: Pair, tell: Listener) -> Outcome:
    """Predict the other images and measure them, or find it done.

    Args:
        pair: as `prepare` gives it.
        tell: takes events "stage" and "store".

    Returns:
        The folder `RUN/external/<dataset>-<hash>` and what its `metrics.json` holds: as of a run,
        with the external images as `splits.test`, and `external`: the run's internal test, the
        differences to it, and the overlap.

    Raises:
        DataError: people or images are on both sides and that is not said to be meant, or the
            images do not fit the model.
        BackendUnavailable, DeviceUnavailable, UnsupportedModel: as for a run.
        RunError: the folder cannot be written.
    """
    if not pair.asked.overlap_meant:
        pair.overlap.refuse()
    directory = RunDirectory(pair.folder)
    if directory.is_finished:
        return Outcome(directory.path, directory.read_json("metrics.json"), was_done=True)
    with directory.hold():
        try:
            metrics = _work(pair, directory, tell)
        finally:
            if not (directory / "manifest.json").exists():
                directory.discard()
    return Outcome(directory.path, metrics, was_done=False)


def _work(pair: Pair, directory: RunDirectory, tell: Listener) -> dict[str, Any]:
    plan = pair.plan
    tell({"event": "stage", "name": f"preprocessing {pair.cohort.dataset.name}"})
    images = prediction.preprocess(pair.cohort.dataset, plan.spec.preprocessing, tell)
    model = _model(pair, images)
    tell({"event": "stage", "name": f"starting {plan.backend}, device {plan.spec.device}"})
    with backends.connect(plan.backend, plan.spec.device, directory / "log.txt") as worker:
        manifest = _manifest(pair, worker)
        with _recorded(directory, manifest):
            tell({"event": "stage", "name": "predicting"})
            probabilities = _predict(pair, directory, worker, model, images)
            tell({"event": "stage", "name": "measuring"})
            return _measure(pair, directory, manifest, probabilities, images)


def _model(pair: Pair, images: Store) -> dict[str, Any]:
    try:
        model = requests.model(pair.plan, pair.cohort, images)
    except SpecError as error:
        raise DataError(
            f"The images of {pair.cohort.dataset.name!r} do not fit the model after the run's "
            f"own preprocessing. For a run that takes images of any size: {error}"
        ) from error
    if pair.run.finding is None:
        return model
    return {**model, "classes": pair.run.manifest["model"]["classes"], "several": True}


def _manifest(pair: Pair, worker: Worker) -> dict[str, Any]:
    plan = pair.plan
    return {
        "started": provenance.now(),
        "command": provenance.command(),
        "title": pair.title,
        "run": pair.run.name,
        "backend": plan.backend,
        "seed": plan.seed,
        **provenance.surroundings(worker, plan.spec.device),
        "data": requests.data_facts(pair.cohort),
        "weights_sha256": pair.run.manifest["weights_sha256"],
        "overlap": {**pair.overlap.as_dict(), "meant": pair.asked.overlap_meant},
    }


@contextmanager
def _recorded(directory: RunDirectory, manifest: Mapping[str, Any]) -> Iterator[None]:
    """Leave a manifest that says how it ended, if it does not end well."""
    try:
        yield
    except BaseException as error:
        said = str(error) or type(error).__name__
        directory.write_json("manifest.json", {**manifest, "state": "failed", "error": said})
        raise


def _predict(
    pair: Pair, directory: RunDirectory, worker: Worker, model: dict[str, Any], images: Store
) -> np.ndarray:
    weights, out = pair.run.weights, directory / ".probabilities.npy"
    batch_size = pair.plan.spec.training.batch_size
    try:
        found = prediction.predict(worker, model, weights, images, out, batch_size)
        if pair.run.finding is None:
            return found
        score = found[:, pair.run.manifest["finding_number"]]
        return np.stack([1 - score, score], axis=1)
    finally:
        out.unlink(missing_ok=True)


def _measure(
    pair: Pair,
    directory: RunDirectory,
    manifest: Mapping[str, Any],
    probabilities: np.ndarray,
    images: Store,
) -> dict[str, Any]:
    from . import external_measures, report  # Matplotlib and SciPy: seconds

    metrics = external_measures.measure(pair, probabilities, images, directory)
    whole = {**manifest, "state": "finished", "finished": provenance.now()}
    directory.write_json("manifest.json", whole)
    report.write(directory.path, metrics, whole)
    directory.write_json("metrics.json", metrics)
    return metrics
