"""All that the reading room can do, without Dash and without Flask.

Whoever asks is a user's id; of another user's studies nothing is ever told, not even that they are
there. In a study that is still to be read first, what the models found is left out of every answer.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..errors import FilmRefused, UnknownName, UserError
from ..experiments import finished
from . import analyst_client, audit_log, card, examples, films, queries, reference, retention
from .audit_log import Action
from .card import Card
from .database import Analysis, Database, Reading, Study, Threshold, User
from .decoding import label as shown_name
from .films import Films
from .reference import Reference
from .seen import Seen
from .settings import Settings
from .uploads import admitted

VERDICTS = ("finding", "no_finding", "uncertain")


class NotFound(UserError):
    """There is no such study, or it is another user's, which is not to be told apart."""


class Withheld(UserError):
    """The study must be read before the model is shown."""


class Room:
    """A reading room.

    Args:
        settings: whose models have been started once, so that their cards are there.

    Raises:
        RunError: a run or the database cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database)
        self.films = Films(settings.home)
        self.cards: dict[str, Card] = {}
        self.runs: dict[str, Path] = {}
        for run in map(finished.whole, settings.runs):
            for one in card.of_run(_folder(settings, run.manifest["weights_sha256"]), run):
                self.cards[one.key], self.runs[one.key] = one, run.folder

    def card(self, key: str | None) -> Card:
        """Of a model; the first one's if none is asked for.

        Raises:
            UnknownName: it is not served.
        """
        if not key:
            return next(iter(self.cards.values()))
        if key not in self.cards:
            raise UnknownName("model", key, self.cards)
        return self.cards[key]

    def reference(self, key: str) -> Reference | None:
        """Of a model; None where its dataset was not there when it was started."""
        return self._references[key]

    def admitted(self, user: str, size: int | None) -> AbstractContextManager[None]:
        """Count an upload of a user, of so many bytes if that is known; see uploads.py."""
        known = self.settings.largest_mb * 1_000_000 if size is None else size
        return admitted(self.database, self.settings, user, known)

    def add(self, user: str, name: str, content: bytes) -> tuple[str, bool]:
        """Take a file in and have it read.

        Args:
            user: whose it becomes.
            name: as it was called there.
            content: of the file.

        Returns:
            The id of the study, and whether it is new: the same file is one study.

        Raises:
            FilmRefused: it is too large, or the user has too many studies.
        """
        limit = self.settings.largest_mb
        if len(content) > limit * 1_000_000:
            raise FilmRefused("too_big", megabytes=round(len(content) / 1e6, 1), limit=limit)
        upload = films.name_of(content)
        with self.database.session() as session:
            known = session.scalar(queries.same_upload(user, upload))
            mine = select(func.count()).select_from(Study).where(Study.owner_id == user)
            if known is None and (session.scalar(mine) or 0) >= self.settings.most_studies:
                raise FilmRefused("too_many_studies", limit=self.settings.most_studies)
        if known is not None:
            return self._again(known)
        return self._add(user, Study(owner_id=user, upload=upload, film=upload), name, content)

    def _add(self, user: str, study: Study, name: str, content: bytes) -> tuple[str, bool]:
        study.name = shown_name(name)
        try:
            with self.database.session() as session:
                session.add(study)
                session.flush()
                self.films.keep_incoming(study.id, content)
                audit_log.write(session, user, Action.UPLOADED, study.id, upload=study.upload)
        except IntegrityError:  # the same file came by another tab in the same moment
            with self.database.session() as session:
                known = session.scalar(queries.same_upload(user, study.upload))
            assert known is not None, "two files of one user with one hash"
            return self._again(known)
        analyst_client.analyse(self.settings.socket, study.id)
        return study.id, True

    def _again(self, known: Study) -> tuple[str, bool]:
        """A file that was sent once more, as where the connection was lost before the answer."""
        if known.state == "waiting":
            analyst_client.analyse(self.settings.socket, known.id)
        return known.id, False

    def add_examples(self, user: str, model: str | None) -> list[str]:
        """Take in some test images of a synthetic model; gives the ids of their studies."""
        folder = _folder(self.settings, self.card(model).weights) / "examples"
        return [self.add(user, name, content)[0] for name, content in examples.read(folder)]

    def seen(self, user: str, study_id: str, model: str | None) -> Seen:
        """A study with what a model found.

        Raises:
            NotFound: there is none of this user.
            UnknownName: the model is not served.
        """
        key = self.card(model).key
        with self.database.session() as session:
            study = self._study(session, user, study_id)
            reading = session.scalars(queries.readings([study.id])).first()
            analysis = session.get(Analysis, (study.id, key))
            found = Seen.of(study, analysis, reading, self.reads_first(session, user))
            if found.analysis is not None and not study.shown:
                study.shown = True
        return found

    def shown(self, user: str, study_id: str, model: str | None) -> Seen:
        """As `seen`, for what tells of the model and nothing else, such as an export.

        Raises:
            Withheld: the study is to be read first.
            NotFound: also where the model found nothing yet.
        """
        found = self.seen(user, study_id, model)
        if found.withheld:
            raise Withheld("The study must be read before the model is shown.")
        if found.analysis is None:
            raise NotFound("The study was not analysed.")
        return found

    def worklist(self, user: str, model: str | None) -> list[Seen]:
        """All studies of a user: by falling probability, or as they came where it is withheld."""
        key = self.card(model).key
        with self.database.session() as session:
            first = self.reads_first(session, user)
            mine = select(Study).where(Study.owner_id == user).order_by(Study.created, Study.id)
            studies = list(session.scalars(mine))
            found = queries.analyses_of(session, user, key)
            read: dict[str, Reading] = {}
            for one in session.scalars(queries.readings_of(user)):
                read.setdefault(one.study_id, one)
            rows = [
                Seen.of(study, found.get(study.id), read.get(study.id), first) for study in studies
            ]
            told = [row.study.id for row in rows if row.analysis and not row.study.shown]
            if told:
                session.execute(update(Study).where(Study.id.in_(told)).values(shown=True))
        return rows if first else sorted(rows, key=Seen.falling)

    def own_nearest(
        self, user: str, study: str, analysis: Analysis, count: int
    ) -> list[tuple[Study, float]]:
        """The user's other studies of which the model makes most nearly the same.

        Those that are still to be read first are left out, for where they lie tells of them.
        """
        with self.database.session() as session:
            others = select(Study, Analysis.embedding).join(Analysis, Analysis.study_id == Study.id)
            mine = others.where(Study.owner_id == user, Study.id != study)
            rows = session.execute(mine.where(Analysis.model == analysis.model)).all()
            if self.reads_first(session, user):
                read = set(
                    session.scalars(queries.readings_of(user).with_only_columns(Reading.study_id))
                )
                rows = [row for row in rows if row[0].id in read]
        this = np.frombuffer(analysis.embedding, "<f4")
        away = [
            (other, float(np.linalg.norm(np.frombuffer(found, "<f4") - this)))
            for other, found in rows
        ]
        return sorted(away, key=lambda pair: pair[1])[:count]

    def give_reading(self, user: str, study_id: str, verdict: str, note: str) -> Reading:
        """Keep what the doctor says; earlier readings stay on record.

        Raises:
            NotFound: there is no such study of this user.
            UserError: the verdict is none of `VERDICTS`.
        """
        if verdict not in VERDICTS:
            raise UserError(f"A verdict is one of {', '.join(VERDICTS)}; got {verdict!r}.")
        with self.database.session() as session:
            study = self._study(session, user, study_id)
            made = Reading(
                study_id=study.id, verdict=verdict, note=note[:2000], blind=not study.shown
            )
            session.add(made)
            audit_log.write(session, user, Action.READ, study.id, verdict=verdict, blind=made.blind)
        return made

    def remove(self, user: str, study_id: str) -> None:
        """Delete a study and all that was made of it.

        Raises:
            NotFound: there is no such study of this user.
        """
        with self.database.session() as session:
            study = self._study(session, user, study_id)
            retention.remove(session, self.films, [study])
            audit_log.write(session, user, Action.DELETED, study.id)

    def set_read_first(self, user: str, value: bool) -> None:
        """Whether a user reads every film before the model is shown."""
        with self.database.session() as session:
            session.execute(update(User).where(User.id == user).values(read_first=value))
            audit_log.write(session, user, Action.SETTING_CHANGED, "", read_first=value)

    def set_threshold(self, user: str, model: str, value: float) -> None:
        """Where a user cuts the probabilities of one model.

        Raises:
            UserError: it is not within (0, 1).
            UnknownName: the model is not served.
        """
        if not 0 < value < 1:
            raise UserError(f"A threshold lies between 0 and 1; got {value}.")
        known = self.card(model)
        with self.database.session() as session:
            session.merge(Threshold(user_id=user, model=known.key, value=value))
            audit_log.write(
                session, user, Action.THRESHOLD_CHANGED, "", **known.stamp, threshold=value
            )

    def threshold(self, user: str, model: str | None) -> float:
        """Where a user cuts the probabilities of a model: their choice for it, or its own."""
        known = self.card(model)
        with self.database.session() as session:
            chosen = session.get(Threshold, (user, known.key))
        return chosen.value if chosen else known.default_threshold

    def reads_first(self, session: Session, user: str) -> bool:
        """Whether a user reads every film before the model is shown."""
        found = session.get(User, user)
        return bool(found and found.read_first)

    def note(self, user: str, action: Action, study: str, **detail: Any) -> None:
        """Write a line of the audit log."""
        with self.database.session() as session:
            audit_log.write(session, user, action, study, **detail)

    def _study(self, session: Session, user: str, study_id: str) -> Study:
        study = session.get(Study, study_id)
        if study is None or study.owner_id != user:
            raise NotFound("There is no such study.")
        return study

    @cached_property
    def _references(self) -> Mapping[str, Reference | None]:
        read: dict[str, Reference | None] = {}
        for weights in {one.weights for one in self.cards.values()}:
            path = _folder(self.settings, weights) / "reference.npz"
            read[weights] = reference.load(path) if path.exists() else None
        return {
            key: known and known.of(one.facts.get("finding_number"))
            for key, one in self.cards.items()
            for known in [read[one.weights]]
        }


def _folder(settings: Settings, weights: str) -> Path:
    return settings.home / "models" / weights[:16]
