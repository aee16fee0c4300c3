"""Claims: a due slot becomes one run, and a run that is ready is started by one process.

Any number of processes may do this at once. A slot's run is inserted in the transaction that advances its task, under
a unique pair (task, slot); rows that another process holds are passed over.

`ready_at` of a slot that is taken in time is the slot itself. One made up for later, and another attempt, is ready
later than its slot, and waits where a slot in time would be skipped because the run before is still at work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, exists, func, select, update
from sqlalchemy.orm import aliased

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.tasks import rules
from webapp.tasks.models import Task, TaskAttempt, TaskRun
from webapp.tasks.rules import Misfire, Overlap, RunState, TaskState, Trigger
from webapp.tasks.schedules import ScheduleError


@dataclass(frozen=True, slots=True)
class Claim:
    """A run this process has started; it may write about it while the fence is the newest."""

    run_id: int
    fence: int
    func_name: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Which:
    """Which runs are meant: one, or those of certain functions, or those of all others; by default all."""

    run_id: int | None = None
    functions: frozenset[str] | None = None
    other_than: frozenset[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a run and its task have to fulfil."""
        wanted: list[ColumnElement[bool]] = []
        if self.run_id is not None:
            wanted.append(TaskRun.id == self.run_id)
        if self.functions is not None:
            wanted.append(Task.func_name.in_(self.functions))
        if self.other_than is not None:
            wanted.append(Task.func_name.not_in(self.other_than))
        return wanted


ALL: Final = Which()


def is_due() -> bool:
    """Tell whether a task is due, without the lock that taking it needs."""
    return _found(exists().where(_due(clock.utc_now())))


def is_ready(which: Which = ALL) -> bool:
    """Tell whether a run may start, without the lock that starting it needs."""
    return _found(_ready(clock.utc_now(), which).exists())


def ready_since(moment: dt.datetime) -> int:
    """Return how many runs could have started at a moment, and wait still."""
    query = _ready(moment).with_only_columns(func.count(), maintain_column_froms=True)
    with db.engine.connect() as connection:
        return connection.scalar(query) or 0


def is_to_be_sent(which: Which) -> bool:
    """Tell whether there is something for `mark_sent`, without the lock that it needs."""
    now = clock.utc_now()
    return _found(_ready(now, which).where(_to_be_sent(now, again=True)).exists())


@write_transaction
def take_due(limit: int = rules.CLAIM_AT_ONCE) -> int:
    """Turn the slots that are due into runs and advance their tasks; return how many tasks were due."""
    now = clock.utc_now()
    due = db.session.scalars(
        select(Task)
        .where(_due(now))
        .order_by(Task.next_run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for task in due:
        try:
            _take_slots(task, now)
        except ScheduleError as error:  # a time zone that is gone, say; the others must not wait for it
            task.state, task.next_run_at = TaskState.DISABLED.value, None
            audit.record(Event.TASK_DISABLED, actor=audit.SYSTEM, target=task, after={"reason": str(error)})
    return len(due)


@write_transaction
def take_ready(
    worker: str, capacity: int, lease_seconds: float = rules.LEASE_SECONDS, *, which: Which = ALL
) -> list[Claim]:
    """Start up to so many runs that are ready, in the name of a worker."""
    now, claims, seen = clock.utc_now(), list[Claim](), 0
    while len(claims) < capacity and seen < rules.CLAIM_AT_ONCE:
        # Each round changes what it finds, so that the next one finds others: those skipped must not keep
        # the ones behind them waiting.
        values = {"now": now, "most": capacity - len(claims)}
        found = db.session.execute(_first_ready(which), values).all()
        if not found:
            break
        seen += len(found)
        for run, task in found:
            if task.overlap == Overlap.ALLOW.value or not _is_running(task.id):
                claims.append(_start(run, task, worker, lease_end(now, lease_seconds)))
            elif not _waits(run, task):
                _skip(run, _("The run before was still at work."), now)
    return claims


@write_transaction
def mark_sent(which: Which, limit: int, *, again: bool) -> list[int]:
    """Return runs that are ready and shall be sent to a worker now, marked as sent.

    `again`: also those sent a while ago, since their messages can no longer be waiting.
    """
    now = clock.utc_now()
    query = _ready(now, which).where(_to_be_sent(now, again=again)).order_by(TaskRun.ready_at, TaskRun.id)
    found = db.session.execute(query.limit(limit).with_for_update(skip_locked=True)).all()
    for run, _task in found:
        run.sent_at = now
    return [run.id for run, _task in found]


@write_transaction
def mark_unsent(run_ids: Sequence[int]) -> None:
    """Let queued runs be sent once more."""
    waiting = (TaskRun.state == RunState.QUEUED.value) & TaskRun.id.in_(run_ids)
    db.session.execute(
        update(TaskRun).where(waiting).values(sent_at=None), execution_options={"synchronize_session": False}
    )


@write_transaction
def follow_clock_back(seconds: float) -> None:
    """After the clock was set back: intervals go on from now, and what was ready is ready; nothing waits for the past."""
    now = clock.utc_now()
    waiting = Task.interval_seconds.is_not(None) & (Task.state == TaskState.ACTIVE.value)
    for task in db.session.scalars(select(Task).where(waiting, Task.next_run_at > now).with_for_update()):
        following = task.schedule.next_after(now)
        if following is not None and task.next_run_at is not None:
            task.next_run_at = min(task.next_run_at, following)
    was_ready = (TaskRun.state == RunState.QUEUED.value) & TaskRun.ready_at.between(
        now, now + dt.timedelta(seconds=seconds)
    )
    db.session.execute(
        update(TaskRun).where(was_ready).values(ready_at=now),
        execution_options={"synchronize_session": False},
    )


@write_transaction
def give_up_waiting() -> None:
    """End the runs that nobody could start for very long."""
    now = clock.utc_now()
    waiting = (TaskRun.state == RunState.QUEUED.value) & (TaskRun.ready_at < now - rules.QUEUE_PATIENCE)
    values = {
        "state": RunState.SKIPPED.value,
        "reason": _("Nobody could start it for a day."),
        "finished_at": now,
    }
    db.session.execute(
        update(TaskRun).where(waiting).values(**values), execution_options={"synchronize_session": False}
    )


def start_now(task: Task) -> TaskRun:
    """Add a run beside the schedule, inside the caller's transaction."""
    now = clock.utc_now()
    run = TaskRun(task_id=task.id, scheduled_for=now, ready_at=now, trigger=Trigger.MANUAL.value)
    db.session.add(run)
    db.session.flush()
    return run


def lease_end(now: dt.datetime, seconds: float) -> dt.datetime:
    """Return until when a lease taken now holds."""
    return now + dt.timedelta(seconds=seconds)


def _take_slots(task: Task, now: dt.datetime) -> None:
    """Add the runs of the slots that have come, as the misfire policy says, and find the next slot."""
    first, grace = task.next_run_at, dt.timedelta(seconds=task.grace_seconds)
    assert first is not None  # noqa: S101 - the query asked for it
    slots, passed_over = _slots_until(task, first, now)
    newest = slots[-1]
    following = task.schedule.next_after(max(now, newest), anchor=newest)
    policy = Misfire(task.misfire)
    chosen = slots if policy is Misfire.ALL else slots[-1:]
    task.missed += passed_over + len(slots) - len(chosen)
    for slot in chosen:
        if _was_taken(task, slot):
            continue
        late = now - slot > grace
        made_up = late or slot != newest
        run = TaskRun(task_id=task.id, scheduled_for=slot, ready_at=now if made_up else slot)
        db.session.add(run)
        if late and policy is Misfire.SKIP:
            task.missed += 1
            _skip(run, _("Nobody was there when it was due."), now)
    task.last_slot_at, task.next_run_at = newest, following
    if following is None:
        task.state = TaskState.FINISHED.value


def _was_taken(task: Task, slot: dt.datetime) -> bool:
    """Tell whether a slot has its run: after the clock or the schedule was set back, slots come a second time."""
    if task.last_slot_at is None or slot > task.last_slot_at:
        return False
    query = exists().where(TaskRun.task_id == task.id, TaskRun.scheduled_for == slot)
    return bool(db.session.scalar(select(query)))


def _slots_until(task: Task, first: dt.datetime, now: dt.datetime) -> tuple[list[dt.datetime], int]:
    """Return the slots from the first to now, of very many the newest ones, and how many more there were."""
    schedule, slots, passed_over = task.schedule, [first], 0
    if schedule.interval_seconds is not None:
        step = dt.timedelta(seconds=schedule.interval_seconds)
        count = (now - first) // step
        passed_over = max(0, count - rules.SLOTS_KEPT_UP)
        return [first + step * number for number in range(passed_over, count + 1)], passed_over
    while (slot := schedule.next_after(slots[-1])) is not None and slot <= now:
        slots.append(slot)
        if len(slots) > rules.SLOTS_KEPT_UP:
            passed_over += 1
            slots.pop(0)
    return slots, passed_over


def _due(now: dt.datetime) -> ColumnElement[bool]:
    return (Task.state == TaskState.ACTIVE.value) & (Task.next_run_at <= now)


def _to_be_sent(now: dt.datetime, *, again: bool) -> ColumnElement[bool]:
    unsent = TaskRun.sent_at.is_(None)
    return unsent | (TaskRun.sent_at < now - rules.RESEND_AFTER) if again else unsent


@lru_cache(maxsize=64)
def _first_ready(which: Which) -> Select[TaskRun, Task]:
    """Return the query for the runs to be started first; making it anew each time costs more than running it."""
    query = _ready(bindparam("now"), which).order_by(TaskRun.ready_at, TaskRun.id)
    return query.limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True)


def _ready(now: dt.datetime | BindParameter[Any], which: Which = ALL) -> Select[TaskRun, Task]:
    """Return the query for runs that may start; those that have to wait for another one stay out."""
    other = aliased(TaskRun)
    is_patient = (Task.overlap == Overlap.QUEUE.value) | (
        (Task.overlap == Overlap.SKIP.value) & (TaskRun.ready_at > TaskRun.scheduled_for)
    )
    other_runs = exists().where(other.task_id == Task.id, other.state == RunState.RUNNING.value)
    return (
        select(TaskRun, Task)
        .join(Task, Task.id == TaskRun.task_id)
        .where(TaskRun.state == RunState.QUEUED.value, TaskRun.ready_at <= now, ~(is_patient & other_runs))
        .where(*which.conditions())
    )


def _waits(run: TaskRun, task: Task) -> bool:
    """Say of a loaded run what `_ready` says in SQL."""
    return task.overlap == Overlap.QUEUE.value or run.ready_at > run.scheduled_for


def _found(condition: ColumnElement[bool]) -> bool:
    with db.engine.connect() as connection:
        return bool(connection.scalar(select(condition)))


def _is_running(task_id: int) -> bool:
    query = select(exists().where(TaskRun.task_id == task_id, TaskRun.state == RunState.RUNNING.value))
    return bool(db.session.scalar(query))


def _start(run: TaskRun, task: Task, worker: str, lease_until: dt.datetime) -> Claim:
    now = clock.utc_now()
    run.state, run.worker, run.lease_until = RunState.RUNNING.value, worker, lease_until
    run.sent_at = None  # another attempt is sent anew
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
