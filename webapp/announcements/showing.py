"""Which announcements a page shows: kept by each process for some seconds, already rendered."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, cast

from flask import Flask, current_app
from markupsafe import Markup
from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError

from webapp import bus
from webapp.announcements.models import Announcement, AnnouncementDismissal
from webapp.announcements.rules import KEPT_SECONDS, SHOWN_AT_ONCE, Audience
from webapp.database import db
from webapp.identity.rules import Realm
from webapp.lib import clock, markdown

_BOARD: Final = "announcements"
_LOUDEST_FIRST: Final = ("urgent", "warning", "info")


@dataclass(frozen=True, slots=True)
class Notice:
    """An announcement as pages show it; the HTML comes from the sanitiser."""

    id: int
    public_id: str
    audience: str
    level: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    html_en: Markup
    html_zh: Markup

    def html(self, language: str) -> Markup:
        """Return the text in the reader's language, or in the other one."""
        first, second = (
            (self.html_zh, self.html_en) if language.startswith("zh") else (self.html_en, self.html_zh)
        )
        return first or second

    def language(self, language: str) -> str:
        """Return the language that `html` gives, as HTML names it."""
        in_chinese = self.html_zh if language.startswith("zh") else not self.html_en
        return "zh-CN" if in_chinese else "en"


class Board:
    """The announcements of now, as this process knows them."""

    def __init__(self) -> None:
        self._notices: tuple[Notice, ...] = ()
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def current(self) -> list[Notice]:
        """Return what is to be shown at this moment, the loudest first."""
        if clock.monotonic() - self._read_at > KEPT_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._read_at = clock.monotonic()
                self._notices = _read()
            except DBAPIError:
                self._read_at = float("-inf")
                db.session.remove()  # a page that needs nothing else of the database is shown without them
            finally:
                self._lock.release()
        now = clock.utc_now()
        return [
            each
            for each in self._notices
            if each.starts_at <= now and (each.ends_at is None or each.ends_at > now)
        ]

    def forget(self) -> None:
        """Read anew at the next page: this process has changed something."""
        self._read_at = float("-inf")

    def changed(self) -> None:
        """Read anew at the next page, here and in the other processes."""
        self.forget()
        bus.hints().tell(_BOARD)


def init_app(app: Flask) -> None:
    """Give the application its board."""
    app.extensions[_BOARD] = made = Board()
    bus.hints(app).on(_BOARD, lambda _word: made.forget())


def board() -> Board:
    """Return the board of the application at hand."""
    return cast("Board", current_app.extensions[_BOARD])


def notices_for(realm: Realm | None, subject_id: int | None) -> list[Notice]:
    """Return what one person, or somebody who is signed out, is to see; most often that costs no query."""
    wanted = {Audience.EVERYBODY.value}
    if realm is not None:
        wanted.add((Audience.ADMINS if realm is Realm.ADMIN else Audience.USERS).value)
    notices = [each for each in board().current() if each.audience in wanted]
    if notices and realm is not None and subject_id is not None:
        gone = _dismissed([each.id for each in notices], realm, subject_id)
        notices = [each for each in notices if each.id not in gone]
    return notices[:SHOWN_AT_ONCE]


def preview(text: str) -> Markup:
    """Return the HTML of a text, as the pages will show it."""
    return Markup(markdown.render(text))  # noqa: S704 - it comes from the sanitiser


def _read() -> tuple[Notice, ...]:
    now = clock.utc_now()
    ahead = now + dt.timedelta(seconds=2 * KEPT_SECONDS)
    query = (
        select(Announcement)
        .where(
            Announcement.starts_at <= ahead, or_(Announcement.ends_at.is_(None), Announcement.ends_at > now)
        )
        .order_by(Announcement.starts_at.desc(), Announcement.id.desc())
        .limit(20)
    )
    notices = [
        Notice(
            each.id,
            each.public_id,
            each.audience,
            each.level,
            each.starts_at,
            each.ends_at,
            preview(each.text_en),
            preview(each.text_zh),
        )
        for each in db.session.scalars(query)
    ]
    return tuple(sorted(notices, key=lambda each: _LOUDEST_FIRST.index(each.level)))


def _dismissed(ids: Collection[int], realm: Realm, subject_id: int) -> set[int]:
    query = select(AnnouncementDismissal.announcement_id).where(
        AnnouncementDismissal.announcement_id.in_(ids),
        AnnouncementDismissal.realm == realm.value,
        AnnouncementDismissal.subject_id == subject_id,
    )
    return set(db.session.scalars(query))
