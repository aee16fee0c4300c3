"""Tasks that come with the program: one row for each function registered with a schedule."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.registry import TaskFunction, task_registry
from webapp.tasks.rules import RunState, TaskState

RUNS_KEPT_EACH = 200  # of a built-in task; those of every few seconds would fill the table otherwise


@write_transaction
def ensure_built_in() -> None:
    """Add what is new, follow the registry where nobody changed the task, and disable what is gone."""
    rows = {
        row.built_in_key: row
        for row in db.session.scalars(select(Task).where(Task.built_in_key.is_not(None)))
    }
    for found in task_registry:
        if found.schedule is None:
            continue
        row = rows.pop(found.name, None)
        if row is None:
            db.session.add(
                Task(name=str(found.label), func_name=found.name, built_in_key=found.name, **values_of(found))
            )
        elif not row.customised:
            _follow(row, found)
    for gone in rows.values():
        gone.state, gone.next_run_at = TaskState.DISABLED.value, None


@task_registry.register(
    name="purge_task_runs",
    interval_hours=1,
    label=_l("Clear the history of tasks"),
    description=_l("Deletes runs and logs that are older than the settings keep them."),
    isolated=False,
    creatable=False,
)
@write_transaction
def purge_task_runs() -> int:
    """Delete old runs of tasks."""
    old = clock.utc_now() - dt.timedelta(days=current_settings().task_history_days)
    ended = TaskRun.state.not_in([RunState.QUEUED.value, RunState.RUNNING.value])
    removed = _removed(delete(TaskRun).where(ended, TaskRun.finished_at < old))
    for task_id in db.session.scalars(select(Task.id).where(Task.built_in_key.is_not(None))).all():
        newest = select(TaskRun.id).where(TaskRun.task_id == task_id).order_by(TaskRun.id.desc())
        oldest_kept = db.session.scalar(newest.offset(RUNS_KEPT_EACH - 1).limit(1))
        if oldest_kept is not None:
            good = TaskRun.state.in_([RunState.SUCCEEDED.value, RunState.SKIPPED.value])
            removed += _removed(
                delete(TaskRun).where(TaskRun.task_id == task_id, TaskRun.id < oldest_kept, good)
            )
    return removed


@task_registry.register(
    name="recover_runs",
    interval_minutes=1,
    label=_l("Find lost runs"),
    description=_l(
        "Ends runs whose process is gone; processes that do scheduled work also do it by themselves."
    ),
    isolated=False,
    creatable=False,
)
def recover_runs() -> int:
    """End the runs whose process is gone; return how many."""
    return engine().find_the_lost()


def _follow(row: Task, found: TaskFunction) -> None:
    values = values_of(found)
    if all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    if row.state in {TaskState.ACTIVE.value, TaskState.DISABLED.value}:
        row.state, row.next_run_at = TaskState.ACTIVE.value, row.schedule.next_after(clock.utc_now())


def values_of(found: TaskFunction) -> dict[str, Any]:
    """Return the columns that follow from how a function is registered."""
    schedule, options = found.schedule, found.options
    assert schedule is not None  # noqa: S101 - only such have a task of their own
    return {
        "interval_seconds": schedule.interval_seconds,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "misfire": options.misfire.value,
        "grace_seconds": options.grace_seconds,
        "timeout_seconds": options.timeout_seconds,
        "retries": options.retries,
        "backoff_seconds": options.backoff_seconds,
        "overlap": options.overlap.value,
        "disable_after": options.disable_after,
        "idempotent": options.idempotent,
    }


def _removed(statement: Any) -> int:
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(getattr(result, "rowcount", 0))
