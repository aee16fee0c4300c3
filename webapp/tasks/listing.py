"""Pages of tasks and runs, and what stands beside each: the last run, how long runs take, what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select, union_all

from webapp.database import Order, Page, db, sorted_page, sorted_rows
from webapp.lib import clock
from webapp.tasks import rules
from webapp.tasks.models import Task, TaskAttempt, TaskLogLine, TaskRun
from webapp.tasks.rules import RunState, TaskState
from webapp.tasks.words import task_label

OFTEN = 24  # what runs more often a day is not in the week's grid, which it would fill


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A run as a bar of a small chart."""

    state: RunState
    seconds: float | None
    public_id: str
    moment: dt.datetime


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a list shows."""

    q: str = ""
    state: str = ""
    owner: str = ""  # "", "built_in", "own", "users"

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a task has to fulfil."""
        wanted: list[ColumnElement[bool]] = []
        if self.q:
            pattern = "%" + self.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            wanted.append(Task.name.ilike(pattern, escape="\\") | Task.func_name.like(pattern, escape="\\"))
        if self.state:
            wanted.append(Task.state == self.state)
        if self.owner == "built_in":
            wanted.append(Task.built_in_key.is_not(None))
        elif self.owner == "own":
            wanted += [Task.built_in_key.is_(None), Task.owner_kind == "system"]
        elif self.owner == "users":
            wanted.append(Task.owner_kind != "system")
        return wanted


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a history shows; times are instants."""

    task_id: int | None = None
    state: str = ""
    trigger: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a run has to fulfil."""
        wanted: list[ColumnElement[bool]] = []
        if self.task_id is not None:
            wanted.append(TaskRun.task_id == self.task_id)
        if self.state == "bad":
            wanted.append(TaskRun.state.in_([state.value for state in RunState if state.bad]))
        elif self.state:
            wanted.append(TaskRun.state == self.state)
        if self.trigger:
            wanted.append(TaskRun.trigger == self.trigger)
        if self.since is not None:
            wanted.append(TaskRun.scheduled_for >= self.since)
        if self.until is not None:
            wanted.append(TaskRun.scheduled_for < self.until)
        return wanted


@dataclass(frozen=True, slots=True)
class Coming:
    """A slot of the days ahead."""

    moment: dt.datetime
    name: str
    public_id: str


@dataclass(slots=True)
class Week:
    """What comes in seven days: single slots by day of the reader's zone, and what runs all the time."""

    days: list[tuple[dt.date, list[Coming]]]
    often: list[Task] = field(default_factory=list)

    @property
    def slots(self) -> list[Coming]:
        """All single slots."""
        return [each for _day, slots in self.days for each in slots]


def list_tasks(
    chosen: TaskFilter, *, after: str | None, before: str | None = None, limit: int = rules.TASKS_PER_PAGE
) -> Page[Task]:
    """Return a page of the tasks, by name."""
    query = select(Task).where(*chosen.conditions())
    order = Order(Task.name, Task.id, descending=False)
    return sorted_page(query, order, after=after, before=before, limit=limit)


def list_runs(
    chosen: RunFilter, *, after: str | None, before: str | None = None, limit: int = rules.RUNS_PER_PAGE
) -> Page[Row[*tuple[Any, ...]]]:
    """Return a page of runs (`TaskRun.id`, `run`, `task`), newest first."""
    query = select(TaskRun.id, TaskRun, Task).join(Task, Task.id == TaskRun.task_id)
    order = Order(TaskRun.id, TaskRun.id)
    return sorted_rows(query.where(*chosen.conditions()), order, after=after, before=before, limit=limit)


def recent_runs(
    task_ids: Sequence[int], count: int = rules.SPARK_RUNS, *, up_to: int | None = None
) -> dict[int, list[RecentRun]]:
    """Return the newest runs of each task, oldest first; one look into the index a task."""
    found: dict[int, list[RecentRun]] = {task_id: [] for task_id in task_ids}
    if not task_ids:
        return found
    columns = (
        TaskRun.task_id,
        TaskRun.id,
        TaskRun.public_id,
        TaskRun.state,
        TaskRun.scheduled_for,
        TaskRun.started_at,
        TaskRun.finished_at,
    )
    parts = []
    for task_id in task_ids:
        query = select(*columns).where(TaskRun.task_id == task_id)
        if up_to is not None:
            query = query.where(TaskRun.id <= up_to)
        parts.append(select(query.order_by(TaskRun.id.desc()).limit(count).subquery()))
    now = clock.utc_now()
    for row in sorted(db.session.execute(union_all(*parts)), key=lambda each: each.id):
        ended = row.finished_at or now
        seconds = (ended - row.started_at).total_seconds() if row.started_at else None
        found[row.task_id].append(RecentRun(RunState(row.state), seconds, row.public_id, row.scheduled_for))
    return found


def attempts_of(run_id: int) -> Sequence[TaskAttempt]:
    """Return the attempts at a run, the first one first."""
    query = select(TaskAttempt).where(TaskAttempt.run_id == run_id).order_by(TaskAttempt.id)
    return db.session.scalars(query).all()


def log_after(run_id: int, after: int, limit: int = rules.LINES_AT_ONCE) -> Sequence[TaskLogLine]:
    """Return lines of a run's log that follow one, in order."""
    query = select(TaskLogLine).where(TaskLogLine.run_id == run_id, TaskLogLine.id > after)
    return db.session.scalars(query.order_by(TaskLogLine.id).limit(limit)).all()


def log_end(run_id: int, limit: int = rules.LINES_AT_ONCE) -> Sequence[TaskLogLine]:
    """Return the last lines of a run's log, in order."""
    query = select(TaskLogLine).where(TaskLogLine.run_id == run_id)
    return db.session.scalars(query.order_by(TaskLogLine.id.desc()).limit(limit)).all()[::-1]


def warnings_in(run_id: int) -> int:
    """Return how many lines of a run's log are warnings or worse."""
    bad = TaskLogLine.level.in_(["warning", "error", "critical"])
    count = select(func.count()).select_from(TaskLogLine).where(TaskLogLine.run_id == run_id, bad)
    return db.session.scalar(count) or 0


def week_from(now: dt.datetime, zone: dt.tzinfo) -> Week:
    """Return what comes in the seven days from today on."""
    today = now.astimezone(zone).date()
    days: dict[dt.date, list[Coming]] = {today + dt.timedelta(days=n): [] for n in range(7)}
    week = Week([])
    end = now + dt.timedelta(days=7)
    for task in _active():
        if task.next_run_at is None:
            continue
        next_day = task.schedule.upcoming(task.next_run_at, OFTEN, anchor=task.next_run_at)
        if len(next_day) == OFTEN and next_day[-1] < task.next_run_at + dt.timedelta(days=1):
            week.often.append(task)
            continue
        for slot in _slots(task, end):
            day = slot.astimezone(zone).date()
            if day in days:
                days[day].append(Coming(slot, task_label(task), task.public_id))
    week.days = [(day, sorted(slots, key=lambda each: each.moment)) for day, slots in days.items()]
    return week


def nobody_works() -> bool:
    """Tell whether something has been due for so long that no process can be doing the scheduled work."""
    late = clock.utc_now() - dt.timedelta(seconds=rules.LATE_SECONDS)
    due = exists().where(Task.state == TaskState.ACTIVE.value, Task.next_run_at < late)
    return bool(db.session.scalar(select(due)))


def newest_slot() -> dt.datetime | None:
    """Return when a slot was taken last: the heartbeat of scheduled work."""
    return db.session.scalar(select(func.max(Task.last_slot_at)))


def _active() -> Iterable[Task]:
    query = select(Task).where(Task.state == TaskState.ACTIVE.value, Task.owner_kind == "system")
    return db.session.scalars(query.order_by(Task.next_run_at).limit(500))


def _slots(task: Task, end: dt.datetime) -> Iterable[dt.datetime]:
    slot = task.next_run_at
    while slot is not None and slot < end:
        yield slot
        slot = task.schedule.next_after(slot, anchor=slot)
