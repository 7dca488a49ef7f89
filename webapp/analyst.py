"""The process that reads films: decoders and models, asked by the web processes over a socket.

A request is one line, the id of a study; the answer is one line, `done`, `refused` or `missing`.
What was found stands in the database and in the film's folder. Studies that were waiting when the
room closed are read when it opens again; what could not be read or stored then, every hour.
"""

import datetime as dt
import json
import os
import queue
import shutil
import signal
import socketserver
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ..errors import DataError, FilmRefused, RadZooError, WorkerFailed
from . import audit_log, served
from .audit_log import Action
from .card import Card
from .database import Analysis, Database, Study, now
from .decoder import Decoder, Recipe
from .films import Films
from .retention import purge, sweep
from .served import Found, Served
from .settings import Settings

DECODERS = 2
FACTS = "facts.json"
HOUR_S = 3600.0
UNCLAIMED = dt.timedelta(hours=1)  # a file may be there a moment before its study, or after


class Analyst:
    """All that a film goes through, from any number of threads.

    Args:
        settings: of the room.

    Raises:
        RadZooError: a run cannot be served.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database)
        self._films = Films(settings.home)
        self._models = [served.start(run, settings) for run in settings.runs]
        self._decoders: queue.SimpleQueue[Decoder] = queue.SimpleQueue()
        for _ in range(DECODERS):
            self._decoders.put(_warm(Decoder(), settings.home))
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def waiting(self) -> list[str]:
        """Ids of the studies that were not read yet, the oldest first."""
        with self._database.session() as session:
            wanted = select(Study.id).where(Study.state == "waiting").order_by(Study.created)
            return list(session.scalars(wanted))

    def analyse(self, study_id: str) -> str:
        """Read a study; gives its state then, or `missing` where there is none."""
        with self._database.session() as session:
            study = session.get(Study, study_id)
        if study is None:
            return "missing"
        with self._locks[study.film]:
            with self._database.session() as session:
                study = session.get(Study, study_id)
            if study is None or study.state != "waiting":  # somebody else asked for it meanwhile
                return study.state if study else "missing"
            try:
                facts = self._decoded(study)
                found = [one for model in self._models for one in self._found(study, model)]
            except FilmRefused as refused:
                return self._refuse(study, refused)
            except (WorkerFailed, DataError) as error:  # of a decoder or a model, not of the file
                sys.stderr.write(f"{error}\n")
                return self._refuse(study, FilmRefused("not_analysed"))
            return self._keep(study, facts, found)

    def purge(self) -> None:
        """Delete what is older than the room keeps, and files that belong to no study."""
        days, moment = self._settings.keep_days, now()
        if days:
            purge(self._database, self._films, moment - dt.timedelta(days=days))
        sweep(self._database, self._films, moment - UNCLAIMED, lambda film: self._locks[film])

    def close(self) -> None:
        """End the workers and the decoders."""
        for model in self._models:
            model.close()
        for _ in range(DECODERS):
            self._decoders.get().close()

    def _decoded(self, study: Study) -> dict[str, Any]:
        folder = self._films.folder(study.film)
        if (folder / FACTS).exists():  # the same file, of another user
            return json.loads((folder / FACTS).read_text(encoding="utf-8"))
        recipes = {
            model.name: Recipe(
                model.prepared.plan.spec.preprocessing,
                tuple(model.prepared.plan.spec.model.options["input_shape"]),
            )
            for model in self._models
        }
        decoder = self._decoders.get()
        try:
            folder.parent.mkdir(exist_ok=True, mode=0o700)
            shutil.rmtree(folder, ignore_errors=True)  # of a reading that was cut off
            keep = self._settings.keep_identifiers
            facts = decoder.decode(self._films.incoming(study.id), folder, keep, recipes)
            (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")
            return facts
        finally:
            self._decoders.put(decoder)

    def _found(self, study: Study, model: Served) -> list[tuple[Card, Found]]:
        found = list(model.of_each(model.analyse(self._input(study, model))))
        for card, own in found:
            for label, one in enumerate(own.maps):
                path = self._films.map_path(study.film, card.key, label)
                partial = path.with_suffix(".partial")
                Image.fromarray(one).save(partial, format="PNG")
                partial.replace(path)
        return found

    def _input(self, study: Study, model: Served) -> NDArray[np.float32]:
        path = self._films.folder(study.film) / f"model-{model.name}.npy"
        if not path.exists():  # the model came later than the film
            return model.prepared.read(self._films.path(study.film))
        image = np.load(path, allow_pickle=False)
        path.unlink()
        return image

    def _refuse(self, study: Study, refused: FilmRefused) -> str:
        with self._database.session() as session:
            kept = session.get(Study, study.id)
            if kept is not None:
                kept.state = "refused"
                kept.refusal = {"code": refused.code, "values": refused.values}
                audit_log.write(
                    session, kept.owner_id, Action.REFUSED_UPLOAD, kept.id, code=refused.code
                )
        self._films.incoming(study.id).unlink(missing_ok=True)
        return "refused"

    def _keep(self, study: Study, facts: dict[str, Any], found: list[tuple[Card, Found]]) -> str:
        with self._database.session() as session:
            kept = session.get(Study, study.id)
            if kept is None:
                return "missing"
            kept.state, kept.facts, kept.refusal = "done", facts, None
            for card, one in found:
                session.merge(_row(study.id, card, one, self._settings.method))
        self._films.incoming(study.id).unlink(missing_ok=True)
        return "done"


def _warm(decoder: Decoder, home: Path) -> Decoder:
    """Have a decoder read something, for its first file takes seconds."""
    with tempfile.TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / "warm"
        grey = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
        Image.fromarray(grey).save(path, format="PNG")
        decoder.decode(path, Path(folder) / "film", False, {})
    return decoder


def _row(study: str, card: Card, found: Found, method: str) -> Analysis:
    return Analysis(
        study_id=study,
        model=card.key,
        probabilities=found.probabilities,
        distance=found.distance,
        likeness=found.likeness,
        embedding=found.embedding.astype("<f4").tobytes(),
        method=method,
    )


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    analyst: Analyst


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        study = self.rfile.readline(64).decode("ascii", "replace").strip()
        answer = self.server.analyst.analyse(study)
        with suppress(OSError):  # who asked has gone; what was found is kept
            self.wfile.write(answer.encode() + b"\n")


def main() -> None:
    """Serve until stdin ends, which is when whoever started this process is gone."""
    settings = Settings.from_environment()
    try:
        analyst = Analyst(settings)
    except RadZooError as error:
        told = str(error).replace("\n", "\\n")
        _say(f"error: {told}")
        sys.exit(1)
    settings.socket.unlink(missing_ok=True)
    with _Server(str(settings.socket), _Handler) as server:
        server.analyst = analyst
        settings.socket.chmod(0o600)
        _say("ready")
        for work in (server.serve_forever, lambda: _catch_up(analyst), lambda: _purge(analyst)):
            threading.Thread(target=work, daemon=True).start()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # for whoever started us to pass on
        while os.read(0, 1):
            pass
        analyst.close()
    settings.socket.unlink(missing_ok=True)
    os._exit(0)  # threads that wait for a film do not hold the end up


def _say(line: str) -> None:
    """Tell whoever began this process."""
    print(line, flush=True)  # noqa: T201


def _catch_up(analyst: Analyst) -> None:
    while True:  # a film waits on if the disk was full or the database away while it was read
        for study in _or_tell(analyst.waiting) or ():
            _or_tell(analyst.analyse, study)
        time.sleep(HOUR_S)


def _purge(analyst: Analyst) -> None:
    while True:
        _or_tell(analyst.purge)
        time.sleep(HOUR_S)


def _or_tell(work: Callable[..., Any], *given: Any) -> Any:
    """Do something that is done again in an hour if it fails: its thread must not end."""
    try:
        return work(*given)
    except (SQLAlchemyError, OSError) as error:
        sys.stderr.write(f"{' '.join([work.__name__, *given])} failed: {error}\n")
