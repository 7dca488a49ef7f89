"""What a spec may say of many runs: the axes of a grid, a search, and who does the runs."""

from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from .section import Section, Seed

# A mapping is multiplied out: every value of every key with all others. A list names each point
# itself, by mappings of keys to one value. A key is dotted (`training.batch_size`), or one of
# `backend`, `seed` and, in a list, `configuration`: what people call the point.
Values = Annotated[list[Any], Field(min_length=1)]
Point = Annotated[dict[str, Any], Field(min_length=1)]
Grid = dict[str, Values] | Annotated[list[Point], Field(min_length=1)]


class Range(Section):
    """Numbers from `low` to `high`, both whole or both not; `log` tries powers evenly.

    Attributes:
        low: the least.
        high: the greatest.
        log: whether powers are tried evenly, as for a learning rate.
    """

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range begins above 0; got {self.low:g}")
        return self

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Search(Section):
    """Trials chosen by what earlier ones reached on the validation side (TPE, by Optuna).

    What counts is the best value of `training.monitor` over the epochs. `pruner` ends trials
    early that are worse, epoch by epoch, than half of those before (`median`) or than all but
    the best few of each rung (`successive_halving`).

    Attributes:
        trials: how many runs at most.
        parameters: by dotted key a range, or the values to choose from.
        pruner: which rule ends trials early; null lets all run to their end.
        seed: of what Optuna draws.
    """

    trials: PositiveInt
    parameters: Annotated[dict[str, Range | Values], Field(min_length=1)]
    pruner: Literal["median", "successive_halving"] | None = None
    seed: Seed = 0


class Halving(Section):
    """Successive halving of the grid: its points all begin, and the better ones go on.

    After `epochs` epochs the best `1/factor` of the points go on to `factor` times as many, and so
    on to the end. A point is judged by the best value of `training.monitor` so far, which is of
    the validation side, in the mean over its seeds.

    Attributes:
        epochs: of the first round.
        factor: by how much points become fewer, and epochs more, from round to round.
    """

    epochs: PositiveInt = 3
    factor: Annotated[int, Field(ge=2)] = 3


class Executor(Section):
    """Who does the runs: processes of this machine, or the workers of a Dask cluster.

    `workers` are local runs at a time, which share the cores; `address` is that of a Dask
    scheduler, `tls://host:port` unless it is on this machine. A run whose process is killed is
    begun again `retries` times.

    Attributes:
        name: this machine, or a Dask cluster.
        workers: runs at a time on this machine.
        address: of the Dask scheduler.
        retries: how often a run whose process was killed begins again.
    """

    name: Literal["local", "dask"] = "local"
    workers: PositiveInt = 1
    address: str | None = None
    retries: NonNegativeInt = 2

    @model_validator(mode="after")
    def _has_an_address(self) -> "Executor":
        if self.name == "dask" and self.address is None:
            raise ValueError(
                "dask needs the address of a scheduler: {name: dask, address: tcp://127.0.0.1:8786}"
            )
        if self.address is not None and not _is_safe(self.address):
            raise ValueError(
                f"{self.address} is neither encrypted nor on this machine: whoever reaches a Dask "
                "scheduler can run anything as its owner. Use tls://, see docs/studies.md"
            )
        return self


def _is_safe(address: str) -> bool:
    url = urlsplit(address)
    try:
        loopback = ip_address(url.hostname or "").is_loopback
    except ValueError:
        loopback = url.hostname == "localhost"
    return url.scheme == "tls" or (url.scheme == "tcp" and loopback)
