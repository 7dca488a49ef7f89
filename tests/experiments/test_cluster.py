"""The same sweep on a Dask cluster that was started by hand, as docs/studies.md says."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from disturbances import children, descendants
from sweeps import TWELVE, of, runs, sweep

pytest.importorskip("distributed")

DASK = [sys.executable, "-m", "dask"]
SLOT = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--host", "127.0.0.1"]


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(twelve=TWELVE)
    return place


def start(place, name, *arguments):
    """A process of Dask's that writes to a log; it finds radzoo as the command line does."""
    env = {**place.env, "PYTHONPATH": str(place.root), "PYTHONWARNINGS": "default"}
    with open(place.path / f"{name}.log", "w") as log:
        return subprocess.Popen(
            [*DASK, *arguments], cwd=place.path, env=env, stdout=log, stderr=log
        )


def said(place, name, pattern):
    """Wait for what a process writes to its log."""
    for _ in range(600):
        found = re.search(pattern, (place.path / f"{name}.log").read_text())
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError((place.path / f"{name}.log").read_text())


@pytest.fixture(scope="module")
def cluster(place):
    """The address of a scheduler with two workers, and the processes of these."""
    scheduler = start(
        place, "scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
    )
    address = said(place, "scheduler", r"Scheduler at:\s+(tcp://127.0.0.1:\d+)").group(1)
    workers = [start(place, f"worker{n}", "worker", address, *SLOT) for n in (1, 2)]
    for number in 1, 2:
        said(place, f"worker{number}", r"Registered to:|Starting established connection")
    yield address, workers
    for process in (*workers, scheduler):
        process.send_signal(signal.SIGINT)
        process.wait(30)


GRID = ("--set", "grid={training.batch_size: [4, 8], seed: [0, 1]}")


def test_a_sweep_runs_on_the_workers_and_survives_the_death_of_one(cluster, place):
    address, workers = cluster
    told, struck = [], None
    arguments = "--executor", "dask", "--address", address, "--json"
    with place.start("sweep", "twelve.yaml", *GRID, *arguments) as process:
        for line in process.stdout:
            told.append(line)
            if struck is None and '"event": "epoch"' in line:
                struck = next(one for one in workers if len(descendants(one.pid)) > 1)
                os.kill(children(struck.pid)[0], signal.SIGKILL)  # its nanny starts another
        error, code = process.stderr.read(), process.wait(60)
    assert code == 0, error
    assert len(runs(place.path / "runs" / "twelve")) == 4
    alone, _ = sweep(place, "twelve.yaml", *GRID, "--out", "alone")
    assert alone.returncode == 0
    both = (runs(place.path / out / "twelve") for out in ("runs", "alone"))
    for one, other in zip(*both, strict=True):
        assert one.name == other.name
        for name in ("weights.safetensors", "predictions.csv", "metrics.json"):
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_ctrl_c_in_the_driver_ends_the_trials_on_the_workers(cluster, place):
    address, workers = cluster
    arguments = "--executor", "dask", "--address", address, "--out", "stopped", "--json"
    with place.start("sweep", "twelve.yaml", *arguments) as process:
        for line in process.stdout:
            if '"event": "epoch"' in line:
                break
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    for _ in range(400):
        trials = [one for worker in workers for one in descendants(worker.pid) if is_trial(one)]
        if not trials:
            break
        time.sleep(0.1)
    assert not trials
    assert len(runs(place.path / "stopped" / "twelve")) < 12


def is_trial(process):
    try:
        with open(f"/proc/{process}/cmdline") as file:
            return "experiments.trial" in file.read()
    except OSError:
        return False


def test_a_scheduler_that_is_not_there_is_told_before_any_run(place):
    done, told = sweep(
        place, "twelve.yaml", "--executor", "dask", "--address", "tcp://127.0.0.1:9", "--out", "no"
    )
    assert done.returncode == 3
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in told[-1]["message"]
    assert not of(told, "run")


def test_an_address_that_strangers_can_listen_to_is_refused(place):
    done = place.run(
        "sweep", "twelve.yaml", "--executor", "dask", "--address", "tcp://10.0.0.1:8786"
    )
    assert done.returncode == 2
    assert "is neither encrypted nor on this machine" in done.stderr
