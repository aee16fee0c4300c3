"""When a task comes due next: once, at an interval, or by a cron expression in a time zone.

Cron expressions have five fields (minute, hour, day, month, day of week), as crontab(5) reads them. One that
names hours of the day (`30 2 * * *`) runs once a local day on both days of a clock change: a time that does not
exist runs as much later as the clock jumps, one that comes twice runs the first time. One whose hour is `*` or
`*/n` follows the time that passes, so that `*/5 * * * *` has no gap when the clock is set back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.tasks import crontab, rules


class ScheduleError(ValueError):
    """The schedule cannot be; `field` says which part of it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Schedule:
    """Exactly one of `at`, `interval_seconds` and `cron`; the zone matters to cron alone."""

    at: dt.datetime | None = None
    interval_seconds: int | None = None
    cron: str | None = None
    timezone: str = "UTC"

    def check(self) -> Schedule:
        """Return the schedule; raises ScheduleError for one that cannot be."""
        given = [name for name in ("at", "interval_seconds", "cron") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ScheduleError("schedule", "give exactly one of a time, an interval and a cron expression")
        if self.interval_seconds is not None and self.interval_seconds < rules.MIN_INTERVAL_SECONDS:
            raise ScheduleError("interval_seconds", "at least one second")
        if self.at is not None and self.at.tzinfo is None:
            raise ScheduleError("at", "a time needs a zone")
        zone_named(self.timezone)
        if self.cron is not None:
            try:
                crontab.triggers(self.cron, "UTC")
            except crontab.CronError as error:
                raise ScheduleError("cron", str(error)) from None
        return self

    def next_after(self, moment: dt.datetime, *, anchor: dt.datetime | None = None) -> dt.datetime | None:
        """Return the first slot after a moment, None when there is none.

        Intervals count from `anchor` (the slot before), so that a late tick does not shift what follows.
        """
        if self.at is not None:
            return self.at if self.at > moment else None
        if self.interval_seconds is not None:
            step = dt.timedelta(seconds=self.interval_seconds)
            if anchor is None or anchor > moment:
                return moment + step
            return anchor + step * ((moment - anchor) // step + 1)
        return _next_cron(self.cron or "", zone_named(self.timezone), moment)

    def upcoming(
        self, moment: dt.datetime, count: int, *, anchor: dt.datetime | None = None
    ) -> list[dt.datetime]:
        """Return the next slots, at most so many."""
        found: list[dt.datetime] = []
        while len(found) < count and (slot := self.next_after(moment, anchor=anchor)) is not None:
            found.append(slot)
            moment = anchor = slot
        return found


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone; raises ScheduleError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError("timezone", f"there is no time zone {name}") from None


def _next_cron(cron: str, zone: ZoneInfo, moment: dt.datetime) -> dt.datetime | None:
    if _follows_elapsed_time(cron):
        return _fire_time(cron, moment, zone)
    # Calendar arithmetic on wall-clock times, taken for UTC, in which every time exists exactly once.
    wall = moment.astimezone(zone).replace(tzinfo=dt.UTC) - dt.timedelta(hours=25)
    while (found := _fire_time(cron, wall, None)) is not None:
        slot = _instant(found.replace(tzinfo=None), zone)
        if slot > moment:
            return slot
        wall = found
    return None


def _fire_time(cron: str, after: dt.datetime, zone: ZoneInfo | None) -> dt.datetime | None:
    try:
        found = crontab.next_fire_time(cron, after, zone.key if zone else "UTC")
    except crontab.CronError as error:
        raise ScheduleError("cron", str(error)) from None
    return None if found is None else found.astimezone(dt.UTC)


def _instant(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return when a wall-clock time is: the first of two, and past the gap where there is none."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)


def _follows_elapsed_time(cron: str) -> bool:
    return cron.split()[1].startswith("*")
