"""The form of a task: its name, the function's arguments, a schedule in plain words, and the options."""

from __future__ import annotations

import re
from typing import Any, Final
from zoneinfo import available_timezones

from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from webapp.errors import AppError, Invalid
from webapp.tasks import fields, rules
from webapp.tasks.fields import OMITTED, PREFIX, Parameter, parameters_of
from webapp.tasks.models import Task
from webapp.tasks.plain import How, PlainSchedule
from webapp.tasks.registry import Options, TaskFunction
from webapp.tasks.rules import Misfire, Notify, Overlap
from webapp.tasks.schedules import Schedule
from webapp.tasks.service import ArgumentsInvalid, Plan
from webapp.tasks.words import DAY_LABELS, MISFIRES, NOTIFIES, OVERLAPS
from webapp.web.forms import Form

UNITS: Final = {1: _l("seconds"), 60: _l("minutes"), 3600: _l("hours"), 86_400: _l("days")}
HOWS: Final = {
    How.ONCE: _l("Once"),
    How.EVERY: _l("Again and again"),
    How.DAILY: _l("Every day"),
    How.WEEKLY: _l("On days of the week"),
    How.MONTHLY: _l("Every month"),
    How.CRON: _l("By a cron expression"),
}
_REQUIRED: Final = _l("Fill this in.")
# How a refusal of the service names the field at fault.
_FIELDS: Final = {"interval_seconds": "every", "timezone": "zone", "schedule": "how"}


def _offered(labels: Any) -> list[SelectChoice]:
    return [SelectChoice(getattr(value, "value", value), label) for value, label in labels.items()]


def zones() -> list[str]:
    """Return the time zones that are offered."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and name[:4] != "Etc/")]


class ScheduleForm(Form):
    """When a task comes due, in plain words."""

    how = RadioField(_l("How often"), choices=_offered(HOWS), default=How.DAILY.value)
    at = StringField(_l("Date and time"), render_kw={"type": "datetime-local"})
    every = IntegerField(_l("Every"), default=1)
    unit = SelectField(_l("Unit"), choices=_offered(UNITS), coerce=int, default=3600)
    time = StringField(_l("Time"), default="08:00", render_kw={"type": "time"})
    days = SelectMultipleField(_l("Days"), choices=_offered(DAY_LABELS), default=["mon"])
    day = IntegerField(_l("Day of the month"), default=1)
    cron = StringField(_l("Cron expression"), [Length(max=rules.CRON_LENGTH)])
    zone = SelectField(_l("Time zone"))

    def offer_zones(self, chosen: str) -> None:
        """Let a zone be chosen; one that is in use stays on offer."""
        names = zones()
        self.zone.choices = [
            SelectChoice(name, name.replace("_", " ")) for name in dict.fromkeys([*names, chosen])
        ]
        if self.zone.data in (None, "", "None"):
            self.zone.data = chosen

    def schedule(self) -> Schedule:
        """Return the schedule; raises Invalid naming the field at fault."""
        if self.how.data not in {how.value for how in How}:
            raise Invalid(_("Choose one of what is offered."), field="how")
        return PlainSchedule(
            how=How(self.how.data),
            zone=self.zone.data or "UTC",
            at=self.at.data or "",
            every=self.every.data,
            unit=self.unit.data or 1,
            time=self.time.data or "",
            days=tuple(self.days.data or ()),
            day=self.day.data,
            cron=self.cron.data or "",
        ).schedule()

    def show(self, schedule: Schedule) -> None:
        """Fill the fields with a schedule."""
        plain = PlainSchedule.of(schedule)
        for name in ("at", "every", "unit", "time", "day", "cron", "zone"):
            getattr(self, name).data = getattr(plain, name)
        self.how.data, self.days.data = plain.how.value, list(plain.days)


class TaskForm(ScheduleForm):
    """A task; `form_of` adds the function's arguments."""

    name = StringField(_l("Name"), [InputRequired(_REQUIRED), Length(max=rules.NAME_LENGTH)])
    timeout_seconds = IntegerField(
        _l("Longest run, in seconds"), [InputRequired(_REQUIRED), NumberRange(1, rules.MAX_TIMEOUT_SECONDS)]
    )
    overlap = SelectField(_l("If the run before is still at work"), choices=_offered(OVERLAPS))
    misfire = SelectField(_l("If times were missed"), choices=_offered(MISFIRES))
    grace_seconds = IntegerField(
        _l("Counts as missed after, in seconds"),
        [InputRequired(_REQUIRED), NumberRange(1, rules.MAX_GRACE_SECONDS)],
    )
    retries = IntegerField(
        _l("Tries after a failure"), [InputRequired(_REQUIRED), NumberRange(0, rules.MAX_RETRIES)]
    )
    backoff_seconds = IntegerField(
        _l("Pause before the first of them, in seconds"),
        [InputRequired(_REQUIRED), NumberRange(1, rules.MAX_BACKOFF_SECONDS)],
    )
    disable_after = IntegerField(
        _l("Disable after so many failures in a row"),
        [InputRequired(_REQUIRED), NumberRange(0, rules.MAX_DISABLE_AFTER)],
    )
    notify = SelectField(_l("Who is told of failures"), choices=_offered(NOTIFIES))
    notify_to = StringField(_l("Their addresses"), [Length(max=rules.ADDRESSES_LENGTH)])
    idempotent = BooleanField(_l("Running it twice does no harm: run it again when its process is lost"))

    parameters: list[Parameter]

    @property
    def arguments(self) -> list[tuple[Parameter, Field]]:
        """The parameters with their fields."""
        return [(each, self[PREFIX + each.name]) for each in self.parameters]

    @property
    def option_errors(self) -> bool:
        """Whether something among the options does not fit."""
        names = (
            "timeout_seconds",
            "grace_seconds",
            "retries",
            "backoff_seconds",
            "disable_after",
            "notify_to",
        )
        return any(self[name].errors for name in names)

    def plan(self) -> Plan:
        """Return what was typed; raises Invalid for a schedule that cannot be."""
        typed = {each.name: each.typed(field.data) for each, field in self.arguments}
        return Plan(
            name=self.name.data or "",
            arguments={name: value for name, value in typed.items() if value is not OMITTED},
            schedule=self.schedule(),
            options=Options(
                misfire=Misfire(self.misfire.data),
                grace_seconds=self.grace_seconds.data,
                timeout_seconds=self.timeout_seconds.data,
                retries=self.retries.data,
                backoff_seconds=self.backoff_seconds.data,
                overlap=Overlap(self.overlap.data),
                disable_after=self.disable_after.data,
                idempotent=bool(self.idempotent.data),
            ),
            notify=Notify(self.notify.data),
            notify_to=tuple(re.split(r"[\s,;]+", (self.notify_to.data or "").strip(" ,;"))),
        )

    def apply_error(self, error: AppError) -> None:
        """Show a refusal beside the field it names, or above the form."""
        if not isinstance(error, ArgumentsInvalid):
            if error.field in _FIELDS:
                error = type(error)(error.sentence, field=_FIELDS[error.field])
            super().apply_error(error)
            return
        self.form_errors.append(error.sentence)
        for name, sentence in error.faults.items():
            field = self._fields.get(PREFIX + name.partition(".")[0])
            if field is None:
                self.form_errors.append(f"{name}: {sentence}")
            else:
                field.errors = [*field.errors, sentence]


def form_of(found: TaskFunction, **values: Any) -> TaskForm:
    """Return the form of a function's tasks, filled in with its own defaults unless it was sent."""
    parameters = parameters_of(found)
    extra = {PREFIX + each.name: each.field() for each in parameters}
    made = type("FunctionForm", (TaskForm,), {**extra, "parameters": parameters})
    options = found.options
    defaults = {
        "timeout_seconds": options.timeout_seconds,
        "overlap": options.overlap.value,
        "misfire": options.misfire.value,
        "grace_seconds": options.grace_seconds,
        "retries": options.retries,
        "backoff_seconds": options.backoff_seconds,
        "disable_after": options.disable_after,
        "idempotent": options.idempotent,
        "name": str(found.label),
    }
    form: TaskForm = made(**(defaults | values))
    form.offer_zones(str(get_timezone()))
    return form


def form_for(task: Task, found: TaskFunction) -> TaskForm:
    """Return the form that changes a task."""
    given = task.given
    columns = "name timeout_seconds overlap misfire grace_seconds retries backoff_seconds disable_after notify notify_to idempotent"
    values = {name: getattr(task, name) for name in columns.split()}
    for each in fields.parameters_of(found):
        if each.name in given:
            value = given[each.name]
            values[PREFIX + each.name] = value if each.kind is fields.Kind.YES_NO else each.shown(value)
    form = form_of(found, **values)
    if not form.is_submitted():
        form.show(task.schedule)
    form.offer_zones(task.timezone)
    return form
