import json
import signal
import time

import pytest
from disturbances import ends

from radzoo import backends
from radzoo.backends import registry
from radzoo.errors import BackendUnavailable, ProcessKilled, WorkerFailed


@pytest.fixture
def worker_that(tmp_path, monkeypatch):
    """Registers a backend whose worker is a shell script."""

    def make(script):
        path = tmp_path / "worker"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        backend = registry.Backend("odd", "fake", "json", "nothing", python=str(path))
        monkeypatch.setitem(registry._BACKENDS, "odd", backend)

    return make


def test_a_worker_that_dies_in_the_middle_of_a_reply_is_told_as_dead(worker_that, tmp_path):
    worker_that("read request; echo 'out of luck' >&2; printf '{\"ok\": {\"dev'; kill -9 $$")
    with (
        pytest.raises(BackendUnavailable, match=r"killed by signal 9 in 'describe'.*\n.*\n.*luck"),
        backends.connect("odd", log=tmp_path / "log.txt"),
    ):
        pass


def test_a_second_ctrl_c_does_not_wait_for_the_batch(worker_that, monkeypatch):
    worker_that("read request; echo '{\"ok\": {}}'; exec sleep 60")
    wait = backends.client.subprocess.Popen.wait

    def interrupted(process, timeout=None):
        monkeypatch.setattr(backends.client.subprocess.Popen, "wait", wait)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), backends.connect("odd") as worker:
        monkeypatch.setattr(backends.client.subprocess.Popen, "wait", interrupted)
    assert worker.process.wait(10) == -signal.SIGKILL
    assert time.monotonic() - began < 20


ANSWERS = "read request; echo '{\"ok\": {}}'; read request"  # `describe`, and hears the next

SAYS_GARBAGE = [
    ("echo 'segment 7 loaded'", "what is no reply: 'segment 7 loaded"),
    (r"printf '\377\376\n'", "what is no reply: '"),
    ("echo '[1, 2]'", "what is no reply: '[1, 2]"),
    ("echo '{\"epoch\": 3}'", "what is no reply: '{"),
]


@pytest.mark.parametrize(("says", "told"), SAYS_GARBAGE)
def test_what_is_no_reply_is_told_with_its_words(says, told, worker_that):
    worker_that(f"{ANSWERS}; {says}; read more")
    with backends.connect("odd") as worker, pytest.raises(WorkerFailed) as caught:
        worker.ask("train")
    assert f"said in 'train' {told}" in str(caught.value)
    assert worker.process.returncode is not None


def test_a_library_that_cannot_be_loaded_is_no_full_disk(worker_that):
    error = {"error": {"kind": "OSError", "message": "libx.so.1: cannot open shared object file"}}
    worker_that(f"read request; cat <<'END'\n{json.dumps(error)}\nEND")
    with (
        pytest.raises(BackendUnavailable, match=r"'odd' does not start(.|\n)*libx\.so\.1"),
        backends.connect("odd"),
    ):
        pass


def test_a_worker_that_hangs_is_ended_with_its_engine_and_may_be_tried_again(
    worker_that, monkeypatch, tmp_path
):
    worker_that(f"{ANSWERS}; sleep 60 & echo $! > {tmp_path}/engine\nwait")
    monkeypatch.setattr(backends.client, "TICK_S", 0.1)
    monkeypatch.setattr(backends.client, "SILENCE_S", 0.5)
    with backends.connect("odd") as worker, pytest.raises(ProcessKilled) as caught:
        worker.ask("train")
    assert "'odd' said nothing for 0.5 s in 'train' and was ended" in str(caught.value)
    assert ends(worker.process.pid)
    assert ends(int((tmp_path / "engine").read_text()))


def test_a_worker_that_says_it_is_alive_is_waited_for_and_nobody_else_hears_it(
    worker_that, monkeypatch
):
    alive = 'sleep 0.3; echo \'{"event": "alive"}\'; ' * 4
    worker_that(f"{ANSWERS}; {alive} echo '{{\"ok\": 7}}'")
    monkeypatch.setattr(backends.client, "TICK_S", 0.2)
    monkeypatch.setattr(backends.client, "SILENCE_S", 1)  # less than it takes in all
    heard = []
    with backends.connect("odd") as worker:
        assert worker.ask("predict", heard.append) == 7
    assert heard == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("MemoryError", ""),
        ("_ArrayMemoryError", "Unable to allocate 7 GiB"),
        ("ResourceExhaustedError", "OOM when allocating tensor"),
        ("JaxRuntimeError", "RESOURCE_EXHAUSTED: Out of memory allocating 7 bytes"),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2 GiB"),
        ("RuntimeError", "DefaultCPUAllocator: can't allocate memory: you tried 7 bytes"),
    ],
)
def test_memory_that_is_used_up_is_known_by_the_words_of_every_framework(
    kind, message, worker_that
):
    error = json.dumps({"error": {"kind": kind, "message": message}})
    worker_that(f"{ANSWERS}; cat <<'END'\n{error}\nEND")
    with (
        backends.connect("odd") as worker,
        pytest.raises(WorkerFailed, match="try a smaller batch_size"),
    ):
        worker.ask("train")
