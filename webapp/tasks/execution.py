"""Execution of one attempt, in whatever process: the function is called, and what came of it is told."""

from __future__ import annotations

import asyncio
import inspect
import logging
import traceback

from flask import Flask
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import select

from webapp.database import db
from webapp.errors import AppError
from webapp.tasks.context import Cancelled, RunContext
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.outcomes import Outcome
from webapp.tasks.registry import RUN, Failed, Skip, TaskFunction, faults, task_registry
from webapp.tasks.rules import RunState

log = logging.getLogger(__name__)


def execute(app: Flask, run_id: int, fence: int, *, started: list[RunContext] | None = None) -> Outcome:
    """Run the function of a run and return what came of it; never raises.

    `started` gets the context of the run, by which it can be cancelled from another thread.
    """
    with app.app_context():
        row = db.session.execute(
            select(Task.func_name, Task.arguments, TaskRun.attempt)
            .join(Task, Task.id == TaskRun.task_id)
            .where(TaskRun.id == run_id)
        ).one_or_none()
        task = db.session.scalar(
            select(Task).join(TaskRun, TaskRun.task_id == Task.id).where(TaskRun.id == run_id)
        )
        if row is None or task is None:
            return Outcome(RunState.FAILED, _("The task was deleted."))
        found, given, attempt = task_registry.find(row.func_name), task.given, row.attempt
        db.session.remove()
        if found is None:
            sentence = _("No function is registered as %(name)s.", name=row.func_name)
            return Outcome(RunState.FAILED, sentence)
        with RunContext(app, run_id, fence, attempt) as run:
            if started is not None:
                started.append(run)
            return _call(found, given, run)


def _call(found: TaskFunction, given: dict[str, object], run: RunContext) -> Outcome:
    try:
        arguments = found.bound(given)
        if found.takes_run:
            arguments[RUN] = run
        result = found.function(**arguments)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except ValidationError as error:
        wrong = "; ".join(f"{name}: {reason}" for name, reason in faults(error).items())
        return Outcome(RunState.FAILED, _("The arguments do not fit: %(faults)s", faults=wrong))
    except Skip as reason:
        return Outcome(RunState.SKIPPED, str(reason))
    except (Failed, AppError) as reason:
        return Outcome(RunState.FAILED, str(reason))
    except Cancelled:
        return Outcome(RunState.CANCELLED)
    except Exception as error:
        log.exception("task failed", extra={"task": found.name})
        return Outcome(RunState.FAILED, f"{type(error).__name__}: {error}", trace=traceback.format_exc())
    else:
        return Outcome(RunState.SUCCEEDED, result=result)
    finally:
        db.session.remove()
