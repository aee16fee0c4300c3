"""What tests of the pages of tasks share."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.processes import wait_for
from webapp.audit.models import AuditEntry
from webapp.database import db
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskRun

OPTIONS = {
    "timeout_seconds": "600",
    "overlap": "skip",
    "misfire": "once",
    "grace_seconds": "60",
    "retries": "0",
    "backoff_seconds": "30",
    "disable_after": "0",
    "notify": "",
    "notify_to": "",
    "zone": "UTC",
}


def fields(name: str = "Mine", **values: Any) -> dict[str, Any]:
    """Return what a browser sends for a task, unless said otherwise every day at 08:30."""
    return {"name": name, "how": "daily", "time": "08:30", **OPTIONS, **values}


def add(app: Flask, func_name: str, arguments: dict[str, Any] | None = None, **values: Any) -> str:
    """Add a task and return its public id."""
    with app.app_context():
        if "scheduled_at" not in values and "cron" not in values:
            values.setdefault("interval_seconds", 86_400)
        values.setdefault("name", func_name)
        task = Task(func_name=func_name, arguments=json.dumps(arguments or {}), **values)
        db.session.add(task)
        db.session.commit()
        return task.public_id


def task_named(app: Flask, name: str) -> Task | None:
    """Return a task by name."""
    with app.app_context():
        return db.session.scalar(select(Task).where(Task.name == name))


def newest_run(app: Flask) -> TaskRun:
    """Return the run that was added last."""
    with app.app_context():
        return db.session.scalars(select(TaskRun).order_by(TaskRun.id.desc()).limit(1)).one()


def events(app: Flask) -> list[str]:
    """Return what the audit log holds of tasks."""
    with app.app_context():
        query = select(AuditEntry.event).where(AuditEntry.event.like("task:%")).order_by(AuditEntry.id)
        return list(db.session.scalars(query))


def tick_until(app: Flask, done: Callable[[], Any]) -> Any:
    """Do scheduled work until it is so."""

    def look() -> Any:
        with app.app_context():
            engine().tick()
        return done()

    return wait_for(look)


def run_to_its_end(app: Flask) -> TaskRun:
    """Do scheduled work until the newest run has ended, and return it."""
    return tick_until(app, lambda: (run := newest_run(app)).run_state.final and run)  # type: ignore[no-any-return]
