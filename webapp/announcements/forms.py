"""The form of an announcement; times are those of the administrator's zone."""

from __future__ import annotations

import datetime as dt

from flask_babel import get_timezone
from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from webapp.announcements.rules import TEXT_MAX_LENGTH, Audience, Level
from webapp.announcements.service import Draft
from webapp.web.forms import Form

AUDIENCES = {
    Audience.EVERYBODY.value: _l("Everybody, also people who are signed out"),
    Audience.USERS.value: _l("Users who are signed in"),
    Audience.ADMINS.value: _l("Administrators"),
}
LEVELS = {
    Level.INFO.value: _l("Information"),
    Level.WARNING.value: _l("Warning"),
    Level.URGENT.value: _l("Urgent"),
}
_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


class AnnouncementForm(Form):
    """The texts, for whom, from when until when."""

    text_en = TextAreaField(_l("Text in English"), [Length(max=TEXT_MAX_LENGTH)])
    text_zh = TextAreaField(_l("Text in Chinese"), [Length(max=TEXT_MAX_LENGTH)])
    audience = SelectField(
        _l("Who sees it"),
        choices=[SelectChoice(*each) for each in AUDIENCES.items()],
        default=Audience.USERS.value,
    )
    level = SelectField(
        _l("Level"), choices=[SelectChoice(*each) for each in LEVELS.items()], default=Level.INFO.value
    )
    starts_at = DateTimeLocalField(_l("From"), [InputRequired(_l("Fill this in."))], format=_FORMATS)
    ends_at = DateTimeLocalField(_l("Until"), [Optional()], format=_FORMATS)

    def draft(self) -> Draft:
        """Return what was written, with its times in UTC."""
        return Draft(
            text_en=(self.text_en.data or "").replace("\r\n", "\n"),
            text_zh=(self.text_zh.data or "").replace("\r\n", "\n"),
            audience=self.audience.data,
            level=self.level.data,
            starts_at=_from_here(self.starts_at.data),
            ends_at=_from_here(self.ends_at.data) if self.ends_at.data else None,
        )


def here(moment: dt.datetime) -> dt.datetime:
    """Return a moment as the clock on the administrator's wall shows it."""
    return moment.astimezone(get_timezone()).replace(tzinfo=None, second=0, microsecond=0)


def _from_here(wall: dt.datetime) -> dt.datetime:
    zone = get_timezone()
    localize = getattr(zone, "localize", None)  # pytz, where Babel finds it installed
    aware: dt.datetime = localize(wall) if localize else wall.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC)
