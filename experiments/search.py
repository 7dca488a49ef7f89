"""A search: each trial is chosen by what earlier ones reached on the validation side.

Optuna chooses (TPE) and prunes; we keep its journal in the folder of the runs and are its only
writer. A trial is a run like any other, so a search that was killed goes on: trials that were under
way are begun again with the same parameters, and find their run where they left it.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import BackendUnavailable, SpecError
from . import plan
from .executors import Event, Executor
from .spec import Spec, load
from .study import Range, Search
from .sweep import Ledger, Listener, Trial, connected, opened
from .trial import Request

JOURNAL = "search.journal"


def run(asked: Request, tell: Listener) -> list[Trial]:
    """Do the trials of a spec's search that are not done yet.

    Arguments, result and errors are those of `sweep.run`; `BackendUnavailable` also means that
    Optuna is missing.
    """
    spec = check(asked)
    assert spec.search is not None, "see `check`"
    folder = Path(asked.out) / plan.name_of(Path(asked.spec), asked.quick)
    with opened(folder, spec, tell) as ledger:
        tell(None, {"event": "sweep", "trials": spec.search.trials})
        study = _study(spec, folder / JOURNAL)
        with connected(spec) as executor:
            _Driver(spec, spec.search, asked, ledger, study, executor).finish()
    return ledger.in_order


def check(asked: Request) -> Spec:
    """The spec of a search, once it is known that both ends of every range can be run.

    Raises:
        SpecError: it has no section `search`, or a parameter cannot be what the search may make it.
    """
    spec, _ = load(Path(asked.spec), asked.overrides, asked.quick)
    if spec.search is None:
        raise SpecError(f"{asked.spec} has no section `search`.")
    ends = {key: _ends(parameter) for key, parameter in spec.search.parameters.items()}
    first = {key: values[0] for key, values in ends.items()}
    for point in [first] + [{**first, key: end} for key in ends for end in ends[key][1:]]:
        plan.plans(Path(asked.spec), _overrides(asked, point), asked.quick)
    return spec


def _ends(parameter: Range | list[Any]) -> list[Any]:
    return parameter if isinstance(parameter, list) else [parameter.low, parameter.high]


def _overrides(asked: Request, values: dict[str, Any]) -> tuple[str, ...]:
    """The spec of one trial: a grid of one point in place of the search."""
    return (*asked.overrides, "search=null", f"grid={json.dumps([values])}")


def _study(spec: Spec, journal: Path) -> Any:
    """Optuna's study; what a killed driver left under way is queued again."""
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise BackendUnavailable("A search needs Optuna: pip install 'radzoo[search]'") from error
    assert spec.search is not None, "see `run`"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _mend(journal)
    study = optuna.create_study(
        study_name=spec.title,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        pruner=_pruner(optuna, spec.search.pruner),
        direction="minimize" if spec.training.monitor == "val_loss" else "maximize",
        load_if_exists=True,
    )
    known = len(study.get_trials(deepcopy=False))  # or a search that goes on would repeat itself
    study.sampler = optuna.samplers.TPESampler(seed=spec.search.seed + known)
    for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _mend(journal: Path) -> None:
    """Cut off a last line that a full disk has left by half, or the next one would spoil it all."""
    if journal.exists():
        with journal.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def _pruner(optuna: Any, name: str | None) -> Any:
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)
    if name == "successive_halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2)
    return optuna.pruners.NopPruner()


class _Driver:
    """Keeps the executor's slots busy until the search has as many trials as it asks for."""

    def __init__(
        self,
        spec: Spec,
        search: Search,
        asked: Request,
        ledger: Ledger,
        study: Any,
        executor: Executor,
    ) -> None:
        self._spec, self._search, self._asked = spec, search, asked
        self._ledger, self._study, self._executor = ledger, study, executor
        self._going: dict[int, Any] = {}
        self._epochs: dict[int, int] = {}

    def finish(self) -> None:
        """Do the trials that are still to do."""
        for number, done in enumerate(self._done()):
            self._ledger.add(_recalled(number, done))
        self._ledger.write()
        left = self._search.trials - len(self._ledger.trials)
        while left > 0 or self._going:
            while left > 0 and len(self._going) < self._executor.slots:
                self._begin(len(self._ledger.trials))
                left -= 1
            self._listen(*self._executor.next())

    def _done(self) -> Iterator[Any]:
        """The trials of Optuna's that have a result, were pruned or went wrong by themselves."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state.name in ("COMPLETE", "PRUNED") or "error" in trial.user_attrs:
                yield trial

    def _begin(self, number: int) -> None:
        trial = self._study.ask()
        values = {key: _suggested(trial, key, r) for key, r in self._search.parameters.items()}
        self._going[number] = trial
        self._ledger.add(Trial(number, values))
        overrides, lockstep = _overrides(self._asked, values), self._search.pruner is not None
        request = replace(self._asked, overrides=overrides, number=0, lockstep=lockstep)
        self._executor.submit(number, request)

    def _listen(self, number: int, event: Event) -> None:
        if event["event"] == "epoch":
            self._report(number, event)
        if self._ledger.note(number, event):
            self._close(self._going.pop(number), self._ledger.trials[number])

    def _report(self, number: int, event: Event) -> None:
        """Tell Optuna of an epoch, once: a trial that was begun again repeats some."""
        trial, epoch = self._going[number], event["epoch"]
        if epoch <= self._epochs.get(number, 0):
            return
        self._epochs[number] = epoch
        trial.report(event[self._spec.training.monitor], epoch)
        if trial.should_prune():
            self._executor.prune(number)

    def _close(self, trial: Any, known: Trial) -> None:
        from optuna.trial import TrialState

        trial.set_user_attr("folder", known.folder)
        best = self._best(known) if known.state == "finished" else math.nan
        if known.state == "pruned":
            self._study.tell(trial, state=TrialState.PRUNED)
        elif math.isfinite(best):
            self._study.tell(trial, best)
        else:
            trial.set_user_attr("error", known.error or "no epoch had a figure to go by")
            self._study.tell(trial, state=TrialState.FAIL)

    def _best(self, known: Trial) -> float:
        """The best of `training.monitor` over the epochs of a finished run."""
        path = self._ledger.folder / known.folder / "history.csv"
        with open(path, newline="") as file:
            values = [float(row[self._spec.training.monitor]) for row in csv.DictReader(file)]
        finite = [value for value in values if math.isfinite(value)] or [math.nan]
        return min(finite) if self._spec.training.monitor == "val_loss" else max(finite)


def _suggested(trial: Any, key: str, parameter: Range | list[Any]) -> Any:
    if isinstance(parameter, list):
        # as JSON, for Optuna keeps plain values only
        return json.loads(trial.suggest_categorical(key, [json.dumps(one) for one in parameter]))
    suggest = trial.suggest_int if parameter.whole else trial.suggest_float
    return suggest(key, parameter.low, parameter.high, log=parameter.log)


def _recalled(number: int, trial: Any) -> Trial:
    states = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    error = trial.user_attrs.get("error", "")
    return Trial(
        number,
        {key: _plain(value) for key, value in trial.params.items()},
        states[trial.state.name],
        trial.user_attrs.get("folder", ""),
        was_done=True,
        error=error,
        exit_code=1 if error else 0,
    )


def _plain(value: Any) -> Any:
    """A value as the spec has it: those of a list went into the journal as JSON."""
    return json.loads(value) if isinstance(value, str) else value
