"""The collected mail about failed tasks: who is told is a setting, or named by the task; nothing is sent for nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.mail import outbox
from webapp.tasks.context import RunContext
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import Notify, RunState
from webapp.tasks.words import task_label

NAME: Final = "send_failure_digest"
FIRST_LOOK_BACK: Final = dt.timedelta(days=1)
# An end is written a moment after its time was read; what is younger than this is left to the next mail.
SETTLING: Final = dt.timedelta(seconds=10)
TASKS_NAMED: Final = 20
_BAD: Final = [state.value for state in RunState if state.bad]


@task_registry.register(
    name=NAME,
    interval_hours=1,
    label=_l("Tell of failed tasks"),
    description=_l("Sends one mail about what failed since the last one, to those whom the settings name."),
    isolated=False,
    creatable=False,
)
def send_failure_digest(run: RunContext) -> int:
    """Send one mail about the failures since the last one; return how many failures it tells of."""
    return _queue(run.id)


@write_transaction
def _queue(run_id: int) -> int:
    """Queue the mails; the window begins where that of the last run that succeeded ended."""
    this = db.session.get_one(TaskRun, run_id)
    until = _began(this) - SETTLING
    last = db.session.scalar(
        select(TaskRun)
        .where(
            TaskRun.task_id == this.task_id,
            TaskRun.id < run_id,
            TaskRun.state == RunState.SUCCEEDED.value,
        )
        .order_by(TaskRun.id.desc())
        .limit(1)
    )
    since = _began(last) - SETTLING if last is not None else until - FIRST_LOOK_BACK
    failures, told = _failures(since, until), set[int]()
    for address, numbers in _by_receiver(failures).items():
        _enqueue(address, [failures[number] for number in numbers], since, until)
        told.update(numbers)
    return sum(failures[number]["count"] for number in told)


def _by_receiver(failures: dict[int, dict[str, Any]]) -> dict[str, list[int]]:
    """Return of which tasks each address is told."""
    found: dict[str, list[int]] = {}
    for number, each in failures.items():
        for address in dict.fromkeys(each["told"] or current_settings().task_failures_to):
            found.setdefault(address, []).append(number)
    return found


def _enqueue(address: str, failures: list[dict[str, Any]], since: dt.datetime, until: dt.datetime) -> None:
    settings = current_settings()
    named = [{name: each[name] for name in each if name != "told"} for each in failures[:TASKS_NAMED]]
    context = {
        "tasks": named,
        "more": max(0, len(failures) - TASKS_NAMED),
        "since": since.isoformat(),
        "until": until.isoformat(),
        "timezone": settings.default_timezone,
        "url": f"{settings.base_url}/admin/tasks/runs?state=bad",
    }
    outbox.enqueue(to=address, template="task_failures", locale=settings.default_locale, context=context)


def _failures(since: dt.datetime, until: dt.datetime) -> dict[int, dict[str, Any]]:
    """Return what failed, by task, the newest first; of users' own tasks nothing."""
    query = (
        select(TaskRun, Task)
        .join(Task, Task.id == TaskRun.task_id)
        .where(
            TaskRun.finished_at > since,
            TaskRun.finished_at <= until,
            TaskRun.state.in_(_BAD),
            Task.notify != Notify.NOBODY.value,
            Task.owner_kind == "system",
        )
        .order_by(TaskRun.finished_at.desc())
    )
    found: dict[int, dict[str, Any]] = {}
    for run, task in db.session.execute(query):
        if task.id in found:
            found[task.id]["count"] += 1
        elif run.finished_at is not None:
            found[task.id] = {
                "name": task_label(task),
                "count": 1,
                "reason": run.reason,
                "last_at": run.finished_at.isoformat(),
                "disabled": task.state == "disabled",
                "told": task.told,
            }
    return found


def _began(run: TaskRun) -> dt.datetime:
    return run.started_at or run.scheduled_for
