"""Where the routes of tasks are declared, and what several of them answer."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from webapp.tasks.models import Task, TaskRun
from webapp.tasks.service import SYSTEM
from webapp.tasks.words import task_label
from webapp.web.api import Answer, Routes, administrator, caller

routes = Routes("tasks", tag="Tasks")

READ = administrator("tasks.read")
CHANGE = administrator("tasks.change")


class TaskAnswer(Answer):
    """A task. `at`, `interval_seconds` or `cron` says when it comes due, in `timezone`.

    `arguments` are null for whoever may not change tasks, and for tasks of users. `seen` goes back with a change.
    """

    id: str
    name: str
    function: str
    state: str
    built_in: bool
    owner: str
    at: dt.datetime | None
    interval_seconds: int | None
    cron: str | None
    timezone: str
    arguments: dict[str, Any] | None
    misfire: str
    grace_seconds: int
    timeout_seconds: int
    retries: int
    backoff_seconds: int
    overlap: str
    disable_after: int
    idempotent: bool
    notify: str
    next_run_at: dt.datetime | None
    failures_in_row: int
    missed: int
    created_at: dt.datetime
    seen: str


class RunAnswer(Answer):
    """A run of a task; `result` is null for whoever may not change tasks, and for tasks of users."""

    id: str
    task: str
    task_name: str
    scheduled_for: dt.datetime
    trigger: str
    state: str
    reason: str
    result: Any
    attempt: int
    worker: str
    progress_done: int | None
    progress_total: int | None
    progress_text: str
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


def of_task(task: Task, seen: str) -> TaskAnswer:
    """Return a task as this caller may see it."""
    same = set(TaskAnswer.model_fields) - {
        "id",
        "name",
        "function",
        "owner",
        "at",
        "arguments",
        "seen",
        "built_in",
    }
    return TaskAnswer(
        id=task.public_id,
        name=str(task_label(task)),
        function=task.func_name,
        built_in=task.built_in,
        owner=task.owner_kind,
        at=task.scheduled_at,
        arguments=task.given if _is_open(task) else None,
        seen=seen,
        **{name: getattr(task, name) for name in same},
    )


def of_run(run: TaskRun, task: Task) -> RunAnswer:
    """Return a run as this caller may see it."""
    same = set(RunAnswer.model_fields) - {"id", "task", "task_name", "result"}
    return RunAnswer(
        id=run.public_id,
        task=task.public_id,
        task_name=str(task_label(task)),
        result=json.loads(run.result) if _is_open(task) else None,
        **{name: getattr(run, name) for name in same},
    )


def _is_open(task: Task) -> bool:
    """Tell whether what a task was given and gave back may be shown to the caller."""
    return task.owner_kind == SYSTEM and bool(caller().person.may("tasks.change"))
