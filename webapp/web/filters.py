"""What templates can say beyond plain Jinja: icons, asset addresses, times in the reader's zone, people."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zlib
from typing import Final

from babel.dates import format_skeleton
from flask import Flask
from flask_babel import get_locale, to_user_timezone
from markupsafe import Markup

from webapp.web.assets import asset_url
from webapp.web.icons import ICONS

TINTS: Final = ("", "a2", "a3", "a4")


def init_app(app: Flask) -> None:
    """Add the filters and globals to the template environment."""
    app.jinja_env.globals.update(asset_url=asset_url, icon=icon)
    app.jinja_env.filters.update(
        initials=initials, tint=tint, date=local_date, clock=local_clock, moment=local_moment, day=local_day
    )


def icon(name: str, *, small: bool = False, extra: str = "") -> Markup:
    """Return an icon of the sprite, hidden from screen readers: the name belongs on the control around it."""
    if name not in ICONS:
        raise LookupError(f"There is no icon named {name}.")
    classes = " ".join(filter(None, ("icon", "sm" if small else "", extra)))
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"></use></svg>').format(
        classes, asset_url("icons.svg"), name
    )


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
    return _time_element(moment, "yMMMd")


def local_day(moment: dt.datetime) -> Markup:
    """Return day and month without the year, as a time element."""
    return _time_element(moment, "MMMd")


def local_clock(moment: dt.datetime) -> Markup:
    """Return hours and minutes in the reader's zone, as a time element."""
    return _time_element(moment, "Hm")


def local_moment(moment: dt.datetime) -> Markup:
    """Return day, hours and minutes in the reader's language and zone, as a time element."""
    return _time_element(moment, "yMMMdHm")


def _time_element(moment: dt.datetime, skeleton: str) -> Markup:
    """Return the moment, words inside and the exact time for machines; a naive one is taken for UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    words = format_skeleton(skeleton, to_user_timezone(aware), locale=get_locale() or "en")
    return Markup('<time datetime="{}">{}</time>').format(aware.isoformat(timespec="seconds"), words)
