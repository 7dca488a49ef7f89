"""Every error that a user can meet, in one tree.

RadZooError
    UserError                what the user asked for cannot be done        exit code 2
        UnknownName          a name that no registry knows                 (also a KeyError)
        SpecError            a YAML spec that cannot be run                (also a ValueError)
        DataError            a dataset, table or image that cannot be used (also a ValueError)
            FilmRefused      a file that the reading room does not take, with the reason's code
        BackendUnavailable   a backend that cannot start here: code 3      (also a RuntimeError)
        DeviceUnavailable    a device that is not here: code 4             (also a RuntimeError)
        UnsupportedModel     layers that a backend cannot compute          (also a ValueError)
        RunError             a run directory that cannot be used           (also an OSError)
            RunHeld          one that another process is working on
    Failure                  the work was begun and went wrong             exit code 1
        WorkerFailed         a request that failed in its worker           (also a RuntimeError)
            ProcessKilled    a worker or trial that was killed: memory, power, a stranger
        TrainingDiverged     a loss that is no longer a number             (also an ArithmeticError)
        CheckpointDamaged    no saved state is intact                      (also an OSError)
    Pruned                   a search ended a run that promised too little
    Interrupted              the user stopped the work                     exit code 130
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RadZooError(Exception):
    """Base of all errors below; `cli.py` and the web app catch this one only."""

    exit_code = 1

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class UserError(RadZooError):
    """The user can mend it: by another spec, file, option or installation."""

    exit_code = 2


class UnknownName(UserError, KeyError):
    """A name was looked up that is not registered.

    Args:
        kind: what the name names, as a user would say it: "architecture".
        name: the name that was asked for.
        known: every name that would have worked.
        also: a sentence on where else was searched, such as plug-ins that did not load.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], also: str = "") -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=3)
        hint = " Did you mean {}?".format(" or ".join(map(repr, near))) if near else ""
        tail = " " + also if also else ""
        super().__init__(
            "No {} is called {!r}.{} Known: {}.{}".format(
                kind, name, hint, ", ".join(known) or "none", tail
            )
        )


class SpecError(UserError, ValueError):
    """A YAML spec cannot be run; the message lists every problem with its line and path."""


class DataError(UserError, ValueError):
    """A dataset cannot be used; the message names the file, row or class at fault."""


class FilmRefused(DataError):
    """The reading room does not take a file.

    Args:
        code: which sentence of `webapp/wording.yaml`, section `refused`, tells why.
        values: what is filled into it.
    """

    def __init__(self, code: str, **values: object) -> None:
        told = ", ".join(f"{key} {value}" for key, value in values.items())
        super().__init__(f"{code}: {told}" if told else code)
        self.code, self.values = code, values


class BackendUnavailable(UserError, RuntimeError):
    """A backend cannot start on this machine; the message says what to install."""

    exit_code = 3


class DeviceUnavailable(UserError, RuntimeError):
    """A device is not on this machine; the message names the devices that are."""

    exit_code = 4


class UnsupportedModel(UserError, ValueError):
    """A backend cannot compute some layers of a model; the message names each."""


class RunError(UserError, OSError):
    """A run directory cannot be written, read or had for oneself; the message says why."""


class RunHeld(RunError):
    """Another process works on a run directory; it becomes free when that one ends."""


class Failure(RadZooError):
    """Work that was begun went wrong; nothing that looks finished is left behind."""


class WorkerFailed(Failure, RuntimeError):
    """A worker raised or died; the message ends with the last lines of its log."""


class ProcessKilled(WorkerFailed):
    """A process ended by a signal in the middle of its work, which may be tried again."""


class TrainingDiverged(Failure, ArithmeticError):
    """The loss became NaN or infinite; the message says in which epoch and what to try."""


class CheckpointDamaged(Failure, OSError):
    """No saved state of a run is intact; the message says how to begin anew."""


class Pruned(RadZooError):
    """A search ended a run that promised too little; its last state is kept."""


class Interrupted(RadZooError):
    """The user stopped the work; what the last checkpoint holds is kept."""

    exit_code = 130
