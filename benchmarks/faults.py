"""Faults at random moments over runs, a sweep and a reading room: is anything lost?

    python benchmarks/faults.py [--faults 60] [--seed 0] [--backend tensorflow ...]
                                [--target run sweep room]

After each fault the same command is given again until it is done. Then weights, predictions and
metrics must have the same bytes as those of a run that nobody disturbed, each epoch must be there
once, and no draft may be left; every film that the room took must be there once with the same
answer, and the audit log must be whole. The exit code is 1 if anything was lost.
"""

import argparse
import importlib.metadata
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / name) for name in ("", "backends", "webapp"))]

from conftest import Place  # noqa: E402  what the tests share
from faults_runs import strike_run, strike_sweep  # noqa: E402
from faults_tally import Tally  # noqa: E402

from radzoo import backends  # noqa: E402

HEAD = "| target | faults | survived | epochs done again, of states spoilt | compared | lost |"
ROOM_BACKENDS = ("tensorflow", "torch", "jax")  # heatmaps need gradients, which `fake` has none of


def main() -> None:
    """Strike, and print a row a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=60, help="in all, shared out evenly")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", nargs="+", default=_installed(), choices=backends.names())
    parser.add_argument("--target", nargs="+", default=["run", "sweep", "room"])
    asked = parser.parse_args()
    began = time.monotonic()
    tallies = list(_strike(asked))
    print(f"\n{_machine()}; {time.monotonic() - began:.0f} s\n\n{HEAD}\n|---|---|---|---|---|---|")
    for tally in tallies:
        print(tally.row())
    faults, survived = sum(t.faults for t in tallies), sum(t.faults - t.bad for t in tallies)
    print(f"| all | {faults} | {survived} | {sum(t.again for t in tallies)} | | |")
    sys.exit(any(tally.lost for tally in tallies))


def _installed() -> list[str]:
    return [name for name in backends.names() if backends.get(name).installed]


def _strike(asked: argparse.Namespace) -> list[Tally]:
    """Every target in turn, in a folder of its own."""
    targets = [("run", name) for name in asked.backend if "run" in asked.target]
    targets += [("sweep", "fake")] if "sweep" in asked.target else []
    serving = [name for name in asked.backend if name in ROOM_BACKENDS]
    targets += [("room", serving[0])] if "room" in asked.target and serving else []
    tallies = []
    for number, (target, backend) in enumerate(targets):
        share = asked.faults // len(targets) + (number < asked.faults % len(targets))
        draw = random.Random(f"{asked.seed} {target} {backend}")
        print(f"{target} on {backend}: {share} faults", flush=True)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            place = Place(Path(folder))
            place.env["OMP_WAIT_POLICY"] = "PASSIVE"  # torch's threads else fight for busy cores
            tallies.append(_one(target, backend, place, share, draw))
        print(tallies[-1].row(), flush=True)
    return tallies


def _one(target: str, backend: str, place: Place, faults: int, draw: random.Random) -> Tally:
    if target == "run":
        _share_legacy(place)
        return strike_run(place, backend, faults, draw)
    if target == "sweep":
        return strike_sweep(place, faults, draw)
    from faults_room import strike_room  # what it needs is installed with the room only

    return strike_room(place, backend, faults, draw)


def _share_legacy(place: Place) -> None:
    """The disturbed run has a cache of its own; the runtime of CNTK is the same."""
    found = place.path / "cache" / "legacy"
    (place.path / "other_cache").mkdir()
    if found.exists():
        (place.path / "other_cache" / "legacy").symlink_to(found.resolve())


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
    packages = ("keras", "tensorflow", "torch", "jax", "numpy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages if _has(name)]
    python = f"Python {sys.version.split()[0]}"
    return f"{len(os.sched_getaffinity(0))} cores of {name}; {', '.join([python, *versions])}"


def _has(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
