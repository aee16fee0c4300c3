"""Tasks, their runs, the attempts at them, and the lines they logged."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.audit.service import Party
from webapp.database import (
    Base,
    UTCDateTime,
    created_at_column,
    exact_string,
    long_text,
    public_id_column,
)
from webapp.lib import clock
from webapp.tasks import rules
from webapp.tasks.registry import Options
from webapp.tasks.rules import Misfire, Notify, Overlap, RunState, TaskState, Trigger
from webapp.tasks.schedules import Schedule

_big_key = BigInteger().with_variant(Integer, "sqlite")


class Task(Base):
    """What is to be run, and when: at `scheduled_at` once, every `interval_seconds`, or by `cron` in `timezone`.

    `next_run_at` is the slot that comes due next, None when none does. `owner_kind` and `owner_id` say whose it is;
    one that is `held` was paused by an administrator, and its owner cannot resume it.
    A task that comes with the program has the function's name as `built_in_key`, and follows the registry until an
    administrator changes it (`customised`).
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_due", "state", "next_run_at"),
        Index("ix_tasks_owner", "owner_kind", "owner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    name: Mapped[str] = mapped_column(String(rules.NAME_LENGTH))
    func_name: Mapped[str] = mapped_column(exact_string(rules.FUNCTION_LENGTH), index=True)
    arguments: Mapped[str] = mapped_column(long_text(), default="{}")
    built_in_key: Mapped[str | None] = mapped_column(exact_string(rules.FUNCTION_LENGTH), unique=True)
    customised: Mapped[bool] = mapped_column(default=False)
    owner_kind: Mapped[str] = mapped_column(String(32), default="system")
    owner_id: Mapped[str] = mapped_column(exact_string(64), default="")
    held: Mapped[bool] = mapped_column(default=False)
    scheduled_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    interval_seconds: Mapped[int | None] = mapped_column(Integer)
    cron: Mapped[str | None] = mapped_column(String(rules.CRON_LENGTH))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    misfire: Mapped[str] = mapped_column(String(16), default=Misfire.ONCE.value)
    grace_seconds: Mapped[int] = mapped_column(Integer, default=60)
    timeout_seconds: Mapped[int] = mapped_column(Integer, default=3600)
    retries: Mapped[int] = mapped_column(Integer, default=0)
    backoff_seconds: Mapped[int] = mapped_column(Integer, default=30)
    overlap: Mapped[str] = mapped_column(String(16), default=Overlap.SKIP.value)
    disable_after: Mapped[int] = mapped_column(Integer, default=0)
    idempotent: Mapped[bool] = mapped_column(default=False)
    notify: Mapped[str] = mapped_column(String(16), default="")
    notify_to: Mapped[str] = mapped_column(String(rules.ADDRESSES_LENGTH), default="")
    state: Mapped[str] = mapped_column(String(16), default=TaskState.ACTIVE.value)
    next_run_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    last_slot_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    failures_in_row: Mapped[int] = mapped_column(Integer, default=0)
    missed: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[dt.datetime] = created_at_column()

    def __init__(self, **values: Any) -> None:
        """Take the columns; the first slot follows from the schedule unless it is given."""
        super().__init__(**values)
        if self.next_run_at is None and self.state in {None, TaskState.ACTIVE.value}:
            self.next_run_at = self.scheduled_at or self.schedule.next_after(clock.utc_now())

    @property
    def built_in(self) -> bool:
        """Whether it comes with the program."""
        return self.built_in_key is not None

    @property
    def schedule(self) -> Schedule:
        """When it comes due."""
        return Schedule(self.scheduled_at, self.interval_seconds, self.cron, self.timezone or "UTC")

    @property
    def options(self) -> Options:
        """How its runs are treated."""
        return Options(
            misfire=Misfire(self.misfire),
            grace_seconds=self.grace_seconds,
            timeout_seconds=self.timeout_seconds,
            retries=self.retries,
            backoff_seconds=self.backoff_seconds,
            overlap=Overlap(self.overlap),
            disable_after=self.disable_after,
            idempotent=self.idempotent,
        )

    @property
    def given(self) -> dict[str, Any]:
        """The arguments."""
        values: dict[str, Any] = json.loads(self.arguments or "{}")
        return values

    @property
    def told(self) -> list[str]:
        """The addresses of its own that are told of failures."""
        return (
            [each for each in self.notify_to.split(",") if each] if self.notify == Notify.OTHERS.value else []
        )

    def audit_party(self) -> Party:
        """Return how the audit log names this task."""
        return Party("task", self.public_id, self.name)


class TaskRun(Base):
    """One slot of a task, or one start by hand. There is one run a slot, however many processes tick.

    `fence` grows with each claim: whoever holds an older number can no longer write. `ready_at` is when it may start, `sent_at`
    when a message about it went to Celery's workers.
    """

    __tablename__ = "task_runs"
    __table_args__ = (
        UniqueConstraint("task_id", "scheduled_for"),
        Index("ix_task_runs_ready", "state", "ready_at"),
        Index("ix_task_runs_newest", "task_id", "id"),
        Index("ix_task_runs_lease", "state", "lease_until"),
    )

    id: Mapped[int] = mapped_column(_big_key, primary_key=True)
    public_id: Mapped[str] = public_id_column()
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    scheduled_for: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    trigger: Mapped[str] = mapped_column(String(16), default=Trigger.SCHEDULE.value)
    state: Mapped[str] = mapped_column(String(16), default=RunState.QUEUED.value)
    reason: Mapped[str] = mapped_column(String(rules.REASON_LENGTH), default="")
    result: Mapped[str] = mapped_column(long_text(), default="null")
    ready_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str] = mapped_column(exact_string(80), default="")
    lease_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    cancel_requested_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    progress_done: Mapped[int | None] = mapped_column(Integer)
    progress_total: Mapped[int | None] = mapped_column(Integer)
    progress_text: Mapped[str] = mapped_column(String(rules.PROGRESS_LENGTH), default="")
    started_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime, index=True)
    created_at: Mapped[dt.datetime] = created_at_column()

    task: Mapped[Task] = relationship(lazy="raise")

    @property
    def run_state(self) -> RunState:
        """The state as an enum member."""
        return RunState(self.state)


class TaskAttempt(Base):
    """One attempt at a run: which worker, from when to when, and what came of it; the trace is for administrators."""

    __tablename__ = "task_attempts"
    __table_args__ = (UniqueConstraint("run_id", "fence"),)

    id: Mapped[int] = mapped_column(_big_key, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("task_runs.id", ondelete="CASCADE"))
    fence: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str] = mapped_column(exact_string(80))
    state: Mapped[str] = mapped_column(String(16), default=RunState.RUNNING.value)
    reason: Mapped[str] = mapped_column(String(rules.REASON_LENGTH), default="")
    trace: Mapped[str] = mapped_column(long_text(), default="")
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class TaskLogLine(Base):
    """One line that a run logged."""

    __tablename__ = "task_log_lines"
    __table_args__ = (Index("ix_task_log_lines_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(_big_key, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("task_runs.id", ondelete="CASCADE"))
    logged_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    level: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(long_text())
