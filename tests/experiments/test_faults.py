"""Faults in the middle of a run: each is told with its code, and the next attempt loses nothing.

Kills and signals to the command are in `test_interruptions`; this is what else can happen to it.
"""

import csv
import os
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from attempts import SPEC, attempt, folder, history, manifest, one, struck, worker
from PIL import Image

from radzoo import errors
from radzoo.experiments import runner

TABLE = "dataset={name: table, options: {path: films/labels.csv, classes: {healthy: 0, ill: 1}}}"
FULL = 300  # bytes that a file may have on a disk that is to look full


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def place(tmp_path, cache, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADZOO_CACHE", str(cache))
    Path("struck.yaml").write_text(SPEC)


def resumed_after(told):
    return [len(event["history"]) for event in told if event["event"] == "resumed"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cache):
    """The weights and the history of a run that was left alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        patch.setenv("RADZOO_CACHE", str(cache))
        Path("struck.yaml").write_text(SPEC)
        attempt("whole")
        return (folder("whole") / "weights.safetensors").read_bytes(), history("whole")


def is_as_if_undisturbed(out, undisturbed):
    weights, rows = undisturbed
    assert [row["epoch"] for row in rows] == list("123456")
    assert history(out) == rows
    assert (folder(out) / "weights.safetensors").read_bytes() == weights


def has_no_drafts(out):
    """But for those of the attempt that this process has just interrupted."""
    mine = {".lease", f".work-{os.getpid()}"}
    found = [*folder(out).glob(".*"), *folder(out).glob("plots/.*")]
    assert {path.name for path in found} <= mine


def cut(share):
    return lambda content: content[: int(len(content) * share)]


DAMAGES = {
    "weights cut to nothing": ("weights.safetensors", cut(0)),
    "weights cut in half": ("weights.safetensors", cut(0.5)),
    "weights without their last byte": ("weights.safetensors", lambda content: content[:-1]),
    "a bit flipped in the optimiser": (
        "optimizer.safetensors",
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ),
    "a bit flipped in the best weights": (
        "best.safetensors",
        lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    ),
    "progress cut in half": ("progress.json", cut(0.5)),
    "hashes cut in half": ("hashes.json", cut(0.5)),
}


@pytest.fixture(scope="module")
def halfway(tmp_path_factory, cache):
    """The folder of all runs, in it one that was killed after its fourth epoch."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("halfway")
        patch.chdir(place)
        patch.setenv("RADZOO_CACHE", str(cache))
        Path("struck.yaml").write_text(SPEC)
        kill = lambda: os.kill(worker(), signal.SIGKILL)  # noqa: E731
        error = struck("cut", errors.ProcessKilled, at=("epoch", 2), mischief=kill)
        assert error.exit_code == 1
        return place / "cut"


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_older_state_serves_where_the_newest_is_damaged(damage, halfway, undisturbed):
    shutil.copytree(halfway, "cut")
    states = sorted(folder("cut").glob("state-*"))
    spoil(states[-1], *DAMAGES[damage])
    told = attempt("cut")
    assert resumed_after(told) == [int(states[0].name.removeprefix("state-"))]
    is_as_if_undisturbed("cut", undisturbed)


def spoil(state, name, change):
    """Change a file where it lies: a second name of it, in another state, would change too."""
    with (state / name).open("r+b") as file:
        changed = change(file.read())
        file.seek(0)
        file.write(changed)
        file.truncate()


def test_a_run_all_of_whose_states_are_damaged_says_so_and_does_not_begin_anew(halfway):
    shutil.copytree(halfway, "cut")
    for state in folder("cut").glob("state-*"):
        spoil(state, "weights.safetensors", cut(0.5))
    before = sorted(path.name for path in folder("cut").glob("state-*"))
    told = struck("cut", errors.CheckpointDamaged)
    assert told.exit_code == 1
    for words in (*before, "do not match their hashes", "remove the folder"):
        assert words in str(told)
    assert sorted(path.name for path in folder("cut").glob("state-*")) == before
    assert (manifest("cut")["state"], manifest("cut")["error"]) == ("failed", str(told))


def test_a_worker_that_is_stopped_and_let_go_on_loses_nothing(undisturbed):
    def stand_still():
        os.kill(worker(), signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(worker(), signal.SIGCONT)

    told = attempt("cut", at=("epoch", 2), mischief=stand_still)
    assert resumed_after(told) == []
    is_as_if_undisturbed("cut", undisturbed)


def limit_worker(kind, amount):
    return lambda: resource.prlimit(worker(), kind, (amount, amount))


def test_a_disk_that_is_full_for_a_state_keeps_the_one_before(undisturbed):
    with pytest.raises(errors.Interrupted):
        runner.run(one(), Path("cut"), stop_after(2))
    full = limit_worker(resource.RLIMIT_FSIZE, FULL)
    error = struck("cut", errors.RunError, at=("stage", "training"), mischief=full)
    assert error.exit_code == 2
    assert "Free some space" in str(error)
    assert "\n" not in str(error)
    assert manifest("cut")["error"] == str(error)
    assert resumed_after(attempt("cut"))[0] >= 2
    has_no_drafts("cut")
    is_as_if_undisturbed("cut", undisturbed)


def stop_after(epoch):
    def tell(event):
        if event["event"] == "epoch" and event["epoch"] >= epoch:
            raise KeyboardInterrupt

    return tell


def test_a_log_that_finds_no_room_costs_its_lines_alone(undisturbed):
    with pytest.raises(errors.Interrupted):
        runner.run(one(), Path("cut"), stop_after(1))
    with (folder("cut") / "log.txt").open("a") as log:
        log.write("x" * 50_000)
    full = limit_worker(resource.RLIMIT_FSIZE, 40_000)
    attempt("cut", at=("stage", "training"), mischief=full)
    is_as_if_undisturbed("cut", undisturbed)


def test_a_disk_that_is_full_for_the_report_leaves_a_run_that_is_not_finished():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # metrics have room

    try:
        error = struck(
            "cut", errors.RunError, at=("stage", "measuring"), mischief=fill, until="never"
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.exit_code == 2
    assert "cannot be written: File too large" in str(error)
    assert manifest("cut")["state"] == "failed"
    whole = [path for path in folder("cut").glob("plots/[!.]*") if path.stat().st_size >= 20_000]
    assert not whole  # a file that was cut has the name of a draft
    told = attempt("cut", until="measuring")
    assert not [event for event in told if event["event"] == "epoch"]  # nothing is trained again
    has_no_drafts("cut")


def test_memory_that_is_used_up_is_told_with_a_way_out():
    def little():
        pages = int(Path(f"/proc/{worker()}/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 2**28
        resource.prlimit(worker(), resource.RLIMIT_AS, (limit, limit))

    large = "training.batch_size=100000"  # of 64 x 64: 1.6 GB as float32
    error = struck("cut", errors.WorkerFailed, large, at=("stage", "training"), mischief=little)
    assert error.exit_code == 1
    assert not isinstance(error, errors.ProcessKilled)  # which a sweep would try again
    assert "MemoryError" in str(error)
    assert "try a smaller batch_size" in str(error)
    assert (manifest("cut")["state"], manifest("cut")["error"]) == ("failed", str(error))


def test_a_loss_that_is_no_number_is_told_and_leaves_no_weights():
    rate = "training.optimizer.learning_rate=1e308"
    error = struck("cut", errors.TrainingDiverged, rate)
    assert error.exit_code == 1
    assert "smaller training.optimizer.learning_rate" in str(error)
    assert manifest("cut")["error"] == str(error)
    assert not (folder("cut") / "weights.safetensors").exists()
    assert str(struck("cut", errors.TrainingDiverged, rate)) == str(error)


@pytest.fixture
def films():
    """Forty images with a table of them."""
    Path("films").mkdir()
    draw, rows = np.random.default_rng(0), ["path,label,patient"]
    for number in range(40):
        pixels = draw.integers(0, 120, (64, 64)) + 100 * (number % 2)
        Image.fromarray(pixels.astype("uint8")).save(f"films/{number}.png")
        rows.append(f"{number}.png,{number % 2},P{number}")
    Path("films/labels.csv").write_text("\n".join(rows) + "\n")
    return Path("films")


def test_images_that_vanish_or_spoil_in_mid_run_are_in_the_array_already(films):
    attempt("whole", TABLE)

    def ruin():
        (films / "1.png").unlink()
        (films / "2.png").write_bytes((films / "2.png").read_bytes()[:100])

    attempt("cut", TABLE, at=("epoch", 1), mischief=ruin)
    whole, broken = (folder(out) / "weights.safetensors" for out in ("whole", "cut"))
    assert broken.read_bytes() == whole.read_bytes()
    with pytest.raises(errors.DataError, match=r"1 of 40 images are missing: line 3: .*1\.png"):
        attempt("cut", TABLE)


def test_an_image_that_was_changed_makes_another_run_and_leaves_the_old_one(films):
    with pytest.raises(errors.Interrupted):
        runner.run(one(TABLE), Path("cut"), stop_after(2))
    old = folder("cut")
    Image.fromarray(np.full((64, 64), 7, "uint8")).save(films / "1.png")
    told = attempt("cut", TABLE)
    assert resumed_after(told) == []
    assert len(list(Path("cut").glob("struck/*"))) == 2
    assert list(old.glob("state-*"))


def test_the_same_run_begun_twice_at_once_is_done_once(undisturbed):
    met = []

    def begin_again():
        with pytest.raises(errors.RunHeld, match="worked on by another process") as caught:
            runner.run(one(), Path("cut"), lambda event: None)
        met.append(caught.value.exit_code)

    attempt("cut", at=("epoch", 2), mischief=begin_again)
    assert met == [2]
    is_as_if_undisturbed("cut", undisturbed)


def test_a_clock_that_is_set_back_changes_no_duration(undisturbed, monkeypatch):
    """Each look at it gives an hour less, here and in the worker."""
    Path("back").mkdir()
    Path("back/sitecustomize.py").write_text(
        "import itertools, time\n"
        "hours, real = itertools.count(1), time.time\n"
        "time.time = lambda: real() - 3600 * next(hours)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(Path("back").resolve()))
    hours, real = iter(range(1, 10**6)), time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600 * next(hours))
    monkeypatch.setattr(runner.provenance, "now", lambda: f"{2000 - next(hours)}-01-01T00:00:00")
    monkeypatch.setattr(runner, "_measure", lambda *_: {})  # seconds of drawing
    monkeypatch.setattr(runner, "_report", lambda *_: None)
    attempt("cut", until="never")
    is_as_if_undisturbed("cut", undisturbed)
    with (folder("cut") / "history.csv").open() as file:
        for row in csv.DictReader(file):
            assert 0 <= float(row["seconds"]) < 60
            assert float(row["images_per_s"]) > 0
    assert 0 < manifest("cut")["wall_time_s"] < 60


def test_a_run_whose_folder_is_removed_says_so_and_can_be_had_again(undisturbed):
    def remove():
        shutil.rmtree(folder("cut").rename("gone"))  # the worker writes to it meanwhile

    with pytest.raises(errors.RunError, match="No such file") as caught:
        attempt("cut", at=("epoch", 1), mischief=remove)
    assert caught.value.exit_code == 2
    assert not list(Path("cut").glob("struck/*/*"))
    attempt("cut")
    is_as_if_undisturbed("cut", undisturbed)
