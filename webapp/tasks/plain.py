"""Schedules in plain words: what a form asks, made into a schedule and back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flask_babel import gettext as _

from webapp.errors import Invalid
from webapp.tasks import crontab, rules
from webapp.tasks.schedules import Schedule, ScheduleError, zone_named

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS: Final = (86_400, 3600, 60, 1)
_CALENDAR: Final = re.compile(r"(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) \* (\S+)")


class How(StrEnum):
    """How often, as people say it."""

    ONCE = "once"
    EVERY = "every"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class PlainSchedule:
    """What is asked; only the parts that belong to `how` matter. `at` and `time` are in the zone."""

    how: How
    zone: str = "UTC"
    at: str = ""
    every: int | None = 1
    unit: int = 3600
    time: str = "08:00"
    days: tuple[str, ...] = ("mon",)
    day: int | None = 1
    cron: str = ""

    def schedule(self) -> Schedule:
        """Return the schedule; raises Invalid naming the part at fault."""
        made = self._made()
        try:
            return made.check()
        except ScheduleError as error:
            sentences = {
                "cron": _("This is no cron expression: minute, hour, day, month, day of the week."),
                "timezone": _("There is no such time zone."),
            }
            raise Invalid(sentences.get(error.field, str(error)), field=error.field) from None

    @classmethod
    def of(cls, schedule: Schedule) -> PlainSchedule:
        """Return how a schedule is asked for: as a cron expression where plain words do not reach."""
        zone = schedule.timezone
        if schedule.at is not None:
            return cls(How.ONCE, zone, at=f"{schedule.at.astimezone(zone_named(zone)):%Y-%m-%dT%H:%M:%S}")
        if schedule.interval_seconds is not None:
            unit = next(each for each in UNITS if schedule.interval_seconds % each == 0)
            return cls(How.EVERY, zone, every=schedule.interval_seconds // unit, unit=unit)
        cron = schedule.cron or ""
        found = _CALENDAR.fullmatch(cron)
        if found is None:
            return cls(How.CRON, zone, cron=cron)
        minute, hour, day, week = found.groups()
        time = f"{int(hour):02d}:{int(minute):02d}"
        if day == week == "*":
            return cls(How.DAILY, zone, time=time, cron=cron)
        if day == "*":
            return cls(How.WEEKLY, zone, time=time, days=days_named(week), cron=cron)
        if week == "*":
            return cls(How.MONTHLY, zone, time=time, day=int(day), cron=cron)
        return cls(How.CRON, zone, cron=cron)

    def _made(self) -> Schedule:
        match self.how:
            case How.ONCE:
                return Schedule(at=self._moment(), timezone=self.zone)
            case How.EVERY:
                return Schedule(interval_seconds=self._seconds(), timezone=self.zone)
            case How.CRON:
                return Schedule(cron=" ".join(self.cron.split()), timezone=self.zone)
            case How.DAILY:
                return Schedule(cron=f"{self._clock()} * * *", timezone=self.zone)
            case How.WEEKLY:
                days = [day for day in DAYS if day in self.days]
                if not days:
                    raise Invalid(_("Choose at least one day."), field="days")
                return Schedule(cron=f"{self._clock()} * * {','.join(days)}", timezone=self.zone)
            case How.MONTHLY:
                if self.day is None or not 1 <= self.day <= 31:
                    raise Invalid(_("Choose a day from 1 to 31."), field="day")
                return Schedule(cron=f"{self._clock()} {self.day} * *", timezone=self.zone)

    def _moment(self) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(self.at.strip())
        except ValueError:
            raise Invalid(_("Type a date and time, such as 2026-11-24 08:30."), field="at") from None
        if moment.tzinfo is None:
            try:
                moment = moment.replace(tzinfo=zone_named(self.zone))
            except ScheduleError:
                raise Invalid(_("There is no such time zone."), field="timezone") from None
        return moment.astimezone(dt.UTC)

    def _seconds(self) -> int:
        seconds = (self.every or 0) * self.unit
        if not rules.MIN_INTERVAL_SECONDS <= seconds <= rules.MAX_INTERVAL_SECONDS:
            raise Invalid(_("Type a number; the longest interval is a year."), field="interval_seconds")
        return seconds

    def _clock(self) -> str:
        """Return minute and hour as a cron expression has them."""
        try:
            time = dt.time.fromisoformat(self.time.strip())
        except ValueError:
            raise Invalid(_("Type a time, such as 08:30."), field="time") from None
        return f"{time.minute} {time.hour}"


def days_named(week: str) -> tuple[str, ...]:
    """Return the days a cron expression's last field means, from Monday on."""
    named = crontab.days_of_week(week)
    return tuple(day for day in DAYS if day in named)


@dataclass(frozen=True, slots=True)
class Preview:
    """The next times of a schedule that is being typed, or why there are none."""

    schedule: Schedule | None = None
    slots: Sequence[dt.datetime] = ()
    refusal: str = ""
