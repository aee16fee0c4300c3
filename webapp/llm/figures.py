"""What the usage ledger adds up to, for the overview and the page of usage; every query reads one range of one index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select

from webapp.database.buckets import bucket, moment_of, rows
from webapp.llm.models import UsageEntry

WAIT_BIN_MS: Final = 50
TOP: Final = 10


@dataclass(frozen=True, slots=True)
class Sum:
    """What some answers took; cost in millionths of the currency, of those whose price is known."""

    answers: int
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    priced: int

    @property
    def tokens(self) -> int:
        """Both kinds of tokens."""
        return self.prompt_tokens + self.completion_tokens


def by_hour(start: dt.datetime, end: dt.datetime, width: int) -> list[tuple[dt.datetime, str, Sum]]:
    """Return what answers took by hour and ending."""
    hour = bucket(UsageEntry.created_at, width)
    query = select(hour, UsageEntry.ending, *_sums()).where(_within(start, end))
    found = rows(query.group_by(hour, UsageEntry.ending))
    return [(moment_of(row[0]), row[1], _sum(row, 2)) for row in found]


def waits(start: dt.datetime, end: dt.datetime, width: int) -> list[tuple[dt.datetime, int, int]]:
    """Return how many answers began after how long: hour, bin of WAIT_BIN_MS, count."""
    hour, place = bucket(UsageEntry.created_at, width), UsageEntry.first_token_ms // WAIT_BIN_MS
    query = select(hour, place, func.count()).where(
        _within(start, end), UsageEntry.first_token_ms.is_not(None)
    )
    return [(moment_of(row[0]), int(row[1]), row[2]) for row in rows(query.group_by(hour, place))]


def people(start: dt.datetime, end: dt.datetime) -> int:
    """Return how many users had an answer in that time."""
    query = select(func.count(func.distinct(UsageEntry.user_id))).where(_within(start, end))
    return int(rows(query)[0][0])


def by_model(start: dt.datetime, end: dt.datetime) -> list[tuple[str, Sum]]:
    """Return what each model took, the greatest first."""
    query = select(UsageEntry.model, *_sums()).where(_within(start, end)).group_by(UsageEntry.model)
    return _greatest_first([(row[0], _sum(row, 1)) for row in rows(query)])


def by_user(start: dt.datetime, end: dt.datetime) -> list[tuple[int | None, Sum]]:
    """Return the users who took most, by internal id; None stands for accounts that are deleted."""
    tokens = func.sum(UsageEntry.prompt_tokens + UsageEntry.completion_tokens)
    query = select(UsageEntry.user_id, *_sums()).where(_within(start, end)).group_by(UsageEntry.user_id)
    return [(row[0], _sum(row, 1)) for row in rows(query.order_by(tokens.desc()).limit(TOP))]


def _sums() -> Sequence[ColumnElement[Any]]:
    return (
        func.count(),
        func.sum(UsageEntry.prompt_tokens),
        func.sum(UsageEntry.completion_tokens),
        func.sum(UsageEntry.cost_micros),
        func.count(UsageEntry.cost_micros),
    )


def _sum(row: Any, first: int) -> Sum:
    return Sum(*(int(value or 0) for value in row[first : first + 5]))


def _within(start: dt.datetime, end: dt.datetime) -> ColumnElement[bool]:
    return and_(UsageEntry.created_at >= start, UsageEntry.created_at < end)


def _greatest_first(found: list[tuple[str, Sum]]) -> list[tuple[str, Sum]]:
    return sorted(found, key=lambda each: -each[1].tokens)
