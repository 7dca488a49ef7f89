"""Who else may follow a run: MLflow and TensorBoard, both off unless the spec asks for them.

A follower hears of each epoch before the runner's own listener does, and can spoil nothing: what
goes wrong in one is told once, as the event `note`, and the run goes on without it. The run
directory stays the truth.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from ..errors import SpecError
from .mlflow_follower import MLflow
from .plan import Plan
from .run import RunDirectory
from .tensorboard_follower import TensorBoard

Row = Mapping[str, Any]  # of history.csv
Listener = Callable[[dict[str, Any]], None]
_LONGEST = 200  # characters of an error; MLflow repeats the whole of those below its own


class Follower(Protocol):
    """What a run tells those that follow it."""

    name: str

    def epochs(self, rows: Sequence[Row]) -> None:
        """Take in epochs: the next one, or all so far of a run that goes on."""

    def close(self) -> None:
        """Take in how the run ended, as its manifest says."""


def require(plan: Plan) -> None:
    """Refuse a plan whose followers are not installed.

    Raises:
        SpecError: with the line that installs them.
    """
    asked = {"tracking": plan.spec.tracking, "tensorboard": plan.spec.tensorboard and "tensorboard"}
    missing = {key: name for key, name in asked.items() if name and not _is_installed(name)}
    if missing:
        raise SpecError(
            f"{plan.place(next(iter(missing)))}: not installed: {', '.join(missing.values())}. "
            f"To install: pip install 'radzoo[{','.join(missing.values())}]'"
        )


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@contextmanager
def followed(plan: Plan, run: RunDirectory, tell: Listener) -> Iterator[Listener]:
    """Have the followers that a plan asks for hear of a run.

    Args:
        plan: of the run.
        run: its directory, held by us.
        tell: takes the run's events, and `note` with a `text` where a follower was lost.

    Returns:
        The listener to give to the run in place of `tell`.
    """
    followers = list(_asked_for(plan, run))

    def each(do: Callable[[Follower], None]) -> None:
        for follower in list(followers):
            try:
                do(follower)
            except Exception as error:  # noqa: BLE001  whatever it is, the run goes on
                followers.remove(follower)
                tell({"event": "note", "text": _farewell(follower, error)})

    def listen(event: dict[str, Any]) -> None:
        if rows := _rows(event):
            each(lambda follower: follower.epochs(rows))
        tell(event)

    try:
        yield listen
    finally:
        if (run / "manifest.json").exists():  # else the run never began
            each(lambda follower: follower.close())


def _asked_for(plan: Plan, run: RunDirectory) -> Iterator[Follower]:
    if plan.spec.tracking == "mlflow":
        yield MLflow(run, plan.spec.model_dump(mode="json"))
    if plan.spec.tensorboard:
        yield TensorBoard(run / "tensorboard")


def _rows(event: dict[str, Any]) -> Sequence[Row]:
    if event["event"] == "resumed":
        return event["history"]
    if event["event"] == "epoch":
        return [{key: value for key, value in event.items() if key not in ("event", "epochs")}]
    return ()


def _farewell(follower: Follower, error: Exception) -> str:
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    if len(said) > _LONGEST:
        said = said[:_LONGEST] + " ..."
    return (
        f"{follower.name} follows this run no further. The run goes on, and its folder will hold "
        f"everything. {said}"
    )
