"""What surrounds a run and may change its figures: told apart between two manifests."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..backends import frameworks

_Values = Mapping[str, Any]
_SHOWN = 12  # letters of a hash

# No figure depends on these: plots are drawn when all is measured.
_DECIDE_NOTHING = {"system", "matplotlib"}


class Difference(NamedTuple):
    """One thing that is not as it was.

    Args:
        what: in words.
        was: what the first manifest says.
        now: what the second says.
        can_change: whether it can change the figures.
    """

    what: str
    was: str
    now: str
    can_change: bool


def differences(was: _Values, now: _Values) -> list[Difference]:
    """Tell what differs, in the order in which a manifest has it.

    Args:
        was: `manifest.json` of a run.
        now: of another one, as far as it is known yet: a key that it lacks is not compared.
    """
    apart = {*frameworks(), *_DECIDE_NOTHING} - {was["backend"]}
    found = []
    for key in _TOLD:
        if now.get(key) is None:
            continue
        first, second = _told(was, key), _told(now, key)
        absent = "none" if was.get(key) is not None else "not recorded"
        for what in {**first, **second}:
            one, other = first.get(what, absent), second.get(what, "none")
            if one != other:
                found.append(Difference(what, one, other, what not in apart))
    return found


def _told(manifest: _Values, key: str) -> dict[str, str]:
    values = manifest.get(key)
    return {} if values is None else dict(_TOLD[key](values))


def _git(git: _Values) -> Iterator[tuple[str, str]]:
    if "commit" in git:
        changes = ("with changes", git.get("diff_sha256", "")[:_SHOWN]) if git["dirty"] else ()
        yield "commit", " ".join([git["commit"][:_SHOWN], *changes]).strip()


def _machine(machine: _Values) -> Iterator[tuple[str, str]]:
    yield "processor", machine["processor"]
    yield "system", f"{machine['system']} {machine['release']}"


def _device(device: _Values) -> Iterator[tuple[str, str]]:
    used, name = device["used"], device["name"]
    yield "device", used if used == name else f"{used} ({name})"


def _model(model: _Values) -> Iterator[tuple[str, str]]:
    """Weights that the model started from, if it did."""
    if model["started_from"] is not None:
        digest = (model.get("started") or {}).get("sha256")
        yield "weights started from", digest[:_SHOWN] if digest else model["started_from"]


def _hash_of(what: str, key: str | None = None) -> Any:
    return lambda value: [(what, (value if key is None else value[key])[:_SHOWN])]


_TOLD: dict[str, Any] = {
    "data": _hash_of("data", "content_sha256"),
    "split": _hash_of("split", "sha256"),
    "store": _hash_of("images after preprocessing", "sha256"),
    "model": _model,
    "device": _device,
    "threads": lambda threads: [("threads", str(threads))],
    "precision": lambda precision: [("precision", precision)],
    "git": _git,
    "versions": lambda versions: versions.items(),
    "packages_sha256": _hash_of("all packages"),
    "environment": lambda environment: environment.items(),
    "machine": _machine,
}
