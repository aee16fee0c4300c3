"""The periods of the overview, cut into the pieces that its charts show, in the reader's zone."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from babel.dates import format_date, format_skeleton
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.database.buckets import HOUR, TEN_MINUTES
from webapp.lib import clock

T = TypeVar("T")

DAY: Final = "day"
WEEK: Final = "week"
MONTH: Final = "month"
NAMES: Final[dict[str, LazyString]] = {DAY: _l("24 hours"), WEEK: _l("7 days"), MONTH: _l("30 days")}
_DAYS: Final = {DAY: 1, WEEK: 7, MONTH: 30}


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now, in pieces of an hour or a day, and as long a stretch before it."""

    name: str
    starts: tuple[dt.datetime, ...]
    now: dt.datetime
    width: int

    @property
    def start(self) -> dt.datetime:
        """When it begins."""
        return self.starts[0]

    @property
    def before(self) -> dt.datetime:
        """When the stretch before it begins, which is as long."""
        return self.start - (self.now - self.start)

    @property
    def bounds(self) -> list[tuple[dt.datetime, dt.datetime]]:
        """Beginning and end of each piece."""
        return list(zip(self.starts, (*self.starts[1:], self.now), strict=True))

    @property
    def on_the_one_before(self) -> str:
        """What a change is measured against, in words."""
        words = {
            DAY: _("on the day before"),
            WEEK: _("on the week before"),
            MONTH: _("on the 30 days before"),
        }
        return str(words[self.name])

    def spread(self, counted: Iterable[tuple[dt.datetime, T]]) -> list[list[T]]:
        """Return what was counted by the hour, piece by piece; what lies before the period is left out."""
        pieces: list[list[T]] = [[] for _start in self.starts]
        for moment, value in counted:
            place = bisect.bisect_right(self.starts, moment) - 1
            if place >= 0:
                pieces[place].append(value)
        return pieces

    def labels(self) -> list[str]:
        """Return what stands below each piece: a time or a date."""
        return [self.label(start) for start in self.starts]

    def label(self, start: dt.datetime) -> str:
        """Return the time or the date at which a piece begins."""
        there = start.astimezone(get_timezone())
        if self.name == DAY:
            return f"{there:%H:%M}"
        if self.name == WEEK:
            return str(format_date(there.date(), "EEE", locale=get_locale()))
        return str(format_skeleton("MMMd", there, locale=get_locale()))


def period_of(name: str) -> Period:
    """Return the period of that name up to now, by default the last 24 hours."""
    name = name if name in NAMES else DAY
    now = clock.utc_now()
    zone = get_timezone()
    there = now.astimezone(zone)
    if name == DAY:
        hour = there.replace(minute=0, second=0, microsecond=0).astimezone(dt.UTC)
        starts = [hour - dt.timedelta(hours=back) for back in range(23, -1, -1)]
    else:
        today = there.date()
        days = (today - dt.timedelta(days=back) for back in range(_DAYS[name] - 1, -1, -1))
        starts = [_midnight(day, zone) for day in days]
    offset = there.utcoffset() or dt.timedelta()
    return Period(
        name, tuple(starts), now, HOUR if offset % dt.timedelta(hours=1) == dt.timedelta() else TEN_MINUTES
    )


def _midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """Return when a day begins there; pytz's zones have to be told that it is that day's offset."""
    naive = dt.datetime.combine(day, dt.time())
    localize: Callable[[dt.datetime], dt.datetime] | None = getattr(zone, "localize", None)
    return (localize(naive) if localize else naive.replace(tzinfo=zone)).astimezone(dt.UTC)
