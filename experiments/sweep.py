"""All runs of a grid, each done once: those that are finished are kept, the others begun or redone.

The run directories are the truth, so a sweep that was killed goes on when it is begun again.
`study.json`, beside them, lists the runs of the latest sweep for `compare`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DataError, Interrupted, RadZooError, RunHeld
from . import data, executors, provenance, runner
from .executors import LAST, Event, Executor
from .finished import STUDY
from .plan import Plan, plans
from .run import RunDirectory, lease, unwritable
from .spec import Dataset, Spec, load
from .trial import Request

Listener = Callable[[int | None, Event], None]  # None: of the sweep itself


@dataclass(frozen=True)
class Trial:
    """What is known of one run.

    Args:
        number: from 0, in the order of the plans.
        settings: what tells it from the others.
        state: "waiting", "running", "finished", "pruned" or "failed".
        folder: its run directory's name, once known.
        was_done: whether it had been finished before.
        error: what went wrong.
        exit_code: 0, or that of the error.
    """

    number: int
    settings: dict[str, Any]
    state: str = "waiting"
    folder: str = ""
    was_done: bool = False
    error: str = ""
    exit_code: int = 0


class Ledger:
    """The trials of a sweep by number; tells the listener of every event.

    They are kept in `study.json`, beside `about`: what is said of the sweep as a whole.
    """

    def __init__(self, folder: Path, about: dict[str, Any], tell: Listener) -> None:
        self.trials: dict[int, Trial] = {}
        self.folder = folder
        self.about, self._tell = about, tell

    def add(self, trial: Trial) -> None:
        """Take in a trial that is waiting or was done."""
        self.trials[trial.number] = trial

    def note(self, number: int, event: Event) -> bool:
        """Take in an event of a trial; whether it was the trial's last."""
        kind = event["event"]
        if kind == "run":
            self._change(number, state="running", folder=Path(event["folder"]).name)
        elif kind == "finished":
            name, was_done = Path(event["folder"]).name, event["was_done"]
            facts = {"folder": name, "was_done": was_done, "error": "", "exit_code": 0}
            self._change(number, state="finished", **facts)
        elif kind == "error":
            state = "pruned" if event["kind"] == "Pruned" else "failed"
            code = 0 if state == "pruned" else event["exit_code"]
            self._change(number, state=state, error=event["message"], exit_code=code)
        self._tell(number, event)
        return kind in LAST

    def _change(self, number: int, **facts: Any) -> None:
        self.trials[number] = replace(self.trials[number], **facts)
        self.write()

    @property
    def in_order(self) -> list[Trial]:
        """The trials by number."""
        return [trial for _, trial in sorted(self.trials.items())]

    def write(self) -> None:
        """Write `study.json`."""
        trials = [asdict(trial) for trial in self.in_order]
        RunDirectory(self.folder).write_json(STUDY, {**self.about, "runs": trials})


def run(asked: Request, tell: Listener) -> list[Trial]:
    """Do all runs of a spec that are not done.

    Args:
        asked: which spec, and where its runs are; `number` is not looked at.
        tell: takes the number of a trial and an event of it, or None and one of the sweep.

    Returns:
        Every trial; one that failed has not stopped the others.

    Raises:
        SpecError: any of the runs cannot be had; none was begun.
        RunHeld: another sweep of this spec is going on.
        BackendUnavailable: the executor cannot be had.
        Interrupted: Ctrl-C; the same command goes on from what is done.
    """
    spec, _ = load(Path(asked.spec), asked.overrides, asked.quick)
    todo = plans(Path(asked.spec), asked.overrides, asked.quick)
    with opened(Path(asked.out) / todo[0].name, spec, tell) as ledger:
        tell(None, {"event": "sweep", "trials": len(todo)})
        for number, plan in enumerate(todo):
            ledger.add(Trial(number, plan.settings))
        waiting = list(not_done(ledger, todo, Path(asked.out)))
        ledger.write()
        if waiting:
            with connected(spec) as executor:
                _do(ledger, executor, {n: replace(asked, number=n) for n in waiting})
    return ledger.in_order


@contextmanager
def opened(folder: Path, spec: Spec, tell: Listener) -> Iterator[Ledger]:
    """The ledger of a sweep, which no other process may write meanwhile."""
    held = f"{folder} is being swept by another process. Wait for it, or stop it."
    about = {"title": spec.title, "command": provenance.command(), "began": provenance.now()}
    with lease(folder, ".sweep", RunHeld(held)):
        try:
            yield Ledger(folder, about, tell)
        except (RadZooError, BrokenPipeError):  # the pipe is a reader's of our output
            raise
        except OSError as error:  # of the journal of a search
            raise unwritable(folder, error) from error


@contextmanager
def connected(spec: Spec) -> Iterator[Executor]:
    """The executor that the spec asks for; Ctrl-C ends what it does."""
    executor = executors.connect(spec.executor)
    try:
        yield executor
    except KeyboardInterrupt:
        message = "Interrupted. The same command goes on from what is done."
        raise Interrupted(message) from None
    finally:
        executor.close()


def not_done(ledger: Ledger, todo: Sequence[Plan], out: Path) -> Iterator[int]:
    """The numbers of the runs to do; the others are noted as finished."""
    contents: dict[str, str] = {}
    for number, plan in enumerate(todo):
        section = plan.spec.dataset
        key = section.model_dump_json()
        contents[key] = contents.get(key) or _content(section)
        directory = RunDirectory(out / plan.folder(contents[key]))
        if contents[key] and runner.is_done(plan, directory):
            done = {"event": "finished", "folder": str(directory.path), "was_done": True}
            ledger.note(number, done)
        else:
            yield number


def _content(section: Dataset) -> str:
    """The dataset's content; empty where it cannot be had, which the run will tell."""
    try:
        return data.load(section).dataset.content
    except DataError:
        return ""


def _do(ledger: Ledger, executor: Executor, asked: dict[int, Request]) -> None:
    for number, request in asked.items():
        executor.submit(number, request)
    going = set(asked)
    while going:
        number, event = executor.next()
        if ledger.note(number, event):
            going.discard(number)
