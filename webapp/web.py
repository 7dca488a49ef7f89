"""The web server's process: gunicorn with the reading room in it."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from sqlalchemy.exc import SQLAlchemyError

from ..errors import RunError
from . import uploads
from .database import Database
from .hurry import Worker
from .settings import Settings

TIMEOUT_S = 180  # a request may wait for an analyst that is being begun again
GRACE_S = 15  # for requests under way at the end: before `processes.end` loses its patience


class _Server(BaseApplication):
    """Gunicorn, told what it needs to know by us and not by its command line."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        """Take our options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in each worker."""
        from .app import create

        return create(self._settings)


def main() -> None:
    """Serve until SIGTERM, or until stdin ends: whoever began this process is gone then."""
    host, port, workers, threads = sys.argv[1:5]
    settings = Settings.from_environment()
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    _Server(
        settings,
        bind=f"{host}:{port}",
        workers=int(workers),
        threads=int(threads),
        worker_class=Worker,
        timeout=TIMEOUT_S,
        graceful_timeout=GRACE_S,
        keepalive=15,
        when_ready=_ready,
        child_exit=lambda _arbiter, _worker: _end_uploads(settings),
        limit_request_line=2048,
        loglevel="warning",
        proc_name="radzoo serve",
    ).run()


def _ready(_arbiter: Arbiter) -> None:
    print("ready", flush=True)  # noqa: T201  whoever began us waits for it


def _end_uploads(settings: Settings) -> None:
    """Or what a process had under way when it was killed would keep others out for minutes."""
    with suppress(RunError, SQLAlchemyError):  # the server must not end over it
        database = Database(settings.database)
        with database.session() as session:
            uploads.end_all(session)
        database.engine.dispose()


def _outlive_nobody() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock a process that forks would pass on
        pass
    # Whoever began us was killed, and the analyst ends too: no answer is left to wait for, and the
    # next room wants our port. Workers are of our group.
    os.killpg(0, signal.SIGKILL)
