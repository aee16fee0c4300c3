"""How answers ended, for the overview."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.chat.models import Generation
from webapp.chat.rules import AnswerState
from webapp.database.buckets import rows


@dataclass(frozen=True, slots=True)
class Failures:
    """Answers of one model that failed for one reason."""

    model: str
    kind: str
    count: int
    first_at: dt.datetime
    last_at: dt.datetime


def failures(since: dt.datetime) -> list[Failures]:
    """Return what failed, by model and reason, the most frequent first."""
    query = (
        select(
            Generation.model,
            Generation.error_kind,
            func.count(),
            func.min(Generation.finished_at),
            func.max(Generation.finished_at),
        )
        .where(Generation.state == AnswerState.FAILED.value, Generation.finished_at >= since)
        .group_by(Generation.model, Generation.error_kind)
        .order_by(func.count().desc())
        .limit(5)
    )
    return [Failures(row[0], row[1] or "", row[2], row[3], row[4]) for row in rows(query)]


def interrupted(since: dt.datetime) -> tuple[int, dt.datetime | None]:
    """Return how many answers were interrupted, and when the last one was."""
    query = select(func.count(), func.max(Generation.finished_at)).where(
        Generation.state == AnswerState.INTERRUPTED.value, Generation.finished_at >= since
    )
    count, last = rows(query)[0]
    return count, last


def last_problem() -> dt.datetime | None:
    """Return when an answer failed or was interrupted for the last time."""
    moments = [
        rows(select(func.max(Generation.finished_at)).where(Generation.state == state.value))[0][0]
        for state in (AnswerState.FAILED, AnswerState.INTERRUPTED)
    ]
    known = [each for each in moments if each is not None]
    return max(known) if known else None
