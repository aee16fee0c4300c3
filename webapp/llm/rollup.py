"""The usage ledger added up by the day, so that pages over weeks stay fast with millions of entries.

Only days that are over are added up, from the entries alone, and can be made anew at any time. An entry that comes late
has a number beyond those that were counted, so its day is made anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, func, insert, select

from webapp.database import db, write_transaction
from webapp.database.buckets import bucket, moment_of, rows
from webapp.lib import clock
from webapp.llm.models import UsageDay, UsageEntry, UsageHour, UsageRollup, UsageWait
from webapp.llm.rules import WAIT_BIN_MS

DAY: Final = dt.timedelta(days=1)
SETTLED: Final = dt.timedelta(minutes=5)  # so late an entry may still be committed
SUMS: Final = ("answers", "prompt_tokens", "completion_tokens", "cost_micros", "priced")
_DATE_LENGTH: Final = 10  # of `2026-11-24`, which both databases write first


def roll_up() -> int:
    """Add up the days that are over, and those with entries that came late; return how many days were made."""
    done = _state()
    newest = rows(select(func.max(UsageEntry.id)))[0][0] or 0
    end = day_of(clock.utc_now() - SETTLED)
    days = [] if done is None else _late(done)
    start = _first_day() if done is None else done.until
    if start is not None:
        days += [start + DAY * number for number in range((end - start).days)]
    for day in days:
        _make(day, **_added_up(day))
    _advance(end, newest)
    return len(days)


def rebuild() -> int:
    """Forget what was added up, and make it anew from the entries; return how many days were made."""
    _forget()
    return roll_up()


def rolled_until() -> dt.datetime | None:
    """Return the day before which everything is added up; None where nothing is."""
    done = _state()
    return None if done is None else done.until


def day_of(moment: dt.datetime) -> dt.datetime:
    """Return when the day of a moment begins, in UTC."""
    return moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _state() -> UsageRollup | None:
    return db.session.scalar(select(UsageRollup).execution_options(populate_existing=True))


def _first_day() -> dt.datetime | None:
    first = rows(select(func.min(UsageEntry.created_at)))[0][0]
    return None if first is None else day_of(first)


def _late(done: UsageRollup) -> list[dt.datetime]:
    """Return the days that are added up and have entries which were not counted."""
    date = bucket(UsageEntry.created_at, _DATE_LENGTH)
    late = select(date).where(UsageEntry.id > done.last_entry_id, UsageEntry.created_at < done.until)
    return [dt.datetime.fromisoformat(row[0]).replace(tzinfo=dt.UTC) for row in rows(late.distinct())]


def _added_up(day: dt.datetime) -> dict[str, Sequence[dict[str, Any]]]:
    """Return the rows of a day, read without a write transaction."""
    entry, within = UsageEntry, (UsageEntry.created_at >= day, UsageEntry.created_at < day + DAY)
    sums = (
        func.count(),
        func.sum(entry.prompt_tokens),
        func.sum(entry.completion_tokens),
        func.coalesce(func.sum(entry.cost_micros), 0),
        func.count(entry.cost_micros),
    )
    hour, place = bucket(entry.created_at), entry.first_token_ms // WAIT_BIN_MS
    of_people = rows(
        select(entry.user_id, entry.model, *sums).where(*within).group_by(entry.user_id, entry.model)
    )
    of_hours = rows(select(hour, entry.ending, *sums).where(*within).group_by(hour, entry.ending))
    waited = select(hour, place, func.count()).where(*within, entry.first_token_ms.is_not(None))
    return {
        "days": [{"day": day, "user_id": row[0], "model": row[1], **_sums(row)} for row in of_people],
        "hours": [{"hour": moment_of(row[0]), "ending": row[1], **_sums(row)} for row in of_hours],
        "waits": [
            {"hour": moment_of(row[0]), "place": int(row[1]), "answers": row[2]}
            for row in rows(waited.group_by(hour, place))
        ],
    }


def _sums(row: Any) -> dict[str, int]:
    return {name: int(value) for name, value in zip(SUMS, row[2:], strict=True)}


@write_transaction
def _make(day: dt.datetime, **made: Sequence[dict[str, Any]]) -> None:
    """Put what a day adds up to in the place of what was there."""
    for table, column, found in (
        (UsageDay, UsageDay.day, made["days"]),
        (UsageHour, UsageHour.hour, made["hours"]),
        (UsageWait, UsageWait.hour, made["waits"]),
    ):
        _run(delete(table).where(column >= day, column < day + DAY))
        if found:
            db.session.execute(insert(table), found)


@write_transaction
def _advance(until: dt.datetime, last_entry_id: int) -> None:
    done = db.session.scalar(select(UsageRollup).with_for_update())
    if done is None:
        db.session.add(UsageRollup(id=1, until=until, last_entry_id=last_entry_id))
    else:
        done.until, done.last_entry_id = max(done.until, until), max(done.last_entry_id, last_entry_id)


@write_transaction
def _forget() -> None:
    for table in (UsageRollup, UsageDay, UsageHour, UsageWait):
        _run(delete(table))


def _run(statement: Any) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})
