"""Spoilt files given to every reader: whatever is no refusal of ours is a crash.

python benchmarks/fuzz.py [--seconds 60] [--target images|dicom|specs|models] [--out crashes]

Sound files made by script are spoilt and read, by a process for each target. A crash is an
exception outside of the tree of `errors.py`, a process that dies, more than 4 GiB of memory or
more than 20 s: its bytes are kept in the folder of --out. The exit code is 1 if there is any.
"""

import argparse
import json
import logging
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import fuzz_seeds

from radzoo.errors import RadZooError

MEMORY = 4 * 2**30
HANGS_S = 20
INPUT = "input"  # what is being read, so that a process that dies leaves it
Read = Callable[[Path], object]


class Target(NamedTuple):
    """Sound files, and what reads them: each reader gets each spoilt file."""

    seeds: Callable[[], list[bytes]]
    readers: Callable[[], list[Read]]


def main() -> None:
    """Fuzz the targets one after the other, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="For each target.")
    parser.add_argument("--target", choices=TARGETS, action="append")
    parser.add_argument("--out", type=Path, default=Path("crashes"))
    parser.add_argument("--seed", type=int, default=None, help="Of the spoiling.")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    if asked.inside:
        print(json.dumps(_fuzz(asked.target[0], asked.seconds, asked.out, seed)))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    print(f"seed {seed}, {asked.seconds:g} s a target")
    print("| target | inputs | inputs/s | refused | accepted | crashes |")
    print("|---|---|---|---|---|---|")
    crashes = 0
    for name in asked.target or TARGETS:
        counts = _watched(name, asked.seconds, asked.out, seed)
        crashes += counts["crashes"]
        rate = counts["inputs"] / max(counts["seconds"], 1e-9)
        print(
            f"| {name} | {counts['inputs']:,} | {rate:.0f} | {counts['refused']:,} | "
            f"{counts['accepted']:,} | {counts['crashes']:,} |",
            flush=True,
        )
    sys.exit(1 if crashes else 0)


def _watched(name: str, seconds: float, out: Path, seed: int) -> Counter:
    """Counts of processes that fuzz a target; one that dies is a crash, and another goes on."""
    counts: Counter = Counter()
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--inside", "--target", name]
            command += ["--seconds", str(left), "--out", str(out.resolve()), "--seed", str(seed)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                counts.update(json.loads(done.stdout.splitlines()[-1]))
                break
            counts.update(crashes=1, inputs=1)
            died = Path(folder) / INPUT
            if not died.exists():
                raise RuntimeError(f"The fuzzer itself failed:\n{done.stderr[-2000:]}")
            _keep(out, name, died.read_bytes(), f"exit code {done.returncode}\n{done.stderr}")
        seed += 1
    return counts


def _fuzz(name: str, seconds: float, out: Path, seed: int) -> dict[str, float]:
    """Read spoilt files for some seconds, in this process and folder."""
    logging.disable()
    warnings.simplefilter("ignore")
    draw, path = random.Random(seed), Path(INPUT)
    seeds, readers = TARGETS[name].seeds(), TARGETS[name].readers()
    for read in readers:  # what is loaded at first use shall not count
        _once(read, path, seeds[0])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _hangs)
    counts, began = Counter(inputs=0, refused=0, accepted=0, crashes=0), time.monotonic()
    seen: set[str] = set()
    while time.monotonic() - began < seconds:
        data = fuzz_seeds.spoilt(draw.choice(seeds), seeds, draw)
        for read in readers:
            counts["inputs"] += 1
            found = _once(read, path, data)
            counts[found if found in ("refused", "accepted") else "crashes"] += 1
            if found not in ("refused", "accepted", *seen):
                seen.add(found)
                _keep(out, name, data, found)
    return {**counts, "seconds": time.monotonic() - began}


def _once(read: Read, path: Path, data: bytes) -> str:
    """What came of a file: refused, accepted, or where it crashed."""
    path.write_bytes(data)
    signal.alarm(HANGS_S)
    try:
        read(path)
    except RadZooError:
        return "refused"
    except Exception:  # noqa: BLE001  that is what is looked for
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return "accepted"


def _hangs(*_: object) -> None:
    raise TimeoutError(f"more than {HANGS_S} s")


def _keep(out: Path, name: str, data: bytes, why: str) -> None:
    number = len(list(out.glob(f"{name}-*.bin")))
    (out / f"{name}-{number:03d}.bin").write_bytes(data)
    (out / f"{name}-{number:03d}.txt").write_text(why)


def _film_readers() -> list[Read]:
    from radzoo.preprocessing import readers
    from radzoo.webapp.decoding import decode

    return [readers.read, lambda path: decode(path, Path("film"), False)]


def _spec_readers() -> list[Read]:
    from radzoo.experiments import plan, source

    def of_run(path: Path) -> None:
        Path("run").mkdir(exist_ok=True)
        Path("run", "spec.yaml").write_bytes(path.read_bytes())
        plan.of_run(Path("run"))

    return [source.read, of_run]


def _model_readers() -> list[Read]:
    from hostile_models import ARRAYS

    from radzoo import hdf5
    from radzoo.backends.worker import weights
    from radzoo.preprocessing import arrays

    needed = {name: (array.shape, "float32") for name, array in ARRAYS.items()}

    def of_run(path: Path) -> None:
        weights.read(path, needed)

    def of_another(path: Path) -> None:
        weights.fitting(path, needed)

    def of_images(path: Path) -> None:
        for key in arrays.parts(path):
            arrays.column(path, key)

    return [of_run, of_another, hdf5.check, of_images]


TARGETS = {
    "images": Target(fuzz_seeds.images, _film_readers),
    "dicom": Target(fuzz_seeds.dicoms, _film_readers),
    "specs": Target(fuzz_seeds.specs, _spec_readers),
    "models": Target(fuzz_seeds.models, _model_readers),
}

if __name__ == "__main__":
    main()
