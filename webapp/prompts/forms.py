"""The form of a scheduled prompt."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from webapp.accounts import service as accounts
from webapp.chat.rules import MESSAGE_MAX_LENGTH
from webapp.errors import AppError, Invalid
from webapp.llm import service as llm
from webapp.prompts import rules
from webapp.prompts.models import ScheduledPrompt
from webapp.prompts.rules import Destination
from webapp.prompts.service import Draft
from webapp.prompts.words import DESTINATIONS
from webapp.tasks.rules import CRON_LENGTH
from webapp.tasks.service import DAY_LABELS, DAYS, How, PlainSchedule, Schedule
from webapp.web.forms import Form

WORKDAYS: Final = "workdays"
HOWS: Final = {
    How.DAILY.value: _l("Every day"),
    WORKDAYS: _l("Monday to Friday"),
    How.WEEKLY.value: _l("On days of the week"),
    How.MONTHLY.value: _l("Every month"),
    How.EVERY.value: _l("Again and again"),
    How.ONCE.value: _l("Once"),
    How.CRON.value: _l("By a cron expression"),
}
UNITS: Final = {3600: _l("hours"), 86_400: _l("days"), 60: _l("minutes")}
# How a refusal of the service names the field at fault.
_FIELDS: Final = {"interval_seconds": "every", "timezone": "zone", "schedule": "how"}


def _offered(labels: Any) -> list[SelectChoice]:
    return [SelectChoice(getattr(value, "value", value), label) for value, label in labels.items()]


class PromptForm(Form):
    """What is asked, when, and where the answer goes."""

    text = TextAreaField(_l("What to ask"), [Length(max=2 * MESSAGE_MAX_LENGTH)])
    name = StringField(_l("Name"), [Length(max=rules.NAME_LENGTH)])
    model = SelectField(_l("Model"), validate_choice=False)
    how = RadioField(_l("How often"), choices=_offered(HOWS), default=How.DAILY.value)
    at = StringField(_l("Date and time"), render_kw={"type": "datetime-local"})
    every = IntegerField(_l("Every"), default=1)
    unit = SelectField(_l("Unit"), choices=_offered(UNITS), coerce=int, default=3600)
    time = StringField(_l("Time"), default="08:00", render_kw={"type": "time"})
    days = SelectMultipleField(_l("Days"), choices=_offered(DAY_LABELS), default=["mon"])
    day = IntegerField(_l("Day of the month"), default=1)
    cron = StringField(_l("Cron expression"), [Length(max=CRON_LENGTH)])
    zone = SelectField(_l("Time zone"), validate_choice=False)
    destination = RadioField(
        _l("Where the answers go"),
        choices=_offered(DESTINATIONS),
        default=Destination.EACH.value,
    )
    mail = BooleanField(_l("Mail me each answer as well"))

    def offer(self, model: str = "", zone: str = "") -> None:
        """Let models and zones be chosen; those in use stay on offer."""
        offered = {each.name: each.label for each in llm.models() if each.available}
        if model and model not in offered:
            offered[model] = _("%(model)s (not available)", model=llm.label_of(model))
        self.model.choices = [SelectChoice(name, label) for name, label in offered.items()]
        here = zone or str(get_timezone())
        names = dict.fromkeys([*accounts.timezones(), here])
        self.zone.choices = [SelectChoice(name, name.replace("_", " ")) for name in names]
        if self.zone.data in {None, "", "None"}:
            self.zone.data = here
        if self.model.data in {None, "", "None"}:
            default = llm.default_model()
            self.model.data = model or (default.name if default else "")

    def schedule(self) -> Schedule:
        """Return the schedule; raises Invalid naming the field at fault."""
        how, days = self.how.data, tuple(self.days.data or ())
        if how not in HOWS:
            raise Invalid(_("Choose one of what is offered."), field="how")
        if how == WORKDAYS:
            how, days = How.WEEKLY.value, DAYS[:5]
        return PlainSchedule(
            how=How(how),
            zone=self.zone.data or "UTC",
            at=self.at.data or "",
            every=self.every.data,
            unit=self.unit.data or 3600,
            time=self.time.data or "",
            days=days,
            day=self.day.data,
            cron=self.cron.data or "",
        ).schedule()

    def draft(self) -> Draft:
        """Return what was typed; raises Invalid naming the field at fault."""
        if self.destination.data not in set(Destination):
            raise Invalid(_("Choose one of what is offered."), field="destination")
        return Draft(
            text=self.text.data or "",
            name=self.name.data or "",
            model=self.model.data or "",
            schedule=self.schedule(),
            destination=Destination(self.destination.data),
            mail=bool(self.mail.data),
        )

    def show(self, prompt: ScheduledPrompt) -> None:
        """Fill the fields with a scheduled prompt."""
        for name in ("text", "name", "model", "destination", "mail"):
            getattr(self, name).data = getattr(prompt, name)
        plain = PlainSchedule.of(prompt.task.schedule)
        for name in ("at", "every", "unit", "time", "day", "cron", "zone"):
            getattr(self, name).data = getattr(plain, name)
        self.how.data, self.days.data = plain.how.value, list(plain.days)
        if plain.how is How.WEEKLY and set(plain.days) == set(DAYS[:5]):
            self.how.data = WORKDAYS
        if plain.how is How.ONCE:
            self.at.data = plain.at[:16]

    def apply_error(self, error: AppError) -> None:
        """Show a refusal beside the field it names, or above the form."""
        if error.field in _FIELDS:
            error = type(error)(error.sentence, field=_FIELDS[error.field])
        super().apply_error(error)
