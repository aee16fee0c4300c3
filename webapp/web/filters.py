"""What templates can say beyond plain Jinja: icons, asset addresses, times in the reader's zone, people."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zlib
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

from babel.dates import format_skeleton, get_datetime_format
from babel.dates import get_timezone as zone_called
from flask import Flask
from flask_babel import format_decimal, get_locale, get_timezone
from markupsafe import Markup

from webapp.config import current_settings
from webapp.lib import useragents
from webapp.web.assets import asset_url
from webapp.web.icons import ICONS
from webapp.web.times import Times, aware, date_locale, date_text, time_element

NO_BREAK: Final = "\u00a0"
SIGNS: Final = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
TINTS: Final = ("", "a2", "a3", "a4")


def init_app(app: Flask) -> None:
    """Add the filters and globals to the template environment."""
    app.jinja_env.globals.update(asset_url=asset_url, html_lang=html_lang, icon=icon)
    app.jinja_env.filters.update(
        initials=initials,
        tint=tint,
        date=local_date,
        day=local_day,
        weekday=weekday,
        clock=local_clock,
        moment=local_moment,
        ago=local_ago,
        mail_moment=mail_moment,
        number=format_number,
        decimal=one_decimal,
        device=useragents.device,
        money=money,
    )


def one_decimal(value: float) -> str:
    """Return a number with one digit behind the point, as the reader's language writes it."""
    return str(format_decimal(value, "0.0"))


def format_number(value: int) -> str:
    """Return a whole number with its thousands apart, as the reader's language writes it."""
    return str(format_decimal(value))


def money(micros: int) -> str:
    """Return an amount, given in millionths, with its currency: small ones to two digits that count."""
    amount, currency = Decimal(micros) / 1_000_000, current_settings().price_currency
    places = 2 if amount >= 1 or not amount else min(6, max(2, 1 - amount.adjusted()))
    return SIGNS.get(currency, currency + NO_BREAK) + str(
        format_decimal(amount, "#,##0.00" + "#" * (places - 2))
    )


def icon(name: str, *, small: bool = False, extra: str = "") -> Markup:
    """Return an icon of the sprite, hidden from screen readers: the name belongs on the control around it."""
    if name not in ICONS:
        raise LookupError(f"There is no icon named {name}.")
    classes = " ".join(filter(None, ("icon", "sm" if small else "", extra)))
    return _icon(classes, asset_url("icons.svg"), name)


@lru_cache(maxsize=1024)
def _icon(classes: str, sprite: str, name: str) -> Markup:
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"></use></svg>').format(
        classes, sprite, name
    )


def html_lang() -> str:
    """Return the language in force as HTML names it; in mail that is the receiver's, not a request's."""
    locale = get_locale()
    return "zh-CN" if locale is not None and locale.language == "zh" else "en"


def initials(name: str) -> str:
    """Return one character for a Chinese, Japanese or Korean name, else the first and last word's letters."""
    words = name.split()
    if not words:
        return "?"
    if unicodedata.east_asian_width(words[0][0]) in {"W", "F"}:
        return words[0][0]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])
    return letters.upper()


def tint(key: str) -> str:
    """Return a person's colour class, always the same for the same key."""
    return TINTS[zlib.crc32(key.encode()) % len(TINTS)]


def local_date(moment: dt.datetime) -> Markup:
    """Return day, month and year in the reader's language and zone, as a time element."""
    return Times.of_reader().date(moment)


def local_day(moment: dt.datetime) -> Markup:
    """Return day and month without the year, as a time element."""
    return time_element(moment, format_skeleton("MMMd", _there(moment), locale=date_locale()))


def weekday(day: dt.date) -> str:
    """Return a day with the name of its weekday, short."""
    return str(format_skeleton("MMMEd", dt.datetime.combine(day, dt.time()), locale=date_locale()))


def local_clock(moment: dt.datetime) -> Markup:
    """Return hours and minutes in the reader's zone, as a time element."""
    return time_element(moment, f"{_there(moment):%H:%M}")


def local_moment(moment: dt.datetime) -> Markup:
    """Return day, hours and minutes in the reader's language and zone, as a time element."""
    return time_element(moment, _date_and_clock(_there(moment), "medium"))


def local_ago(moment: dt.datetime) -> Markup:
    """Return how long ago something was, and from the day before yesterday on its date, as a time element."""
    return Times.of_reader().ago(moment)


def mail_moment(moment: dt.datetime | str, zone: str = "UTC") -> str:
    """Return day, hours and minutes with the zone's distance from UTC, as plain text; takes ISO text as well."""
    there = aware(dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
    there = there.astimezone(zone_called(zone))
    minutes = int((there.utcoffset() or dt.timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{sign}{hours}" + (f":{rest:02d}" if rest else "") if minutes else ""
    return f"{_date_and_clock(there, 'long')} (UTC{offset})"


def _there(moment: dt.datetime) -> dt.datetime:
    """Return the moment in the reader's zone."""
    zone: Any = get_timezone()
    return aware(moment).astimezone(zone)


def _date(there: dt.datetime, style: Literal["medium", "long"]) -> str:
    return date_text(there.date(), style, date_locale())


def _date_and_clock(there: dt.datetime, style: Literal["medium", "long"]) -> str:
    pattern = str(get_datetime_format("medium", locale=date_locale()))
    return pattern.replace("'", "").format(f"{there:%H:%M}", _date(there, style))
