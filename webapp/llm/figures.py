"""What the usage ledger adds up to, for the overview and the page of usage.

Of days that are added up already (`rollup`) the sums are read, of the rest the entries: one range of one index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from webapp.database.buckets import HOUR, bucket, moment_of, rows
from webapp.llm import rollup
from webapp.llm.models import UsageDay, UsageEntry, UsageHour, UsageWait
from webapp.llm.rules import WAIT_BIN_MS

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


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time: whole days that are added up, and what lies before and behind them."""

    parts: Sequence[tuple[dt.datetime, dt.datetime]]
    first: dt.datetime | None = None
    last: dt.datetime | None = None

    def entries(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the parts whose entries have to be read."""
        created = UsageEntry.created_at
        return [and_(created >= start, created < end) for start, end in self.parts]

    def added_up(self, column: InstrumentedAttribute[dt.datetime]) -> list[ColumnElement[bool]]:
        """Return the condition of the days that are added up, if there are any."""
        if self.first is None or self.last is None:
            return []
        return [and_(column >= self.first, column < self.last)]


def by_hour(start: dt.datetime, end: dt.datetime, width: int) -> list[tuple[dt.datetime, str, Sum]]:
    """Return what answers took by hour and ending."""
    span = _span(start, end) if width == HOUR else _Span([(start, end)])
    hour, found = bucket(UsageEntry.created_at, width), list[tuple[dt.datetime, str, Sum]]()
    for days in span.added_up(UsageHour.hour):
        query = select(UsageHour.hour, UsageHour.ending, *_sums_of(UsageHour)).where(days)
        found += [
            (row[0], row[1], _sum(row, 2)) for row in rows(query.group_by(UsageHour.hour, UsageHour.ending))
        ]
    for within in span.entries():
        query = select(hour, UsageEntry.ending, *_sums()).where(within)
        found += [
            (moment_of(row[0]), row[1], _sum(row, 2)) for row in rows(query.group_by(hour, UsageEntry.ending))
        ]
    return found


def waits(start: dt.datetime, end: dt.datetime, width: int) -> list[tuple[dt.datetime, int, int]]:
    """Return how many answers began after how long: hour, bin of WAIT_BIN_MS, count."""
    span = _span(start, end) if width == HOUR else _Span([(start, end)])
    hour, place = bucket(UsageEntry.created_at, width), UsageEntry.first_token_ms // WAIT_BIN_MS
    found = list[tuple[dt.datetime, int, int]]()
    for days in span.added_up(UsageWait.hour):
        kept = rows(select(UsageWait.hour, UsageWait.place, UsageWait.answers).where(days))
        found += [(row[0], row[1], row[2]) for row in kept]
    for within in span.entries():
        query = select(hour, place, func.count()).where(within, UsageEntry.first_token_ms.is_not(None))
        found += [(moment_of(row[0]), int(row[1]), row[2]) for row in rows(query.group_by(hour, place))]
    return found


def people(start: dt.datetime, end: dt.datetime) -> int:
    """Return how many users had an answer in that time."""
    span = _span(start, end)
    parts: list[Select[Any]] = [
        select(UsageEntry.user_id).where(within).distinct() for within in span.entries()
    ]
    parts += [select(UsageDay.user_id).where(days).distinct() for days in span.added_up(UsageDay.day)]
    found = union_all(*parts).subquery()
    return int(rows(select(func.count(func.distinct(found.c.user_id))))[0][0])


def by_model(start: dt.datetime, end: dt.datetime) -> list[tuple[str, Sum]]:
    """Return what each model took, the greatest first."""
    found = _together(start, end, UsageEntry.model, UsageDay.model)
    sums = [(row[0], _sum(row, 1)) for row in rows(_grouped(found))]
    return sorted(sums, key=lambda each: -each[1].tokens)


def by_user(start: dt.datetime, end: dt.datetime) -> list[tuple[int | None, Sum]]:
    """Return the users who took most, by internal id; None stands for accounts that are deleted."""
    found = _together(start, end, UsageEntry.user_id, UsageDay.user_id)
    tokens = func.sum(found.c.prompt_tokens + found.c.completion_tokens)
    return [(row[0], _sum(row, 1)) for row in rows(_grouped(found).order_by(tokens.desc()).limit(TOP))]


def _span(start: dt.datetime, end: dt.datetime) -> _Span:
    until = rollup.rolled_until()
    first = rollup.day_of(start)
    if first < start:
        first += rollup.DAY
    last = rollup.day_of(end) if until is None else min(rollup.day_of(end), until)
    if until is None or first >= last:
        return _Span([(start, end)])
    return _Span([part for part in ((start, first), (last, end)) if part[0] < part[1]], first, last)


def _together(
    start: dt.datetime,
    end: dt.datetime,
    of_entry: InstrumentedAttribute[Any],
    of_day: InstrumentedAttribute[Any],
) -> Subquery:
    """Return the sums of entries and of days by one of their columns, `key`."""
    span = _span(start, end)
    parts: list[Select[Any]] = [
        select(of_entry.label("key"), *_named(_sums())).where(within).group_by(of_entry)
        for within in span.entries()
    ]
    parts += [
        select(of_day.label("key"), *_named(_sums_of(UsageDay))).where(days).group_by(of_day)
        for days in span.added_up(UsageDay.day)
    ]
    return union_all(*parts).subquery()


def _grouped(found: Subquery) -> Select[Any]:
    return select(found.c.key, *(func.sum(found.c[name]) for name in rollup.SUMS)).group_by(found.c.key)


def _named(sums: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [each.label(name) for each, name in zip(sums, rollup.SUMS, strict=True)]


def _sums() -> Sequence[ColumnElement[Any]]:
    return (
        func.count(),
        func.sum(UsageEntry.prompt_tokens),
        func.sum(UsageEntry.completion_tokens),
        func.sum(UsageEntry.cost_micros),
        func.count(UsageEntry.cost_micros),
    )


def _sums_of(table: type[UsageDay | UsageHour]) -> Sequence[ColumnElement[Any]]:
    return tuple(func.sum(getattr(table, name)) for name in rollup.SUMS)


def _sum(row: Any, first: int) -> Sum:
    return Sum(*(int(value or 0) for value in row[first : first + 5]))
