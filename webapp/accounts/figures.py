"""How many people come, for the overview."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db
from webapp.database.buckets import bucket, moment_of, rows


def new_users(since: dt.datetime, width: int) -> list[tuple[dt.datetime, int]]:
    """Return how many accounts were made, by hour."""
    hour = bucket(User.created_at, width)
    query = select(hour, func.count()).where(User.created_at >= since).group_by(hour)
    return [(moment_of(row[0]), row[1]) for row in rows(query)]


def sign_ins(since: dt.datetime, width: int) -> list[tuple[dt.datetime, int]]:
    """Return how often users signed in, by hour."""
    hour = bucket(AuditEntry.created_at, width)
    query = select(hour, func.count()).where(
        AuditEntry.event == Event.USER_SIGNED_IN.value, AuditEntry.created_at >= since
    )
    return [(moment_of(row[0]), row[1]) for row in rows(query.group_by(hour))]


def user_count() -> int:
    """Return how many accounts there are."""
    return db.session.scalar(select(func.count()).select_from(User)) or 0


def names_of(user_ids: list[int]) -> dict[int, User]:
    """Return users by internal id."""
    return {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(user_ids)))}
