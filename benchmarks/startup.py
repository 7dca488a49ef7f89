"""CPU time and wall time of the commands that must answer at once.

python benchmarks/startup.py [--runs 7] [--room RUN]

The last command needs the backend cntk, and no GPU. With the directory of a finished run, also
`serve` on it: from the command to the first page, in a home that is there already.
"""

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
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
PORT = 8467  # of the room
REFUSED = 4  # the last one's exit code on a machine without a GPU that CNTK knows


def main() -> None:
    """Print one row a command: median of the runs after one that is not counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--room", type=Path)
    asked = parser.parse_args()
    runs = asked.runs
    print(f"median of {runs} runs, {os.cpu_count()} cores")
    print("| command | CPU, s | wall, s |")
    print("|---|---|---|")
    for name, arguments in COMMANDS.items():
        _once(arguments)
        cpu, wall = zip(*(_once(arguments) for _ in range(runs)), strict=True)
        print(f"| {name} | {statistics.median(cpu):.2f} | {statistics.median(wall):.2f} |")
    if asked.room:
        with tempfile.TemporaryDirectory() as home:
            waits = [_first_page(asked.room, Path(home)) for _ in range(runs + 1)]
        print(f"| serve, to its first page | | {statistics.median(waits[1:]):.2f} |")


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


def _first_page(run: Path, home: Path) -> float:
    command = [sys.executable, str(ROOT / "cli.py"), "serve", "--run", str(run)]
    command += ["--home", str(home / "home"), "--port", str(PORT)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as room:
        while not _answers():
            time.sleep(0.02)
        took = time.monotonic() - began
        room.send_signal(signal.SIGTERM)
    return took


def _answers() -> bool:
    asked = urllib.request.Request(f"http://127.0.0.1:{PORT}/", headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(asked, timeout=5) as page:
            return page.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    main()
