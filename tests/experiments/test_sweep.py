"""Sweeps on the command line: each run once, each failure told, and none stops the others."""

import json
import os
import signal

import pytest
from disturbances import descendants, ends
from sweeps import SMALL, TWELVE, of, sweep

from radzoo.experiments import executors

FAILING = SMALL + "grid: {training.optimizer.learning_rate: [1.0e+300, 0.05]}\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(small=SMALL, twelve=TWELVE, failing=FAILING)
    return place


def test_run_trial_knows_how_many_there_are(place):
    done = place.run("run-trial", "twelve.yaml", 12)
    assert done.returncode == 2
    assert "twelve.yaml has 12 runs, from 0 to 11; got 12." in done.stderr


def test_one_failure_is_told_at_once_and_does_not_stop_the_rest(place):
    done, told = sweep(place, "failing.yaml", "--out", "failing")
    kinds = [event["event"] for event in told if event["event"] in ("error", "finished")]
    assert kinds == ["error", "finished"]
    assert done.returncode == 1
    failed, finished = of(told, "trial")
    assert (failed["state"], finished["state"]) == ("failed", "finished")
    assert "learning rate 1e+300" in failed["error"]
    folder = place.path / "failing" / "failing" / failed["folder"]
    assert json.loads((folder / "manifest.json").read_text())["state"] == "failed"
    assert (folder / "log.txt").exists()
    again, told = sweep(place, "failing.yaml", "--out", "failing")
    assert again.returncode == 1
    assert [event["was_done"] for event in of(told, "finished")] == [True]
    assert len(of(told, "error")) == 1


def test_ctrl_c_ends_the_trials_and_says_how_to_go_on(place):
    with place.start("sweep", "twelve.yaml", "--out", "stopped", "--json") as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "epoch":
                break
        begun = descendants(process.pid)
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read().splitlines()
        code = process.wait(60)
    assert code == 130
    assert "The same command goes on" in json.loads(rest[-1])["message"]
    assert len(begun) == 2
    assert all(ends(one, 40) for one in begun)


def test_every_run_is_checked_before_the_first_begins(place):
    done = place.run("sweep", "small.yaml", "--grid", "training.batch_size=[8, 0]", "--out", "bad")
    assert done.returncode == 2
    assert "training.batch_size: should be greater than 0; got 0" in done.stderr
    assert not (place.path / "bad").exists()


def test_a_dry_run_lists_the_runs_of_an_axis_from_the_command_line(place):
    axis = "--grid", "training.batch_size=[8, 16]", "--grid", "seed=[1, 2]"
    done, told = sweep(place, "small.yaml", *axis, "--dry-run", "--out", "dry")
    assert done.returncode == 0
    assert [(t["number"], *list(t["settings"].values())[1:]) for t in told] == [
        (0, 8, 1), (1, 8, 2), (2, 16, 1), (3, 16, 2),
    ]  # fmt: skip
    assert not (place.path / "dry").exists()


def test_a_sweep_shows_people_a_line_for_each_run_and_a_table(place):
    done = place.run("sweep", "failing.yaml", "--out", "failing")
    assert "0: backend=fake learning_rate=1e+300 seed=0  FAILED The loss became" in done.stdout
    assert "2 runs: 1 failed, 1 finished" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("│ 1"))
    assert row.replace("│", " ").split()[:3] == ["1", "0.05", "finished"]


def test_two_sweeps_of_one_spec_do_not_run_at_once(place):
    with place.start("sweep", "small.yaml", "--out", "twice", "--json") as first:
        first.stdout.readline()
        second = place.run("sweep", "small.yaml", "--out", "twice")
        first.communicate()
    assert second.returncode == 2
    assert "is being swept by another process" in second.stderr
    assert first.returncode == 0


def test_nothing_is_heard_of_a_trial_after_its_end():
    events = executors.Events()
    for number, kind in ((0, "run"), (1, "run"), (0, "finished"), (0, "epoch"), (1, "error")):
        events.put(number, {"event": kind})
    heard = [events.next() for _ in range(4)]
    assert [(number, event["event"]) for number, event in heard] == [
        (0, "run"), (1, "run"), (0, "finished"), (1, "error"),
    ]  # fmt: skip


def test_what_a_plug_in_prints_does_not_disturb_its_trial(place):
    (place.path / "loud.py").write_text(
        "print('noise')\ndef net(keras, classes, input_shape=(64, 64, 1)): ...\n"
    )
    place.write(loud=SMALL.replace("tiny_cnn", "'loud:net'"))
    done = place.run("sweep", "loud.yaml", "--out", "loud")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 run: 1 finished" in done.stdout


def attended(program, monkeypatch, retries=2):
    """What is told of a trial whose process is a program of the test's, and its last event."""
    monkeypatch.setattr(executors, "_PROGRAM", program)
    told = []
    request = executors.Request("small.yaml", (), False, "out")
    return executors.attend(request, told.append, lambda: "go", retries), told


def test_a_trial_that_is_killed_each_time_is_given_up_after_two_more_tries(monkeypatch):
    last, told = attended("import os; os.kill(os.getpid(), 9)", monkeypatch)
    assert [event["event"] for event in told] == ["again", "again"]
    assert (last["event"], last["kind"]) == ("error", "ProcessKilled")
    assert "try fewer workers or a smaller batch_size" in last["message"]


def test_a_trial_whose_memory_was_used_up_is_not_tried_again(monkeypatch):
    error = {"event": "error", "kind": "WorkerFailed", "message": "MemoryError", "exit_code": 1}
    last, told = attended(f"import json; print(json.dumps({error}))", monkeypatch)
    assert (last, told) == (error, [])


@pytest.mark.parametrize("garbage", ["b'7'", "b'noise'", "bytes([255, 254])", "b'{}'"])
def test_a_trial_that_writes_garbage_to_its_pipe_ends_as_failed(garbage, monkeypatch):
    program = f"import sys; sys.stdout.buffer.write({garbage} + bytes([10])); sys.exit(3)"
    last, told = attended(program, monkeypatch)
    assert (last["event"], last["kind"], told) == ("error", "WorkerFailed", [])
    assert "The trial ended with exit code 3" in last["message"]
