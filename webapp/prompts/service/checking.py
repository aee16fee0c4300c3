"""What a schedule and its text must be like."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.chat.rules import MESSAGE_MAX_LENGTH
from webapp.config import current_settings
from webapp.errors import Invalid
from webapp.lib import clock
from webapp.lib.text import shorten, without_lone_surrogates
from webapp.llm import service as llm
from webapp.prompts import rules
from webapp.tasks.service import Schedule


def checked_schedule(schedule: Schedule) -> Schedule:
    """Return the schedule; raises Invalid where two runs of it would be too close, or it never comes."""
    least = dt.timedelta(minutes=current_settings().schedule_min_minutes)
    now = clock.utc_now()
    if schedule.interval_seconds is not None:
        if schedule.interval_seconds < least.total_seconds():
            raise _too_close(least, "every")
        return schedule
    if schedule.at is not None:
        if schedule.at <= now:
            raise Invalid(_("This time has passed. Choose a later one."), field="at")
        return schedule
    previous = schedule.next_after(now)
    if previous is None:
        raise Invalid(_("This never comes. Choose another time."), field="cron")
    for slot, following in pairwise([previous, *schedule.upcoming(previous, rules.SLOTS_LOOKED_AT)]):
        if following - slot < least:
            raise _too_close(least, "cron")
        if following - now > dt.timedelta(days=400):
            break
    return schedule


def checked_text(text: str) -> str:
    """Return what is asked, as a message is stored; raises Invalid."""
    text = without_lone_surrogates(text).replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Invalid(_("Write what is to be asked."), field="text")
    if len(text) > MESSAGE_MAX_LENGTH:
        sentence = _(
            "At most %(limit)s characters are possible; these are %(length)s.",
            limit=MESSAGE_MAX_LENGTH,
            length=len(text),
        )
        raise Invalid(sentence, field="text", code="too_long")
    return text


def checked_name(name: str, text: str) -> str:
    """Return what the schedule is called: by default by what it asks."""
    name = " ".join(without_lone_surrogates(name).replace("\x00", "").split())
    if len(name) > rules.NAME_LENGTH:
        raise Invalid(_("Give it a name of up to %(most)s characters.", most=rules.NAME_LENGTH), field="name")
    return name or shorten(text, 48)


def checked_model(name: str) -> str:
    """Return the model; raises Invalid for one that is not offered."""
    if not any(model.name == name for model in llm.models()):
        raise Invalid(
            _("This model is not available. Choose another one."), field="model", code="model_unknown"
        )
    return name


def _too_close(least: dt.timedelta, field: str) -> Invalid:
    minutes = int(least.total_seconds() // 60)
    sentence = ngettext(
        "Between two runs there must be at least %(num)s minute.",
        "Between two runs there must be at least %(num)s minutes.",
        minutes,
    )
    return Invalid(sentence, field=field, code="too_often")
