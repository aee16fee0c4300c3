"""Claims: a due slot becomes one run, and a run that is ready is started by one process.

Any number of processes may do this at once. A slot's run is inserted in the transaction that advances its task, under
a unique pair (task, slot); rows that another process holds are passed over.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import aliased

from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.tasks import rules
from webapp.tasks.models import Task, TaskAttempt, TaskRun
from webapp.tasks.rules import Misfire, Overlap, RunState, TaskState, Trigger


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this process has started; it may write about it while the fence is the newest."""

    run_id: int
    fence: int
    func_name: str
    timeout_seconds: int


@write_transaction
def take_due(limit: int = rules.CLAIM_AT_ONCE) -> int:
    """Turn the slots that are due into runs and advance their tasks; return how many tasks were due."""
    now = clock.utc_now()
    due = db.session.scalars(
        select(Task)
        .where(Task.state == TaskState.ACTIVE.value, Task.next_run_at <= now)
        .order_by(Task.next_run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for task in due:
        _take_slots(task, now)
    return len(due)


@write_transaction
def take_ready(worker: str, capacity: int) -> list[Claim]:
    """Start up to so many runs that are ready, in the name of a worker."""
    if capacity <= 0:
        return []
    now, claims, busy = clock.utc_now(), [], set[int]()
    for run, task in db.session.execute(_ready(now).limit(capacity)).all():
        overlaps = task.id in busy or _is_running(task.id)
        if overlaps and task.overlap == Overlap.QUEUE.value:
            continue
        if overlaps and task.overlap == Overlap.SKIP.value:
            _skip(run, _("The run before was still at work."), now)
            continue
        busy.add(task.id)
        claims.append(_start(run, task, worker, now))
    return claims


def start_now(task: Task) -> TaskRun:
    """Add a run beside the schedule, inside the caller's transaction."""
    now = clock.utc_now()
    run = TaskRun(task_id=task.id, scheduled_for=now, ready_at=now, trigger=Trigger.MANUAL.value)
    db.session.add(run)
    db.session.flush()
    return run


def lease_end(now: dt.datetime) -> dt.datetime:
    """Return until when a lease taken now holds."""
    return now + dt.timedelta(seconds=rules.LEASE_SECONDS)


def _take_slots(task: Task, now: dt.datetime) -> None:
    """Add the runs of the slots that have come, as the misfire policy says, and find the next slot."""
    first = task.next_run_at
    assert first is not None  # noqa: S101 - the query asked for it
    slots = _slots_until(task, first, now)
    newest = slots[-1]
    late = now - newest > dt.timedelta(seconds=task.grace_seconds)
    policy = Misfire(task.misfire)
    chosen = slots if policy is Misfire.ALL else slots[-1:]
    task.missed += len(slots) - len(chosen)
    for slot in chosen:
        run = TaskRun(task_id=task.id, scheduled_for=slot, ready_at=now)
        db.session.add(run)
        if late and policy is Misfire.SKIP:
            task.missed += 1
            _skip(run, _("Nobody was there when it was due."), now)
    task.last_slot_at = newest
    task.next_run_at = task.schedule.next_after(max(now, newest), anchor=newest)
    if task.next_run_at is None:
        task.state = TaskState.FINISHED.value


def _slots_until(task: Task, first: dt.datetime, now: dt.datetime) -> list[dt.datetime]:
    """Return the slots from the first to now; of very many the newest ones."""
    schedule, slots = task.schedule, [first]
    if schedule.interval_seconds is not None:
        step = dt.timedelta(seconds=schedule.interval_seconds)
        count = (now - first) // step
        skipped = max(0, count - rules.SLOTS_KEPT_UP)
        task.missed += skipped
        return [first + step * number for number in range(skipped, count + 1)]
    while (slot := schedule.next_after(slots[-1])) is not None and slot <= now:
        slots.append(slot)
        if len(slots) > rules.SLOTS_KEPT_UP:
            task.missed += 1
            slots.pop(0)
    return slots


def _ready(now: dt.datetime) -> Select[TaskRun, Task]:
    """Return the query for runs that may start; those that have to queue behind another one stay out."""
    other = aliased(TaskRun)
    has_to_wait = (Task.overlap == Overlap.QUEUE.value) & exists().where(
        other.task_id == Task.id, other.state == RunState.RUNNING.value
    )
    return (
        select(TaskRun, Task)
        .join(Task, Task.id == TaskRun.task_id)
        .where(TaskRun.state == RunState.QUEUED.value, TaskRun.ready_at <= now, ~has_to_wait)
        .order_by(TaskRun.ready_at, TaskRun.id)
        .with_for_update(skip_locked=True)
    )


def _is_running(task_id: int) -> bool:
    query = select(exists().where(TaskRun.task_id == task_id, TaskRun.state == RunState.RUNNING.value))
    return bool(db.session.scalar(query))


def _start(run: TaskRun, task: Task, worker: str, now: dt.datetime) -> Claim:
    run.state, run.worker, run.lease_until = RunState.RUNNING.value, worker, lease_end(now)
    run.attempt += 1
    run.fence += 1
    run.started_at = run.started_at or now
    run.reason = ""
    db.session.add(
        TaskAttempt(run_id=run.id, fence=run.fence, number=run.attempt, worker=worker, started_at=now)
    )
    db.session.flush()
    return Claim(run.id, run.fence, task.func_name, task.timeout_seconds)


def _skip(run: TaskRun, reason: str, now: dt.datetime) -> None:
    run.state, run.reason, run.finished_at = RunState.SKIPPED.value, reason, now
