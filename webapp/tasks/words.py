"""How pages, mails and commands name schedules, states, options and what is wrong with arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from webapp.tasks.models import Task
from webapp.tasks.plain import DAYS, days_named
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import Misfire, Notify, Overlap, RunState, TaskState, Trigger
from webapp.tasks.schedules import Schedule

DAY_LABELS: Final = {
    "mon": _l("Monday"),
    "tue": _l("Tuesday"),
    "wed": _l("Wednesday"),
    "thu": _l("Thursday"),
    "fri": _l("Friday"),
    "sat": _l("Saturday"),
    "sun": _l("Sunday"),
}
TASK_STATES: Final = {
    TaskState.ACTIVE: _l("Active"),
    TaskState.PAUSED: _l("Paused"),
    TaskState.DISABLED: _l("Disabled"),
    TaskState.FINISHED: _l("Finished"),
}
TASK_KINDS: Final = {TaskState.ACTIVE: "ok", TaskState.PAUSED: "", TaskState.DISABLED: "bad"}
RUN_STATES: Final = {
    RunState.QUEUED: _l("Queued"),
    RunState.RUNNING: _l("Running"),
    RunState.SUCCEEDED: _l("Succeeded"),
    RunState.FAILED: _l("Failed"),
    RunState.TIMED_OUT: _l("Timed out"),
    RunState.LOST: _l("Lost"),
    RunState.CANCELLED: _l("Cancelled"),
    RunState.SKIPPED: _l("Skipped"),
}
RUN_KINDS: Final = {
    RunState.RUNNING: "live",
    RunState.SUCCEEDED: "ok",
    RunState.FAILED: "bad",
    RunState.TIMED_OUT: "bad",
    RunState.LOST: "bad",
}
TRIGGERS: Final = {Trigger.SCHEDULE: _l("By schedule"), Trigger.MANUAL: _l("By hand")}
MISFIRES: Final = {
    Misfire.ONCE: _l("Run once"),
    Misfire.SKIP: _l("Skip them"),
    Misfire.ALL: _l("Run each of them"),
}
OVERLAPS: Final = {
    Overlap.SKIP: _l("Skip this time"),
    Overlap.QUEUE: _l("Wait for its end"),
    Overlap.ALLOW: _l("Run beside it"),
}
NOTIFIES: Final = {
    Notify.DIGEST: _l("Those named in the settings, in a collected mail"),
    Notify.OTHERS: _l("The addresses below, in a collected mail"),
    Notify.NOBODY: _l("Nobody"),
}
_SINGLE: Final = {
    1: _l("every second"),
    60: _l("every minute"),
    3600: _l("every hour"),
    86_400: _l("every 24 hours"),
}
_MONTHLY: Final = re.compile(r"(\d+) (\d+) (\d+) \* \*")
_WEEKLY: Final = re.compile(r"(\d+) (\d+) \* \* (\S+)")
_DAILY: Final = re.compile(r"(\d+) (\d+) \* \* \*")
_FAULTS: Final = {
    "missing": _l("Fill this in."),
    "int_parsing": _l("Type a whole number."),
    "int_type": _l("Type a whole number."),
    "int_from_float": _l("Type a whole number."),
    "float_parsing": _l("Type a number, with a point before decimals."),
    "float_type": _l("Type a number, with a point before decimals."),
    "decimal_parsing": _l("Type a number, with a point before decimals."),
    "bool_parsing": _l("Choose yes or no."),
    "date_from_datetime_parsing": _l("Type a date, such as 2026-11-24."),
    "date_parsing": _l("Type a date, such as 2026-11-24."),
    "time_parsing": _l("Type a time, such as 08:30."),
    "datetime_from_date_parsing": _l("Type a date and time, such as 2026-11-24 08:30."),
    "datetime_parsing": _l("Type a date and time, such as 2026-11-24 08:30."),
    "literal_error": _l("Choose one of what is offered."),
    "enum": _l("Choose one of what is offered."),
    "json_invalid": _l("This is no JSON."),
    "extra_forbidden": _l("The function takes no such argument."),
}


def schedule_in_words(schedule: Schedule) -> str:
    """Return when a task comes due, in words; times of day are those of its zone."""
    if schedule.interval_seconds in _SINGLE:
        return str(_SINGLE[schedule.interval_seconds])
    if schedule.interval_seconds is not None:
        return str(_("every %(time)s", time=duration_in_words(schedule.interval_seconds)))
    if schedule.cron is None:
        return str(_("once"))
    zone = schedule.timezone.replace("_", " ")
    if found := _DAILY.fullmatch(schedule.cron):
        return str(_("every day at %(time)s (%(zone)s)", time=_time_of_day(found), zone=zone))
    if found := _WEEKLY.fullmatch(schedule.cron):
        named = days_named(found[3])
        days = ", ".join(str(DAY_LABELS[day]) for day in named)
        if set(named) == set(DAYS[:5]):
            days = str(_("Monday to Friday"))
        return str(_("%(days)s at %(time)s (%(zone)s)", days=days, time=_time_of_day(found), zone=zone))
    if found := _MONTHLY.fullmatch(schedule.cron):
        day = int(found[3])
        return str(
            _(
                "on day %(day)s of every month at %(time)s (%(zone)s)",
                day=day,
                time=_time_of_day(found),
                zone=zone,
            )
        )
    return str(_("by the expression %(cron)s (%(zone)s)", cron=schedule.cron, zone=zone))


def duration_in_words(seconds: float) -> str:
    """Return a length of time in its largest whole unit."""
    whole = int(seconds)
    if whole and whole % 86_400 == 0:
        return str(ngettext("%(num)s day", "%(num)s days", whole // 86_400))
    if whole and whole % 3600 == 0:
        return str(ngettext("%(num)s hour", "%(num)s hours", whole // 3600))
    if whole and whole % 60 == 0:
        return str(ngettext("%(num)s minute", "%(num)s minutes", whole // 60))
    return str(ngettext("%(num)s second", "%(num)s seconds", whole))


def took_in_words(seconds: float | None) -> str:
    """Return how long something took, short."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return str(_("%(count)s ms", count=round(seconds * 1000)))
    if seconds < 100:
        return str(_("%(count)s s", count=f"{seconds:.1f}" if seconds < 10 else round(seconds)))
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def task_label(task: Task) -> str:
    """Return what a task is called: in the reader's language, unless an administrator named it."""
    if task.owner_kind != "system":
        return function_label(task.func_name)
    found = task_registry.find(task.built_in_key) if task.built_in_key else None
    return str(found.label) if found is not None else task.name


def function_label(name: str) -> str:
    """Return what a function is called, its bare name where it is no longer registered."""
    found = task_registry.find(name)
    return str(found.label) if found is not None else name


def fault_in_words(fault: Mapping[str, Any]) -> str:
    """Return what is wrong with an argument, of one fault as pydantic tells it."""
    kind, limits = fault["type"], fault.get("ctx", {})
    match kind:
        case "greater_than_equal":
            return str(_("At least %(least)s.", least=limits["ge"]))
        case "greater_than":
            return str(_("More than %(least)s.", least=limits["gt"]))
        case "less_than_equal":
            return str(_("At most %(most)s.", most=limits["le"]))
        case "less_than":
            return str(_("Less than %(most)s.", most=limits["lt"]))
        case "string_too_long":
            return str(_("At most %(most)s characters.", most=limits["max_length"]))
        case "string_too_short":
            return str(_("At least %(least)s characters.", least=limits["min_length"]))
    return str(_FAULTS.get(kind, fault["msg"]))


def pretty(text: str) -> str:
    """Return stored JSON fit to be read: a text as it is, nothing for null."""
    try:
        value = json.loads(text)
    except ValueError:
        return text  # a result that was cut off
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def worker_in_words(worker: str) -> str:
    """Return a worker's name without what only tells boots and containers apart."""
    machine, _slash, rest = worker.partition("/")
    pid = rest.partition("/")[0]
    return f"{machine.partition('-')[0] or machine} · {pid}" if pid else worker


def _time_of_day(found: re.Match[str]) -> str:
    return f"{int(found[2]):02d}:{int(found[1]):02d}"
