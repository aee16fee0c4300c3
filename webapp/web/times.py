"""Days and times as one reader sees them: who shows many asks once for the reader's zone and language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from babel import Locale
from babel.dates import format_date
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _
from markupsafe import Markup, escape

from webapp.lib import clock

_ENGLISH_DATES: Final = Locale.parse("en_GB")


@dataclass(frozen=True, slots=True)
class Times:
    """Times for one reader, at one moment."""

    zone: Any
    locale: Locale
    now: dt.datetime

    @classmethod
    def of_reader(cls) -> Times:
        """Return those of the request at hand."""
        return cls(get_timezone(), date_locale(), clock.utc_now())

    def date(self, moment: dt.datetime) -> Markup:
        """Return day, month and year, as a time element."""
        return time_element(moment, self._day(moment))

    def ago(self, moment: dt.datetime) -> Markup:
        """Return how long ago it was, and from the day before yesterday on its date, as a time element."""
        moment = aware(moment)
        minutes = int((self.now - moment).total_seconds()) // 60
        if minutes < 1:
            return time_element(moment, _("just now"))
        if minutes < 60:
            return time_element(moment, _("%(count)s min ago", count=minutes))
        if minutes >= 3 * 24 * 60:
            return self.date(moment)
        days = (self.now.astimezone(self.zone).date() - moment.astimezone(self.zone).date()).days
        if days == 0 or minutes < 12 * 60:
            return time_element(moment, _("%(count)s h ago", count=minutes // 60))
        return time_element(moment, _("yesterday") if days == 1 else self._day(moment))

    def _day(self, moment: dt.datetime) -> str:
        return date_text(aware(moment).astimezone(self.zone).date(), "medium", self.locale)


def aware(moment: dt.datetime) -> dt.datetime:
    """Return the moment with a zone; MariaDB hands back UTC without one."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def date_locale() -> Locale:
    """Return the locale of dates: the reader's, with the day before the month in English."""
    locale = get_locale()
    return _ENGLISH_DATES if locale is None or locale.language == "en" else locale


@lru_cache(maxsize=4096)
def date_text(day: dt.date, style: Literal["medium", "long"], locale: Locale) -> str:
    """Return a day in words; a list has the same days again and again."""
    return format_date(day, style, locale=locale)


def time_element(moment: dt.datetime, words: str) -> Markup:
    """Return the words with the exact moment for machines."""
    exact = aware(moment).isoformat(timespec="seconds")
    return Markup(f'<time datetime="{exact}">{escape(words)}</time>')  # noqa: S704  # digits, and words made safe
