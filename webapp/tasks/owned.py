"""Tasks that belong to somebody's account: the feature behind them makes and steers them, in its own transactions.

Nothing here commits. Each is recorded in the audit log with its schedule, and without its arguments.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db
from webapp.errors import Conflict, Invalid
from webapp.lib import clock
from webapp.tasks import claims
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState, TaskState
from webapp.tasks.schedules import Schedule

_COLUMNS = ("scheduled_at", "interval_seconds", "cron", "timezone")


def add_owned(owner: Any, func_name: str, arguments: dict[str, Any], schedule: Schedule) -> Task:
    """Add a task of a registered function with its options; raises Invalid for a schedule that never comes."""
    found = task_registry.find(func_name)
    if found is None:
        raise LookupError(f"no function is registered as {func_name}")
    party, options = audit.party(owner), asdict(found.options)
    del options["isolated"]
    task = Task(
        name=func_name.replace("_", " ").capitalize(),  # nothing of its owner's words
        func_name=func_name,
        arguments=json.dumps(found.checked(arguments)),
        owner_kind=party.kind,
        owner_id=party.id,
        state=TaskState.ACTIVE.value,
        next_run_at=_first_slot(schedule),
        **_columns(schedule),
        **options,
    )
    db.session.add(task)
    db.session.flush()
    audit.record(Event.TASK_CREATED, actor=owner, target=task, after=_told(task))
    return task


def change_owned(owner: Any, task: Task, schedule: Schedule) -> None:
    """Give a task another schedule; one that is over is taken up again. Raises Invalid as `add_owned`."""
    before = _told(task)
    if task.schedule != schedule:
        slot = _first_slot(schedule)
        for name, value in _columns(schedule).items():
            setattr(task, name, value)
        if task.state == TaskState.FINISHED.value:
            task.state = TaskState.ACTIVE.value
        if task.state == TaskState.ACTIVE.value:
            task.next_run_at = slot
    old, new = audit.changes(before, _told(task))
    audit.record(Event.TASK_CHANGED, actor=owner, target=task, before=old, after=new)


def pause_owned(owner: Any, task: Task) -> None:
    """Take a task out of the schedule; harmless when it is."""
    if task.state == TaskState.FINISHED.value:
        raise Conflict(_("Its time has passed, so there is nothing to pause."))
    if task.state != TaskState.PAUSED.value:
        task.state, task.next_run_at = TaskState.PAUSED.value, None
        audit.record(Event.TASK_PAUSED, actor=owner, target=task)


def resume_owned(owner: Any, task: Task) -> None:
    """Put a task back into the schedule from now on; raises Conflict where an administrator holds it."""
    if task.held:
        raise Conflict(_("An administrator paused this schedule, and only they can resume it."), code="held")
    if task.state == TaskState.ACTIVE.value:
        return
    slot = task.schedule.next_after(clock.utc_now())
    if slot is None:
        raise Conflict(_("Its time has passed. Edit it and choose another time."))
    task.state, task.next_run_at, task.failures_in_row = TaskState.ACTIVE.value, slot, 0
    audit.record(Event.TASK_RESUMED, actor=owner, target=task)


def start_owned(owner: Any, task: Task) -> TaskRun:
    """Add a run beside the schedule; raises Conflict while one is under way, or where an administrator holds it."""
    if task.held:
        raise Conflict(_("An administrator paused this schedule. It does not run until they resume it."))
    if is_under_way(task):
        raise Conflict(_("It is running already."), code="running")
    run = claims.start_now(task)
    audit.record(Event.TASK_STARTED, actor=owner, target=task, after={"run": run.public_id})
    return run


def remove_owned(owner: Any, task: Task) -> None:
    """Delete a task with its history; a run under way is ended by its process."""
    audit.record(Event.TASK_DELETED, actor=owner, target=task, before=_told(task))
    db.session.execute(delete(Task).where(Task.id == task.id))


def erase_owned(owner: Any) -> None:
    """Delete all tasks of an account that is erased."""
    party = audit.party(owner)
    mine = (Task.owner_kind == party.kind) & (Task.owner_id == party.id)
    db.session.execute(delete(Task).where(mine))


def is_under_way(task: Task) -> bool:
    """Tell whether a run waits or is at work."""
    live = TaskRun.state.in_([RunState.QUEUED.value, RunState.RUNNING.value])
    return bool(db.session.scalar(select(exists().where(TaskRun.task_id == task.id, live))))


def _first_slot(schedule: Schedule) -> Any:
    slot = schedule.next_after(clock.utc_now())
    if slot is None:
        raise Invalid(_("This never comes. Choose another time."), field="how")
    return slot


def _columns(schedule: Schedule) -> dict[str, Any]:
    values = (schedule.at, schedule.interval_seconds, schedule.cron, schedule.timezone)
    return dict(zip(_COLUMNS, values, strict=True))


def _told(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in _COLUMNS}
