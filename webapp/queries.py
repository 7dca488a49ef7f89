"""What is asked of the database more than once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from .database import Analysis, Reading, Study, Threshold


def same_upload(user: str, upload: str) -> Any:
    """The study of a user that was made of the same file."""
    return select(Study).where(Study.owner_id == user, Study.upload == upload)


def readings(ids: Sequence[str]) -> Any:
    """Of some studies, the latest first."""
    return select(Reading).where(Reading.study_id.in_(ids)).order_by(Reading.id.desc())


def readings_of(user: str) -> Any:
    """Of all studies of a user, the latest first."""
    mine = select(Reading).join(Study, Study.id == Reading.study_id).where(Study.owner_id == user)
    return mine.order_by(Reading.id.desc())


def scores(session: Session, study: str, keys: Sequence[str]) -> dict[str, float]:
    """The probabilities of the positive class that some models gave a study, by their keys."""
    wanted = select(Analysis.model, Analysis.probabilities)
    rows = session.execute(wanted.where(Analysis.study_id == study, Analysis.model.in_(keys)))
    return {key: probabilities[-1] for key, probabilities in rows}


def thresholds(session: Session, user: str, keys: Sequence[str]) -> dict[str, float]:
    """Where a user chose to cut the probabilities of some models, by their keys."""
    wanted = select(Threshold).where(Threshold.user_id == user, Threshold.model.in_(keys))
    return {one.model: one.value for one in session.scalars(wanted)}


def analyses_of(session: Session, user: str, key: str) -> dict[str, Analysis]:
    """What a model found in the studies of a user, by study; without the embeddings."""
    found = select(Analysis).options(defer(Analysis.embedding))
    found = found.join(Study, Study.id == Analysis.study_id)
    wanted = found.where(Analysis.model == key, Study.owner_id == user)
    return {one.study_id: one for one in session.scalars(wanted)}
