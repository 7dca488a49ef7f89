import signal
import time

import pytest

from radzoo import backends
from radzoo.backends import registry
from radzoo.errors import BackendUnavailable


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
