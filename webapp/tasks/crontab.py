"""Cron expressions as crontab(5) reads them, for APScheduler, which counts the days of the week from Monday.

Here 0 and 7 are Sunday. An expression that names days of the month and days of the week comes on either of them; where
one of the two fields begins with a star, only on days that fit both.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

from apscheduler.triggers.cron import CronTrigger

DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")  # as cron counts them
FIELDS: Final = 5


class CronError(ValueError):
    """This is no cron expression."""


def next_fire_time(cron: str, after: dt.datetime, zone: str) -> dt.datetime | None:
    """Return the first time later than a moment, in the zone; raises CronError."""
    moment = after + dt.timedelta(microseconds=1)
    found = [trigger.get_next_fire_time(None, moment) for trigger in triggers(cron, zone)]
    return min((each for each in found if each is not None), default=None)


@lru_cache(maxsize=256)
def triggers(cron: str, zone: str) -> tuple[CronTrigger, ...]:
    """Return the triggers that an expression amounts to: it comes whenever one of them does; raises CronError."""
    fields = cron.split()
    if len(fields) != FIELDS:
        raise CronError(f"five fields are needed, not {len(fields)}")
    minute, hour, day, month, week = fields
    named = week if week.startswith("*") and "/" not in week else ",".join(days_of_week(week))
    if day.startswith("*") or week.startswith("*"):
        return (_trigger(minute, hour, day, month, named, zone),)
    return (
        _trigger(minute, hour, day, month, "*", zone),
        _trigger(minute, hour, "*", month, named, zone),
    )


def days_of_week(text: str) -> tuple[str, ...]:
    """Return the names of the days that a field for days of the week has, from Sunday on; raises CronError."""
    found = {number % 7 for part in text.lower().split(",") for number in _numbers(part)}
    return tuple(DAYS[number] for number in sorted(found))


def _numbers(part: str) -> range:
    """Return the days of one part of the field: a star, a day or a range, with or without a step."""
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        raise CronError(f"{part} has no step")
    if span == "*":
        return range(0, 7, int(step or 1))
    first, dash, last = span.partition("-")
    begin = _number(first)
    end = _number(last) if dash else (6 if slash else begin)
    if end == 0 and last == DAYS[0]:
        end = 7  # fri-sun
    if end < begin:
        raise CronError(f"{span} ends before it begins")
    return range(begin, end + 1, int(step or 1))


def _number(day: str) -> int:
    if day in DAYS:
        return DAYS.index(day)
    if not (day.isdecimal() and int(day) <= 7):
        raise CronError(f"{day or 'nothing'} is no day of the week: 0 to 7, or sun to sat")
    return int(day)


def _trigger(minute: str, hour: str, day: str, month: str, week: str, zone: str) -> CronTrigger:
    try:
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=week, timezone=zone)
    except (ValueError, TypeError) as error:
        raise CronError(str(error)) from None
