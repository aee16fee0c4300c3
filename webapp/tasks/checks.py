"""The system check of scheduled work, and what failed of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.lib import checks, clock
from webapp.lib.checks import Finding
from webapp.metrics import Reading, register_reading
from webapp.tasks import claims
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState

SILENT_SECONDS: Final = 120
_BAD_ENDS: Final = (RunState.FAILED.value, RunState.TIMED_OUT.value, RunState.LOST.value)


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task of which runs failed."""

    name: str
    count: int
    last_at: dt.datetime


def init_app(app: Flask) -> None:
    """Register the check."""
    checks.register(app, "scheduler", _l("Scheduler"), _scheduler)
    register_reading(app, _readings)


def _readings() -> Iterator[Reading]:
    last = db.session.scalar(select(func.max(TaskRun.finished_at)))
    if last is not None:
        yield Reading("scheduler_heartbeat_timestamp_seconds", last.timestamp())
    late = (TaskRun.state == RunState.QUEUED.value) & (TaskRun.ready_at <= clock.utc_now())
    yield Reading(
        "task_runs_waiting", db.session.scalar(select(func.count()).select_from(TaskRun).where(late)) or 0
    )
    query = (
        select(Task.built_in_key, func.max(TaskRun.finished_at))
        .join(Task, Task.id == TaskRun.task_id)
        .where(Task.built_in_key.is_not(None), TaskRun.state == RunState.SUCCEEDED.value)
        .group_by(Task.built_in_key)
    )
    for name, moment in db.session.execute(query):
        if name is None or moment is None:
            continue
        yield Reading("task_last_success_timestamp_seconds", moment.timestamp(), {"task": name})


def failed_tasks(since: dt.datetime) -> list[FailedTask]:
    """Return the tasks whose runs failed, the most frequent first."""
    query = (
        select(Task.name, func.count(), func.max(TaskRun.finished_at))
        .join(Task, Task.id == TaskRun.task_id)
        .where(TaskRun.finished_at >= since, TaskRun.state.in_(_BAD_ENDS))
        .group_by(Task.name)
        .order_by(func.count().desc())
        .limit(3)
    )
    return [FailedTask(row[0], row[1], row[2] or since) for row in db.session.execute(query)]


def _scheduler() -> Finding:
    try:
        last = db.session.scalar(select(func.max(TaskRun.finished_at)))
    except SQLAlchemyError:
        return Finding("bad", _("unknown"), _("Start the database first."))
    fix = _("Make sure that a process runs scheduled work; mail waits until then.")
    if last is None:
        return Finding("warn", _("no run yet"), fix)
    seconds = max(0, round((clock.utc_now() - last).total_seconds()))
    if seconds > SILENT_SECONDS:
        return Finding("bad", _("silent for %(minutes)s min", minutes=seconds // 60), fix)
    if waiting := claims.ready_since(clock.utc_now() - dt.timedelta(seconds=SILENT_SECONDS)):
        words = ngettext("%(num)s run waits for a worker", "%(num)s runs wait for a worker", waiting)
        return Finding("warn", words, _("Start more processes for scheduled work, or raise TASK_SLOTS."))
    return Finding("ok", _("last run %(seconds)s s ago", seconds=seconds))
