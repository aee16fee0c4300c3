"""Outcomes: what came of an attempt, and what follows; only the holder of the newest fence may write one."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update

from webapp import metrics
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.lib import clock, redaction
from webapp.lib.text import without_lone_surrogates
from webapp.tasks import rules
from webapp.tasks.claims import lease_end
from webapp.tasks.models import Task, TaskAttempt, TaskRun
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState, TaskState, Trigger


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an attempt: its state, a reason for people, the result as JSON-able data, a trace for administrators."""

    state: RunState
    reason: str = ""
    result: Any = None
    trace: str = ""


@write_transaction
def finish(run_id: int, fence: int, outcome: Outcome) -> bool:
    """Write what came of an attempt; tell whether it was written: not when the run was taken over."""
    run = _held(run_id, fence)
    if run is None:
        return False
    _conclude(run, outcome)
    return True


@write_transaction
def take_from_the_lost(run_id: int, fence: int, reason: str) -> bool:
    """End an attempt whose process is gone; its fence is passed, so that it can never write again."""
    run = _held(run_id, fence)
    if run is None:
        return False
    _conclude(run, Outcome(RunState.LOST, reason))
    run.fence += 1
    return True


@write_transaction
def cancel(actor: Any, run_id: int) -> bool:
    """Cancel a run: at once while it waits, by its process while it runs; tell whether there was something to cancel."""
    run = db.session.scalar(select(TaskRun).where(TaskRun.id == run_id).with_for_update())
    if run is None or run.run_state.final:
        return False
    now = clock.utc_now()
    run.cancel_requested_at = now
    if run.run_state is RunState.QUEUED:
        run.state, run.finished_at = RunState.CANCELLED.value, now
    audit.record(Event.TASK_CANCELLED, actor=actor, target=db.session.get_one(Task, run.task_id))
    return True


@write_transaction
def renew(worker: str, run_ids: Collection[int], lease_seconds: float = rules.LEASE_SECONDS) -> None:
    """Extend the leases of runs a worker attends to; those it lost track of run out."""
    db.session.execute(
        update(TaskRun)
        .where(TaskRun.state == RunState.RUNNING.value, TaskRun.worker == worker, TaskRun.id.in_(run_ids))
        .values(lease_until=lease_end(clock.utc_now(), lease_seconds)),
        execution_options={"synchronize_session": False},
    )


def to_be_continued(worker: str) -> set[tuple[int, int]]:
    """Return run and fence of what a worker shall go on with: not what was cancelled or taken from it."""
    query = select(TaskRun.id, TaskRun.fence).where(
        TaskRun.state == RunState.RUNNING.value,
        TaskRun.worker == worker,
        TaskRun.cancel_requested_at.is_(None),
    )
    with db.engine.connect() as connection:
        return {(row.id, row.fence) for row in connection.execute(query)}


def _held(run_id: int, fence: int) -> TaskRun | None:
    return db.session.scalar(
        select(TaskRun)
        .where(TaskRun.id == run_id, TaskRun.fence == fence, TaskRun.state == RunState.RUNNING.value)
        .with_for_update()
    )


def _conclude(run: TaskRun, outcome: Outcome) -> None:
    metrics.count("task_runs_total", state=outcome.state.value)
    now = clock.utc_now()
    reason = _storable(outcome.reason)[: rules.REASON_LENGTH]
    attempt = db.session.scalars(
        select(TaskAttempt).where(TaskAttempt.run_id == run.id, TaskAttempt.fence == run.fence)
    ).one()
    attempt.state, attempt.reason, attempt.finished_at = outcome.state.value, reason, now
    attempt.trace = _storable(outcome.trace)[-rules.TRACE_LENGTH :]
    run.lease_until = None
    task = db.session.scalars(select(Task).where(Task.id == run.task_id).with_for_update()).one()
    if _comes_again(task, run, outcome.state):
        run.state, run.ready_at, run.reason = RunState.QUEUED.value, now + _pause(task, run.attempt), reason
        return
    run.state, run.reason, run.finished_at = outcome.state.value, reason, now
    run.result = _as_json(outcome.result)
    _count(task, outcome.state)
    if outcome.state.bad or not task.built_in or run.trigger == Trigger.MANUAL.value:
        after = {"run": run.public_id, "state": run.state, "reason": reason}
        audit.record(Event.TASK_RAN, actor=audit.SYSTEM, target=task, after=after)


def _storable(text: str) -> str:
    return redaction.redact(without_lone_surrogates(text))


def _as_json(result: Any) -> str:
    """Return a result as JSON; of one that is too long the beginning, as a text."""
    whole = without_lone_surrogates(json.dumps(result, ensure_ascii=False, default=str))
    if len(whole) <= rules.RESULT_LENGTH:
        return whole
    return json.dumps(whole[: rules.RESULT_LENGTH // 2] + "…", ensure_ascii=False)


def _comes_again(task: Task, run: TaskRun, state: RunState) -> bool:
    """Tell whether another attempt follows; a lost one only where running twice does no harm."""
    if run.cancel_requested_at is not None or not state.bad:
        return False
    if state is RunState.LOST:
        return task.idempotent and run.attempt <= max(1, task.retries)
    return run.attempt <= task.retries


def _pause(task: Task, attempt: int) -> dt.timedelta:
    seconds = min(task.backoff_seconds * 2 ** (attempt - 1), 3600)
    return dt.timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311


def _count(task: Task, state: RunState) -> None:
    """Count failures in a row, and take a task that keeps failing out of the schedule."""
    if state is RunState.SUCCEEDED:
        task.failures_in_row = 0
    if not state.bad:
        return
    task.failures_in_row += 1
    if task.disable_after and task.failures_in_row >= task.disable_after:
        task.state, task.next_run_at = TaskState.DISABLED.value, None
        reason = _("It failed %(count)s times in a row.", count=task.failures_in_row)
        audit.record(Event.TASK_DISABLED, actor=audit.SYSTEM, target=task, after={"reason": reason})
        found = task_registry.find(task.func_name)
        if found is not None and found.when_disabled is not None:
            found.when_disabled(task)
