"""CPU time and wall time of the commands that must answer at once.

python benchmarks/startup.py [--runs 7]

The last command needs the backend cntk, and no GPU.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEC = str(ROOT / "experiments" / "adamax_dropout.yaml")
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "--help": [str(ROOT / "cli.py"), "--help"],
    "validate": [str(ROOT / "cli.py"), "validate", SPEC],
    "models list": [str(ROOT / "cli.py"), "models", "list"],
    "run --dry-run": [str(ROOT / "cli.py"), "run", SPEC, "--dry-run"],
    "run --backend cntk --device gpu": [
        str(ROOT / "cli.py"), "run", SPEC, "--backend", "cntk", "--device", "gpu",
    ],
}  # fmt: skip
REFUSED = 4  # the last one's exit code on a machine without a GPU that CNTK knows


def main() -> None:
    """Print one row a command: median of the runs after one that is not counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"median of {runs} runs, {os.cpu_count()} cores")
    print("| command | CPU, s | wall, s |")
    print("|---|---|---|")
    for name, arguments in COMMANDS.items():
        _once(arguments)
        cpu, wall = zip(*(_once(arguments) for _ in range(runs)), strict=True)
        print(f"| {name} | {statistics.median(cpu):.2f} | {statistics.median(wall):.2f} |")


def _once(arguments: list[str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, capture_output=True, check=False
        )
    assert done.returncode == (REFUSED if arguments[-1] == "gpu" else 0), done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - began


if __name__ == "__main__":
    main()
