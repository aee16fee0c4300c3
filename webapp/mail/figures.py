"""How the outbox stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from webapp.database import db
from webapp.lib import clock
from webapp.mail.models import MailMessage, MailState

STUCK_AFTER: Final = dt.timedelta(minutes=5)
RECENT: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Mail that waits, mail that waits for long, and mail that failed in the last day."""

    waiting: int
    stuck: int
    failed: int
    next_attempt_at: dt.datetime | None
    last_error: str


def outbox() -> Outbox:
    """Count by state; each count reads one range of the index of due mail."""
    now = clock.utc_now()
    waiting, oldest_due = _count(MailState.QUEUED)
    old = MailMessage.created_at < now - STUCK_AFTER
    stuck, next_at = _count(MailState.QUEUED, old) if waiting else (0, None)
    failed, _ = _count(MailState.FAILED, MailMessage.next_attempt_at >= now - RECENT)
    error = db.session.scalar(
        select(MailMessage.last_error)
        .where(
            MailMessage.state.in_([MailState.QUEUED.value, MailState.FAILED.value]),
            MailMessage.next_attempt_at >= now - RECENT,
            MailMessage.last_error != "",
        )
        .order_by(MailMessage.next_attempt_at.desc())
        .limit(1)
    )
    return Outbox(waiting, stuck, failed, next_at or oldest_due, error or "")


def waiting_count() -> int:
    """Return how many mails wait to be sent."""
    return _count(MailState.QUEUED)[0]


def _count(state: MailState, *conditions: object) -> tuple[int, dt.datetime | None]:
    query = select(func.count(), func.min(MailMessage.next_attempt_at)).where(
        MailMessage.state == state.value,
        *conditions,  # type: ignore[arg-type]
    )
    count, moment = db.session.execute(query).one()
    return count, moment
