"""Execution of one attempt, in whatever process: the function is called, and what came of it is told."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
import traceback
from typing import Any, Final

from flask import Flask
from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.errors import AppError
from webapp.lib import clock
from webapp.tasks.context import Cancelled, RunContext
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.outcomes import Outcome
from webapp.tasks.registry import RUN, Failed, Skip, TaskFunction, faults, task_registry
from webapp.tasks.rules import RunState

log = logging.getLogger(__name__)

WAIT_SECONDS: Final = 120  # a run waits so long for a database that is away before it begins


def execute(app: Flask, run_id: int, fence: int, *, started: list[RunContext] | None = None) -> Outcome:
    """Run the function of a run and return what came of it; never raises.

    `started` gets the context of the run, by which it can be cancelled from another thread.
    """
    with app.app_context():
        task = _task_of(run_id)
        if isinstance(task, Outcome):
            return task
        found = task_registry.find(task.func_name)
        if found is None:
            sentence = _("No function is registered as %(name)s.", name=task.func_name)
            return Outcome(RunState.FAILED, sentence)
        with RunContext(app, run_id, fence, task.attempt) as run:
            if started is not None:
                started.append(run)
            return _call(found, json.loads(task.arguments or "{}"), run)


def _task_of(run_id: int) -> Row[str, str, int] | Outcome:
    """Return function, arguments and attempt; a database that is away is waited for, as nothing has begun yet."""
    query = (
        select(Task.func_name, Task.arguments, TaskRun.attempt)
        .join(TaskRun, TaskRun.task_id == Task.id)
        .where(TaskRun.id == run_id)
    )
    deadline = clock.monotonic() + WAIT_SECONDS
    while True:
        try:
            with db.engine.connect() as connection:
                row = connection.execute(query).one_or_none()
        except SQLAlchemyError as error:
            if clock.monotonic() > deadline:
                return Outcome(RunState.FAILED, f"{type(error).__name__}: the database did not answer.")
            time.sleep(1)
        else:
            return row or Outcome(RunState.FAILED, _("The task was deleted."))


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
    except BaseException as error:  # sys.exit() in a function must not end its process without a word
        log.exception("task failed", extra={"task": found.name})
        return Outcome(RunState.FAILED, f"{type(error).__name__}: {error}", trace=traceback.format_exc())
    else:
        return Outcome(RunState.SUCCEEDED, result=_plain(result))
    finally:
        db.session.remove()


def _plain(result: Any) -> Any:
    """Return a result as JSON-able data: it has to leave this process, whatever it is."""
    try:
        return json.loads(json.dumps(result, default=str))
    except (TypeError, ValueError, RecursionError):
        return repr(result)
