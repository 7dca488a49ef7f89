"""Who did what to which study: a log that grows only, each line sealed by the one before it.

Each line holds the SHA-256 of the line before it and of itself, and `audit_tail` that of the last.
So `check` finds a line that was changed, put in or taken out, also at the end. Whoever can write
the database and knows this file can seal a new log: so `serve` and `users audit` tell the last
digest, and where it is kept elsewhere, such as in the log of a service, `has` finds that out. What
was written after the last digest that was told is not protected so.
"""

import hashlib
import json
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from .append_only import FIRST
from .database import AuditLine, AuditTail, now


class Action(StrEnum):
    """All that is logged."""

    SIGNED_IN = "signed_in"
    REFUSED_SIGN_IN = "refused_sign_in"
    SIGNED_OUT = "signed_out"
    UPLOADED = "uploaded"
    REFUSED_UPLOAD = "refused_upload"
    VIEWED = "viewed"
    READ = "read"
    EXPORTED_PDF = "exported_pdf"
    EXPORTED_PNG = "exported_png"
    EXPORTED_DICOM = "exported_dicom"
    EXPORTED_CSV = "exported_csv"
    DELETED = "deleted"
    PURGED = "purged"
    THRESHOLD_CHANGED = "threshold_changed"
    SETTING_CHANGED = "setting_changed"
    TOKEN_MADE = "token_made"  # noqa: S105  the name of an action
    ACCOUNT_MADE = "account_made"


def write(
    session: Session, who: str, action: Action, study: str, **detail: str | float | bool | None
) -> None:
    """Add a line to the log.

    Other writers wait from here to the end of the transaction, so write last.

    Args:
        session: the transaction that does what is logged.
        who: id of a user, or another word of at most 32 characters; "" for nobody.
        action: what was done.
        study: its id; "" for none.
        detail: of what was done; never the name of a patient or a file, which may hold one.

    Raises:
        ValueError: a detail is NaN or infinite.
    """
    tail = _own_tail(session)
    line = AuditLine(
        at=f"{now().isoformat()}Z",
        who=who,
        action=str(action),
        study=study,
        detail=detail,
        previous=tail.digest,
    )
    line.digest = _digest(line)
    session.add(line)
    tail.digest = line.digest
    session.flush()


def _own_tail(session: Session) -> AuditTail:
    """The tail, which no other transaction has until this one ends."""
    session.execute(update(AuditTail).values(digest=AuditTail.digest))  # locks on every database
    return session.scalars(select(AuditTail).execution_options(populate_existing=True)).one()


def _digest(line: AuditLine) -> str:
    sealed = [line.previous, line.at, line.who, line.action, line.study, line.detail]
    text = json.dumps(sealed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def state(session: Session) -> tuple[int, str]:
    """How many lines there are, and the digest of the last: to be kept where no log is."""
    lines = session.scalar(select(func.count()).select_from(AuditLine)) or 0
    return lines, session.scalars(select(AuditTail.digest)).one()


def has(session: Session, digest: str) -> bool:
    """Whether a line has a digest that `state` gave: if not, it was taken out, or all was new."""
    same = select(AuditLine.id).where(AuditLine.digest == digest)
    return digest == FIRST or session.scalars(same).first() is not None


def check(session: Session) -> list[int]:
    """Find where the log is not as it was written; writers wait meanwhile.

    Returns:
        ids of the lines that were changed, or that do not follow the line before them; where lines
        are missing after the last, its id, or 0 if there is none. Empty if all is well.
    """
    tail = _own_tail(session)
    broken, last, last_id = [], FIRST, 0
    query = select(AuditLine).order_by(AuditLine.id).execution_options(yield_per=1000)
    for line in session.scalars(query):
        if line.previous != last or line.digest != _digest(line):
            broken.append(line.id)
        last, last_id = line.digest, line.id
    if tail.digest != last and last_id not in broken:
        broken.append(last_id)
    return broken
