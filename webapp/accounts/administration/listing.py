"""Pages of the list of users, which cost the same at its beginning and at its end, and what stands beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Flask, current_app
from sqlalchemy import Row, func, select

from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.administration.sources import Usage, usage_of
from webapp.accounts.models import User
from webapp.database import db, sorted_rows
from webapp.lib import clock

USERS_PER_PAGE: Final = 50
COUNTED_TO: Final = 10_000  # beyond it the number is told as "more than"
COUNTS_KEPT_SECONDS: Final = 60
USAGE_DAYS: Final = 30
_COUNTS: Final = "user_counts"
COLUMNS: Final = (
    User.id,
    User.public_id,
    User.display_name,
    User.username,
    User.email,
    User.state,
    User.verified_at,
    User.last_seen_at,
    User.created_at,
    User.last_login_at,
    User.sort_name,
    User.email_canonical,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of users, with what they used in the last days."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    usage: dict[int, Usage]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users there are, and how many were active in the last 24 hours; up to COUNTED_TO."""

    people: int
    active: int


class CountKeeper:
    """The counts as this process knows them: at most a minute old, so that pages do not count."""

    def __init__(self) -> None:
        self._counts = Counts(0, 0)
        self._counted_at = float("-inf")

    def current(self) -> Counts:
        """Return the counts."""
        now = clock.monotonic()
        if now - self._counted_at > COUNTS_KEPT_SECONDS:
            self._counts, self._counted_at = _count(), now
        return self._counts


def init_app(app: Flask) -> None:
    """Give the application its counts."""
    app.extensions[_COUNTS] = CountKeeper()


def list_users(
    chosen: UserFilter, *, after: str | None = None, before: str | None = None, limit: int = USERS_PER_PAGE
) -> Listing:
    """Return a page of the users that the filter lets through."""
    query = select(*COLUMNS).where(*chosen.conditions())
    page = sorted_rows(query, chosen.order, after=after, before=before, limit=limit)
    usage = usage_of([row.id for row in page.items], clock.utc_now() - dt.timedelta(days=USAGE_DAYS))
    return Listing(page.items, usage, page.next_cursor, page.previous_cursor)


def matching_ids(chosen: UserFilter, limit: int) -> Sequence[int]:
    """Return the ids of the users that the filter lets through, in its order, one more than the limit at most."""
    order = chosen.order
    by = (order.column.desc(), order.key.desc()) if order.descending else (order.column, order.key)
    query = select(User.id).where(*chosen.conditions()).order_by(*by)
    return db.session.scalars(query.limit(limit + 1)).all()


def ids_of(public_ids: Collection[str]) -> dict[str, int]:
    """Return the ids of users by their public ids; those that do not exist are left out."""
    query = select(User.public_id, User.id).where(User.public_id.in_(public_ids))
    return {row.public_id: row.id for row in db.session.execute(query)}


def counts() -> Counts:
    """Return how many users there are, as it was known within the last minute."""
    return cast("CountKeeper", current_app.extensions[_COUNTS]).current()


def _count() -> Counts:
    since = clock.utc_now() - dt.timedelta(days=1)
    everybody = select(User.id).limit(COUNTED_TO + 1).subquery()
    active = select(User.id).where(User.last_seen_at >= since).limit(COUNTED_TO + 1).subquery()
    return Counts(
        *(db.session.scalar(select(func.count()).select_from(each)) or 0 for each in (everybody, active))
    )
