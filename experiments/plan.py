"""From a spec to the runs it asks for: the grid, the backends and the seeds multiplied out."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SpecError
from . import source, trust
from .spec import Spec, check, load

MAX_RUNS = 10_000
# These decide nothing that is trained: the same run may be told of otherwise, be one of another
# grid, or be measured anew from its predictions.
_TOLD = {"title", "reported", "tracking", "tensorboard", "evaluation"}
_OF_MANY: dict[str, Any] = {
    "grid": {},
    "search": None,
    "halving": None,
    "executor": {},
    "quick": {},
}


NOT_DECISIVE = _TOLD | set(_OF_MANY)


@dataclass(frozen=True)
class Plan:
    """One run that is to be done.

    Attributes:
        name: of the spec: its file's name without `.yaml`; `-quick` is added for the small version.
        spec: one backend, one seed, no grid.
        settings: what tells it from the other runs of its spec, for people.
        text: what the spec was read from.
    """

    name: str
    spec: Spec
    settings: dict[str, Any]
    text: source.Source

    @property
    def backend(self) -> str:
        """The backend of this run."""
        return self.spec.backends[0]

    @property
    def seed(self) -> int:
        """The seed of this run."""
        return self.spec.seeds[0]

    @property
    def decisive(self) -> str:
        """All that decides the weights, but for the data, as one text."""
        kept = self.spec.model_dump(mode="json", exclude=NOT_DECISIVE)
        del kept["dataset"]["leave_out"]  # what is left out is in the content, however it is listed
        if self.spec.dataset.findings is None:  # as before there were any: old runs are found
            del kept["dataset"]["findings"]
        if self.spec.training.precision == "float32":  # likewise
            del kept["training"]["precision"]
        return json.dumps(kept, sort_keys=True)

    def place(self, *key: str | int) -> str:
        """Where a key of the spec stands, as messages begin: `spec.yaml:12: training.epochs`."""
        return f"{self.text.place(key)}: {'.'.join(map(str, key))}"

    def folder(self, content: str) -> Path:
        """Where its run directory stands under the folder of all runs.

        Args:
            content: SHA-256 of the dataset's content: other data make another run.
        """
        digest = hashlib.sha256((self.decisive + content).encode()).hexdigest()[:8]
        device = self.spec.device.replace(":", "")
        return Path(self.name) / f"{self.backend}-{device}-{digest}"


def plans(path: Path, overrides: Sequence[str] = (), quick: bool = False) -> list[Plan]:
    """Every run of a spec, each one checked.

    Args:
        path: a YAML file.
        overrides: `a.b=value` each.
        quick: whether to plan the small version that the spec describes.

    Raises:
        SpecError: the spec, or a point of its grid, cannot be run, or is there twice; the
            problems of all points are listed at once.
    """
    spec, text = load(path, overrides, quick)
    count = len(spec.backends) * len(spec.seeds) * _size(spec)
    if count > MAX_RUNS:
        raise SpecError(f"{path} asks for {count} runs; {MAX_RUNS} at most.")
    found: list[Plan] = []
    wrong: dict[str, None] = {}
    for point in _points(spec, text):
        try:
            found += _at(point, name_of(path, quick), spec, text)
        except SpecError as error:
            wrong.update(dict.fromkeys(str(error).splitlines()))
    if wrong:
        raise SpecError("\n".join(wrong))
    _refuse_twins(found, path)
    return found


def of_run(folder: Path, backend: str | None = None, device: str | None = None) -> Plan:
    """The plan of a run directory, which may come from elsewhere.

    Args:
        folder: with `spec.yaml` in it.
        backend, device: in place of the run's.

    Raises:
        SpecError: the spec cannot be read, or names code that nobody here has allowed; see
            `trust`.
    """
    path = folder / "spec.yaml"
    trust.refuse_code(source.read(path))
    # nothing is trained, so that backend need not know the precision that the run was trained in
    overrides = [f"backends=[{backend}]", "training.precision=float32"] if backend else []
    overrides += [f"device={device}"] if device else []
    found = plans(path, overrides)
    if len(found) != 1:
        raise SpecError(f"{path} asks for {len(found)} runs; that of a run directory asks for one.")
    return found[0]


def name_of(path: Path, quick: bool) -> str:
    """What the folder of a spec's runs is called."""
    return path.stem + "-quick" * quick


def axes(path: Path, given: Sequence[str], overrides: Sequence[str], quick: bool) -> list[str]:
    """Axes from the command line beside those of the spec's grid, as overrides.

    Args:
        given: `key=[values]` each.

    Raises:
        SpecError: one is not of that form, or the spec's grid names its points one by one.
    """
    if not given:
        return []
    grid = load(path, overrides, quick)[0].grid
    if isinstance(grid, list):
        raise SpecError(
            f"{path} names the points of its grid one by one, so no axis can stand beside them. "
            "Leave them out first: --set 'grid={}'."
        )
    for axis in given:
        key, sign, values = axis.partition("=")
        grid = {**grid, key: source.parse(values, f"--grid {axis}").data}
        if not sign or not isinstance(grid[key], list):
            raise SpecError(f"--grid takes key=[values], as training.epochs=[5, 9]; got {axis!r}.")
    return [f"grid={json.dumps(grid)}"]


class _Point(NamedTuple):
    """A point of the grid: values by dotted key, and where each stands."""

    values: dict[str, Any]
    places: dict[str, str]


_SHORT = {"backend": "backends", "seed": "seeds"}  # of lists with one item


def _size(spec: Spec) -> int:
    if isinstance(spec.grid, list):
        return len(spec.grid)
    return math.prod(map(len, spec.grid.values()))


def _points(spec: Spec, text: source.Source) -> Iterator[_Point]:
    if isinstance(spec.grid, list):
        for number, values in enumerate(spec.grid):
            yield _Point(values, {key: text.place(("grid", number, key)) for key in values})
        return
    numbered = [list(enumerate(values)) for values in spec.grid.values()]
    for chosen in itertools.product(*numbered):
        by_key = dict(zip(spec.grid, chosen, strict=True))
        places = {key: text.place(("grid", key, number)) for key, (number, _) in by_key.items()}
        yield _Point({key: value for key, (_, value) in by_key.items()}, places)


def _at(point: _Point, name: str, spec: Spec, text: source.Source) -> Iterator[Plan]:
    fixed = source.Source({k: v for k, v in text.data.items() if k not in _OF_MANY}, text.places)
    for dotted, value in point.values.items():
        if dotted in _SHORT:
            fixed = source.replaced(fixed, _SHORT[dotted], [value], point.places[dotted])
        elif dotted != "configuration":
            fixed = source.replaced(fixed, dotted, value, point.places[dotted])
    single = check(fixed, text.place(())) if point.values else spec
    shown = _shown(point.values)
    for backend, seed in itertools.product(single.backends, single.seeds):
        one = {"backends": (backend,), "seeds": (seed,), **_OF_MANY}
        plan = Spec.model_validate({**single.model_dump(), **one})
        yield Plan(name, plan, {"backend": backend, **shown, "seed": seed}, fixed)


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """What people tell a point by: its name, or else all that it sets."""
    if "configuration" in values:
        return {"configuration": values["configuration"]}
    apart = {*_SHORT, *_TOLD}
    return {key: value for key, value in values.items() if key.split(".")[0] not in apart}


def _refuse_twins(found: list[Plan], path: Path) -> None:
    seen: dict[str, Plan] = {}
    for plan in found:
        twin = seen.setdefault(plan.decisive, plan)
        if twin is not plan:
            raise SpecError(
                f"{path} asks for the same run twice: {_words(twin)}, and {_words(plan)}. Leave "
                "one of them out; what is only told or measured makes no other run."
            )


def _words(plan: Plan) -> str:
    return ", ".join(f"{key}={value}" for key, value in plan.settings.items())
