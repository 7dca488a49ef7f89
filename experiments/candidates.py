"""Which runs are seeds of one configuration, and what people call each configuration.

Runs whose specs differ in the seed alone are replicates. A configuration is named by the keys
that tell it from the others, or as its study calls it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RunError
from .finished import Finished, Found
from .plan import NOT_DECISIVE

_NOT_OF_IT = {*NOT_DECISIVE, "seeds"}  # what makes no other configuration
# a name, and the options that come with it: their defaults differ because the name does
_WITH_OPTIONS = {
    "training.optimizer.name": "training.optimizer.",
    "model.architecture": "model.options.",
    "dataset.name": "dataset.options.",
}
_NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Candidate:
    """A configuration that is compared.

    Args:
        name: unique among the candidates.
        settings: what tells it from the others, by short key.
        spec: all values of its spec by dotted key, but for those that make no other model.
        runs: one a seed, in the order of the seeds.
    """

    name: str
    settings: dict[str, str]
    spec: dict[str, Any]
    runs: tuple[Finished, ...]

    @property
    def seeds(self) -> list[int]:
        """Of its runs."""
        return [run.seed for run in self.runs]


def group(found: Found) -> list[Candidate]:
    """Put the runs of each configuration together, and name the configurations.

    Returns:
        In the order in which they were found, or by name where nobody put them in order.

    Raises:
        RunError: runs were tested on other images than the others, or two are of the same
            configuration and seed.
    """
    _refuse_other_images(found.runs)
    groups: dict[str, list[Finished]] = {}
    for run in found.runs:
        groups.setdefault(json.dumps(_spec(run), sort_keys=True), []).append(run)
    specs = [_spec(runs[0]) for runs in groups.values()]
    firsts = [runs[0] for runs in groups.values()]
    candidates = [
        Candidate(name, settings, spec, _by_seed(name, runs))
        for name, settings, spec, runs in zip(
            *_named(firsts, specs), specs, groups.values(), strict=True
        )
    ]
    return candidates if found.in_order else sorted(candidates, key=lambda one: _natural(one.name))


def differing(specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dotted keys whose values are not the same in all specs."""
    keys = dict.fromkeys(key for spec in specs for key in spec)
    return [key for key in keys if len({text(spec.get(key)) for spec in specs}) > 1]


def _refuse_other_images(runs: Sequence[Finished]) -> None:
    sides: dict[str, list[Finished]] = {}
    for run in runs:
        sides.setdefault(run.split, []).append(run)
    if len(sides) == 1:
        return
    lines = [
        f"  {group[0].metrics['dataset']}, split {split[:8]}: "
        + ", ".join(run.name for run in group)
        for split, group in sides.items()
    ]
    raise RunError(
        "These runs were not tested on the same images:\n" + "\n".join(lines) + "\n"
        "Name runs of one line only."
    )


def _spec(run: Finished) -> dict[str, Any]:
    kept = {key: value for key, value in run.spec.items() if key not in _NOT_OF_IT}
    return {key: value for key, value in _flat(kept) if value not in _NOTHING}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _by_seed(name: str, runs: list[Finished]) -> tuple[Finished, ...]:
    by_seed: dict[int, Finished] = {}
    for run in runs:
        if run.seed in by_seed:
            raise RunError(
                f"{by_seed[run.seed].folder} and {run.folder} are both seed {run.seed} of "
                f"'{name}'. Name one of them only."
            )
        by_seed[run.seed] = run
    return tuple(by_seed[seed] for seed in sorted(by_seed))


def _named(
    firsts: Sequence[Finished], specs: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[dict[str, str]]]:
    """The name and the settings of each configuration."""
    given = [run.manifest.get("settings", {}).get("configuration") for run in firsts]
    keys = _telling(specs, firsts[0])
    names, settings = [], []
    for own, spec in zip(given, specs, strict=True):
        alike = [other for name, other in zip(given, specs, strict=True) if name == own]
        apart = [key for key in keys if key in differing(alike)] if own else keys
        said: dict[str, str] = {}
        for key in apart:
            said[key if _short(key) in said else _short(key)] = text(spec.get(key))
        words = [f"{key} {value}" for key, value in said.items()]
        names.append(", ".join([str(own), *words] if own else words) or _plain(spec))
        settings.append({**({"configuration": str(own)} if own else {}), **said})
    return names, settings


def _telling(specs: Sequence[Mapping[str, Any]], first: Finished) -> list[str]:
    """The keys that differ, less options that only follow a name, those of the grid first."""
    keys = differing(specs)
    for name, options in _WITH_OPTIONS.items():
        if name in keys:
            keys = [
                key
                for key in keys
                if key == name or not key.startswith(options) or _differs_within(key, name, specs)
            ]
    axes = ["backends" if axis == "backend" else axis for axis in first.manifest["settings"]]
    places = {
        key: n for n, axis in enumerate(axes) for key in keys if f"{key}.".startswith(f"{axis}.")
    }
    return sorted(keys, key=lambda key: places.get(key, len(axes)))


def _differs_within(key: str, name: str, specs: Sequence[Mapping[str, Any]]) -> bool:
    values: dict[str, set[str]] = {}
    for spec in specs:
        values.setdefault(text(spec.get(name)), set()).add(text(spec.get(key)))
    return any(len(found) > 1 for found in values.values())


def _short(key: str) -> str:
    """`training.batch_size` is "batch size", `training.optimizer.name` "optimizer"."""
    parts = key.split(".")
    last = parts[-2] if parts[-1] == "name" and len(parts) > 1 else parts[-1]
    return {"backends": "backend"}.get(last, last).replace("_", " ")


def text(value: Any) -> str:
    """A value of a spec as people write it; a list of one is its item."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, sort_keys=True)


def _plain(spec: Mapping[str, Any]) -> str:
    return f"{text(spec.get('model.architecture'))} on {text(spec.get('backends'))}"


def _natural(name: str) -> list[tuple[bool, float, str]]:
    """Sorts 64 before 128."""
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return [
        (part[:1].isdigit(), float(part) if part[:1].isdigit() else 0.0, part) for part in parts
    ]
