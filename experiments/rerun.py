"""A run done again from what it recorded of itself, and how far the two agree."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import backends
from ..errors import DataError, RunError, SpecError
from . import agreement, data, provenance, requests, runner, source, surroundings, trust
from .data import Cohort
from .finished import Finished
from .plan import Plan, plans
from .run import RunDirectory, as_csv

RESULT = "rerun.json"
# Where a run's files are may be told anew: their hashes tell whether they are the same.
PLACES = ("dataset.options.", "dataset.leave_out", "model.weights")
_NEEDED: dict[str, type] = {
    "spec": str,
    "backend": str,
    "seed": int,
    "threads": int,
    "device.used": str,
    "data.content_sha256": str,
    "split.sha256": str,
}

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Asked:
    """What is to be done again.

    Args:
        run: its directory; it may be unfinished, if it did an epoch.
        out: folder of the new run's spec; None means `rerun/` in the run's own.
        overrides: `a.b=value` each, of keys that begin as `PLACES`.
    """

    run: Path
    out: Path | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repeated:
    """A run that was done again.

    Args:
        path: directory of the new run.
        was_done: whether it had been done before.
        found: what its `rerun.json` holds: see `agreement.of`; and `run`, `state` (of the first),
            `compared` (when), `tolerance`, `surroundings` (see `surroundings.Difference`).
    """

    path: Path
    was_done: bool
    found: dict[str, Any]


def rerun(asked: Asked, tell: Listener) -> Repeated:
    """Train again as a run says that it was trained, and compare.

    Where this machine has more cores than the run had threads, it is held to as many.

    Args:
        tell: takes the events of `runner.run`, and before them "surroundings" with `differences`.

    Raises:
        RunError: the run's files are missing or damaged, or `out` holds the run itself.
        SpecError: its spec cannot be run here, or an override is of another key.
        DataError: the data cannot be read, or are not those it had.
        RadZooError: as for `runner.run`.
    """
    first = RunDirectory(asked.run)
    manifest = _manifest(first)
    plan = _plan(asked, manifest)
    cohort = _same_data(first, plan, manifest)
    with _held_to(manifest["threads"], tell):
        plan, now = _now(plan, cohort, manifest["device"]["used"])
        out = asked.out or first / "rerun"
        directory = _apart(out / plan.folder(cohort.dataset.content), first)
        if directory.is_finished:
            now = directory.read_json("manifest.json")
        found = surroundings.differences(manifest, now)
        tell({"event": "surroundings", "differences": [one._asdict() for one in found]})
        outcome = runner.run(plan, out, tell)
    return Repeated(outcome.path, outcome.was_done, _compare(first, directory))


def _manifest(run: RunDirectory) -> dict[str, Any]:
    """What the run recorded, found to be whole; and its weights, found to be its own."""
    manifest = run.read_json("manifest.json")
    if isinstance(manifest, dict) and "finding" in manifest:
        home = run.path.resolve().parents[1]
        raise RunError(f"{run.path} is one finding of a run. Name the run: {home}.")
    wrong = [key for key, kind in _NEEDED.items() if not isinstance(_at(manifest, key), kind)]
    if wrong:
        raise RunError(
            f"{run / 'manifest.json'} does not say {', '.join(wrong)}: it is damaged, or not that "
            "of a run. Name a directory that `run` or `sweep` made."
        )
    if run.is_finished and (run / "weights.safetensors").exists():
        Finished(run.path, {}, manifest, {}).checked_weights()
    elif not run.is_finished and not (run / "history.csv").exists():
        raise RunError(
            f"{run.path} ended before its first epoch, so there is nothing to compare with; its "
            f"state is '{manifest.get('state')}'. Do it by `run {run / 'spec.yaml'}`."
        )
    return manifest


def _at(values: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _plan(asked: Asked, manifest: Mapping[str, Any]) -> Plan:
    """The run as its resolved spec has it, but told to nobody else."""
    _refuse_changes(asked.overrides)
    spec = asked.run / "spec.yaml"
    trust.refuse_code(source.read(spec))
    found = plans(spec, [*asked.overrides, "tracking=null", "tensorboard=false"])
    told = [(one.backend, one.seed) for one in found]
    if told != [(manifest["backend"], manifest["seed"])]:
        raise RunError(
            f"{spec} asks for {told}, and manifest.json beside it is of backend "
            f"{manifest['backend']} and seed {manifest['seed']}: they are not of one run."
        )
    return replace(found[0], name=_folder_name(manifest["spec"]))


def _folder_name(said: str) -> str:
    """What the spec was called, as the name of a folder: it may be a stranger's word."""
    name = Path(said).name if said.isprintable() else ""
    return "run" if name in ("", "..") else name


def _refuse_changes(overrides: Sequence[str]) -> None:
    wrong = [one for one in overrides if not one.startswith(PLACES)]
    if wrong:
        raise SpecError(
            f"A rerun changes nothing of a run, so it cannot take {', '.join(wrong)}. Where its "
            "files are may be told anew: dataset.options.*, dataset.leave_out, model.weights. "
            "Another run is done by `run`."
        )


def _same_data(run: RunDirectory, plan: Plan, manifest: Mapping[str, Any]) -> Cohort:
    was = manifest["data"]
    try:
        cohort = data.load(plan.spec.dataset)
    except DataError as error:
        raise DataError(
            f"The data of {run.path} cannot be read: {error}\nIf they are elsewhere now: "
            "--set dataset.options.NAME=VALUE."
        ) from error
    now = requests.data_facts(cohort)
    if now["content_sha256"] != was["content_sha256"]:
        raise DataError(
            f"{run.path} was done on other data. It had {_named(was)}; found: {_named(now)}. Get "
            "back what it had (--set dataset.options.NAME=VALUE, if it is elsewhere); on other "
            "data it is another run, to be done by `run`."
        )
    return cohort


def _named(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts.get('name')}, {facts.get('images')} images of {facts.get('patients')} patients, "
        f"SHA-256 {facts['content_sha256'][:12]}"
    )


@contextmanager
def _held_to(threads: int, tell: Listener) -> Iterator[None]:
    """Hold this process and those that it starts to as many cores as a run had threads.

    Every framework takes as many threads as it may have cores.
    """
    mine = os.sched_getaffinity(0)
    if not 0 < threads < len(mine):
        yield
        return
    tell({"event": "note", "text": f"held to {threads} of {len(mine)} cores, as the run was"})
    os.sched_setaffinity(0, random.sample(sorted(mine), threads))
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _now(plan: Plan, cohort: Cohort, used: str) -> tuple[Plan, dict[str, Any]]:
    """The plan with the device that was used, if it is here; and what will surround the run."""
    asked, precision = plan.spec.device, plan.spec.training.precision
    with backends.connect(plan.backend, asked) as worker:
        found = provenance.surroundings(worker, asked, precision)
    if found["device"]["used"] != used and used in found["device"]["found"]:
        plan = replace(plan, spec=plan.spec.model_copy(update={"device": used}))
        with backends.connect(plan.backend, used) as worker:
            found = provenance.surroundings(worker, used, precision)
    split = hashlib.sha256(as_csv(requests.split_rows(cohort))).hexdigest()
    start = plan.spec.model.weights
    model = start and {"started_from": start, "started": {"sha256": _digest(Path(start))}}
    facts = {"data": requests.data_facts(cohort), "split": {"sha256": split}, "model": model}
    return plan, {**found, **facts}


def _digest(start: Path) -> str | None:
    """Of the file of weights to start from; None for a name, or what the worker will look for."""
    files = [path for path in (start, start / "weights.safetensors") if path.is_file()]
    return requests.digest(files[0]) if files else None


def _apart(path: Path, first: RunDirectory) -> RunDirectory:
    if path.resolve() == first.path.resolve():
        raise RunError(f"{path} is the run itself. Choose another folder with --out.")
    return RunDirectory(path)


def _compare(first: RunDirectory, again: RunDirectory) -> dict[str, Any]:
    was, now = (run.read_json("manifest.json") for run in (first, again))
    found = {
        "run": first.path.resolve().name,
        "state": "finished" if first.is_finished else was.get("state"),
        "compared": provenance.now(),
        "tolerance": agreement.TOLERANCE,
        **agreement.of(first, again),
        "surroundings": [one._asdict() for one in surroundings.differences(was, now)],
    }
    again.write_json(RESULT, found)
    return found
