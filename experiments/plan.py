"""From a spec to the runs it asks for: the grid, the backends and the seeds multiplied out."""

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SpecError
from . import source
from .spec import Spec, check, load

MAX_RUNS = 10_000


@dataclass(frozen=True)
class Plan:
    """One run that is to be done.

    Attributes:
        name: of the spec: its file's name without `.yaml`.
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

    def place(self, *key: str | int) -> str:
        """Where a key of the spec stands, as messages begin: `spec.yaml:12: training.epochs`."""
        return f"{self.text.place(key)}: {'.'.join(map(str, key))}"

    def folder(self, content: str) -> Path:
        """Where its run directory stands under the folder of all runs.

        Args:
            content: SHA-256 of the dataset's content: other data make another run.
        """
        resolved = json.dumps(self.spec.model_dump(mode="json"), sort_keys=True)
        digest = hashlib.sha256((resolved + content).encode()).hexdigest()[:8]
        device = self.spec.device.replace(":", "")
        return Path(self.name) / f"{self.backend}-{device}-{digest}"


def plans(path: Path, overrides: Sequence[str] = ()) -> list[Plan]:
    """Every run of a spec, each one checked.

    Args:
        path: a YAML file.
        overrides: `a.b=value` each.

    Raises:
        SpecError: the spec, or a point of its grid, cannot be run.
    """
    spec, text = load(path, overrides)
    count = len(spec.backends) * len(spec.seeds)
    for values in spec.grid.values():
        count *= len(values)
    if count > MAX_RUNS:
        raise SpecError(f"{path} asks for {count} runs; {MAX_RUNS} at most.")
    return [plan for point in _points(spec) for plan in _at(path, text, spec, point)]


def _points(spec: Spec) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*spec.grid.values()):
        yield dict(zip(spec.grid, values, strict=True))


def _at(path: Path, text: source.Source, spec: Spec, point: dict[str, Any]) -> Iterator[Plan]:
    data = copy.deepcopy(text.data)
    data.pop("grid", None)
    fixed = source.Source(data, text.places)
    for dotted, value in point.items():
        fixed = source.overridden(fixed, f"{dotted}={json.dumps(value)}")
    single = check(fixed, str(path)) if point else spec
    for backend, seed in itertools.product(single.backends, single.seeds):
        one = single.model_copy(update={"backends": (backend,), "seeds": (seed,), "grid": {}})
        yield Plan(path.stem, one, {"backend": backend, **point, "seed": seed}, fixed)
