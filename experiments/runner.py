"""The walk from a plan to a finished run directory."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import backends
from ..backends import Worker
from ..errors import DataError, Interrupted, Pruned, RadZooError, RunError
from ..preprocessing import Store, leaks
from . import data, prediction, provenance, requests, source, tracking
from .data import Cohort
from .plan import Plan
from .run import RunDirectory, unwritable

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Outcome:
    """Where a finished run is, and what it measured.

    Attributes:
        path: the run directory.
        metrics: what `metrics.json` holds.
        was_done: whether it had been finished before.
    """

    path: Path
    metrics: dict[str, Any]
    was_done: bool


@dataclass(frozen=True)
class _Walk:
    """What every step of one run needs; the manifest grows on the way."""

    plan: Plan
    cohort: Cohort
    run: RunDirectory
    tell: Listener
    manifest: dict[str, Any] = field(default_factory=dict)

    def stage(self, name: str) -> None:
        self.tell({"event": "stage", "name": name})

    @property
    def scratch(self) -> Path:
        """Files of the way; gone when the run is finished.

        Named by our process: the worker of one that was killed may still write to its own.
        """
        return self.run / f".work-{os.getpid()}"

    def record(self, **facts: Any) -> None:
        self.manifest.update(facts)
        self.run.write_json("manifest.json", self.manifest)

    def close(self, state: str, error: str) -> None:
        with suppress(RunError):  # the disk may be full, which is then what `error` says
            self.record(state=state, error=error, finished=provenance.now())


def run(plan: Plan, out: Path, tell: Listener) -> Outcome:
    """Do a run, continue it from its last state, or find it done.

    Args:
        plan: what to run.
        out: folder of all runs.
        tell: takes events: {"event": "stage", "name": ...}, "run" with its folder,
            "store" with images done, and those of the worker.

    Raises:
        UserError: before any work, if the data, the device or the folder cannot be had.
        Failure: the work went wrong; the run directory says so and does not look finished.
        Interrupted: Ctrl-C; the same command continues from the last epoch.
        Pruned: `tell` raised it; so does the same command.
    """
    tracking.require(plan)
    tell({"event": "stage", "name": f"reading {plan.spec.dataset.name}"})
    cohort = _load(plan)
    directory = RunDirectory(out / plan.folder(cohort.dataset.content))
    tell({"event": "run", "folder": str(directory.path), "settings": plan.settings})
    if is_done(plan, directory):
        return _found(directory)
    with directory.hold():
        if directory.is_finished:  # by another process since we looked, or measured otherwise
            return _measured(plan, directory, tell)
        try:
            with tracking.followed(plan, directory, tell) as listener:
                return _begin(_Walk(plan, cohort, directory, listener))
        finally:
            if not (directory / "manifest.json").exists():
                directory.discard()


def is_done(plan: Plan, directory: RunDirectory) -> bool:
    """Whether a run is finished, and measured as its spec asks."""
    if not directory.is_finished:
        return False
    asked = plan.spec.evaluation.model_dump(mode="json")
    return source.read(directory / "spec.yaml").data.get("evaluation") == asked


def _load(plan: Plan) -> Cohort:
    """Get the data, and refuse at once what they already tell to be wrong with the spec."""
    try:
        cohort = data.load(plan.spec.dataset)
    except DataError as error:
        raise DataError(f"{plan.place('dataset')}: {error}") from error
    requests.class_weight(plan, cohort)
    return cohort


def _found(directory: RunDirectory) -> Outcome:
    return Outcome(directory.path, directory.read_json("metrics.json"), was_done=True)


def _measured(plan: Plan, directory: RunDirectory, tell: Listener) -> Outcome:
    """A finished run as the spec's `evaluation` asks, from its saved predictions."""
    from . import remeasure

    if is_done(plan, directory):
        return _found(directory)
    tell({"event": "stage", "name": "measuring again, as evaluation asks; nothing is trained"})
    metrics = remeasure.remeasure(directory, plan.spec.evaluation)
    return Outcome(directory.path, metrics, was_done=False)


def _begin(walk: _Walk) -> Outcome:
    """Get the device first: nothing else is done for a run that cannot have it."""
    spec, began = walk.plan.spec, time.monotonic()
    walk.stage(f"starting {walk.plan.backend}, device {spec.device}")
    log = walk.run / "log.txt"
    with backends.connect(walk.plan.backend, spec.device, log) as worker, _recorded(walk):
        _record_start(walk, worker)
        metrics = _work(walk, worker)
        wall_time_s = round(time.monotonic() - began, 1)
        walk.manifest.update(state="finished", finished=provenance.now(), wall_time_s=wall_time_s)
        _report(walk, metrics)
        walk.record()
        shutil.rmtree(walk.scratch)
        walk.run.write_json("metrics.json", metrics)
    return Outcome(walk.run.path, metrics, was_done=False)


@contextmanager
def _recorded(walk: _Walk) -> Iterator[None]:
    """Write into the manifest how the work ended, if it did not end well."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted):
        message = f"What is done is in {walk.run.path}; the same command continues it."
        walk.close("interrupted", message)
        raise Interrupted(f"Interrupted. {message}") from None
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        walk.close("interrupted", "nobody reads the output any more")
        raise
    except Pruned as error:
        walk.close("pruned", str(error))
        raise
    except RadZooError as error:
        walk.close("failed", str(error))
        raise
    except OSError as error:
        told = unwritable(walk.run.path, error)
        walk.close("failed", str(told))
        raise told from error


def _record_start(walk: _Walk, worker: Worker) -> None:
    plan, cohort = walk.plan, walk.cohort
    spec = plan.spec.model_dump(mode="json")
    walk.run.write("spec.yaml", requests.as_yaml(spec))
    walk.run.write("packages.txt", provenance.packages())
    split = walk.run.write_csv("split.csv", requests.split_rows(cohort))
    walk.record(
        state="running",
        started=provenance.now(),
        command=provenance.command(),
        title=plan.spec.title,
        spec=plan.name,
        settings=plan.settings,
        seed=plan.seed,
        backend=plan.backend,
        **provenance.surroundings(worker, plan.spec.device, plan.spec.training.precision),
        data=requests.data_facts(cohort),
        split={"sha256": split, "sides": cohort.summary(), "by_patient": cohort.by_patient},
    )


def _work(walk: _Walk, worker: Worker) -> dict[str, Any]:
    walk.scratch.mkdir(exist_ok=True)
    images = _preprocess(walk)
    model = requests.model(walk.plan, walk.cohort, images)
    feed = {"images": str(images.path), "scale": images.scale}
    _build(walk, worker, model)
    _train(walk, worker, model, feed)
    probabilities = _predict(walk, worker, model, images)
    return _measure(walk, probabilities, images)


def _preprocess(walk: _Walk) -> Store:
    walk.stage("preprocessing")
    steps = walk.plan.spec.preprocessing
    images = prediction.preprocess(walk.cohort.dataset, steps, walk.tell)
    found = leaks.on_two_sides(images.images(), walk.cohort.sides)
    if found:
        walk.tell({"event": "note", "text": leaks.note(found)})
        walk.manifest["data"]["notes"].append(leaks.note(found))
    walk.record(store={"sha256": images.sha256, "dtype": images.dtype, "shape": images.shape})
    return images


def _build(walk: _Walk, worker: Worker, model: dict[str, Any]) -> None:
    walk.stage(f"building {model['architecture']}")
    start, graph = walk.plan.spec.model.weights, walk.scratch / "graph.json"
    built = worker.ask(
        "build",
        model=model,
        seed=walk.plan.seed,
        graph=str(graph),
        weights=str(walk.scratch / "initial.safetensors"),
        start=start,
    )
    if started := built.get("started"):
        taken, layers = started["layers_taken"], started["layers_with_weights"]
        walk.tell({"event": "note", "text": f"{start}: {taken} of {layers} layers start from it"})
    walk.run.adopt(graph, "graph.json")
    sha256 = requests.digest(walk.run / "graph.json")
    walk.record(model={**model, **built, "started_from": start}, graph_sha256=sha256)


def _train(walk: _Walk, worker: Worker, model: dict[str, Any], feed: dict[str, Any]) -> None:
    walk.stage("training")
    history: list[dict[str, Any]] = []

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "resumed":
            history[:] = event["history"]
        if event["event"] == "epoch":
            history.append({k: v for k, v in event.items() if k not in ("event", "epochs")})
            walk.run.write_csv("history.csv", history)
        walk.tell(event)

    labels, weights = walk.scratch / "labels.npy", walk.scratch / "weights.safetensors"
    np.save(labels, requests.labels(walk.cohort))
    done = worker.ask(
        "train",
        listen,
        model=model,
        weights=str(walk.scratch / "initial.safetensors"),
        data={**feed, "labels": str(labels)},
        plan=requests.training(walk.plan, walk.cohort, walk.run),
        out=str(weights),
    )
    walk.run.adopt(weights, "weights.safetensors")
    walk.run.write_csv("history.csv", done.pop("history"))
    walk.record(weights_sha256=requests.digest(walk.run / "weights.safetensors"), **done)


def _predict(walk: _Walk, worker: Worker, model: dict[str, Any], images: Store) -> np.ndarray:
    """Probabilities (images, classes) of the whole dataset, by the weights that are kept."""
    walk.stage("predicting")
    weights, out = walk.run / "weights.safetensors", walk.scratch / "probabilities.npy"
    batch_size = walk.plan.spec.training.batch_size
    return prediction.predict(worker, model, weights, images, out, batch_size)


def _measure(walk: _Walk, probabilities: np.ndarray, images: Store) -> dict[str, Any]:
    from . import assessment, several  # Matplotlib and SciPy: seconds no run need begin with

    walk.stage("measuring")
    assess = several.assess if walk.cohort.findings else assessment.assess
    return assess(walk.plan.spec, walk.cohort, probabilities, walk.run, images)


def _report(walk: _Walk, metrics: dict[str, Any]) -> None:
    from . import assessment, several

    if walk.cohort.findings:
        several.write_reports(walk.run, walk.manifest, metrics)
    assessment.write_report(walk.run, walk.manifest, metrics)
