"""The product does the scheduled work: `python -m tests.bench.tasks.product KIND TASKS SECONDS`, settings from the environment."""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from dataclasses import asdict
from typing import cast

import psutil
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from tests.bench.tasks import functions
from tests.bench.tasks.plan import EVERY_SECONDS, Kind, Result, quantiles
from webapp import background
from webapp.app import create_app
from webapp.database import db
from webapp.lib import clock, ids
from webapp.tasks import claims
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState

LEAD_SECONDS = 3.0  # between the making of the tasks and the moment at which the first one is due


def measure(app: Flask, kind: Kind, count: int, seconds: float) -> Result:
    """Make the tasks, let them come due, and tell how it went."""
    with app.app_context():
        upgrade()
        _add_tasks(kind, count)
        if kind == "claims":
            return _claims(count)
    used = _cpu()
    background.start(app)
    first = _first_due(app)
    time.sleep(max(0.0, first - time.time()))
    if kind == "steady":
        time.sleep(seconds)
    else:
        while _left(app):
            time.sleep(0.5)  # looking costs the program itself something
    elapsed = time.time() - first
    memory = _runner_memory() if kind == "apart" else 0
    background.stop(app, 60)
    return _result(app, kind, count, elapsed, _cpu() - used, memory)


def _add_tasks(kind: Kind, count: int) -> None:
    first = clock.utc_now() + dt.timedelta(seconds=0 if kind == "claims" else LEAD_SECONDS)
    apart = EVERY_SECONDS / max(1, count) if kind == "steady" else 0.0
    rows = [
        {
            "public_id": ids.public_id(),
            "name": f"Task {number}",
            "func_name": "bench_apart" if kind == "apart" else "bench_here",
            "interval_seconds": EVERY_SECONDS if kind == "steady" else 86_400,
            "next_run_at": first + dt.timedelta(seconds=apart * number),
            "misfire": "all",
        }
        for number in range(count)
    ]
    if rows:
        db.session.execute(insert(Task), rows)
        db.session.commit()


def _claims(count: int) -> Result:
    used, began, claimed = _cpu(), time.perf_counter(), 0
    while taken := claims.take_due():
        claimed += taken
    return Result("claims", claimed, count, time.perf_counter() - began, cpu_seconds=_cpu() - used)


def _first_due(app: Flask) -> float:
    with app.app_context():
        first = db.session.scalar(select(func.min(Task.next_run_at)).where(Task.built_in_key.is_(None)))
    assert first is not None
    return first.timestamp()


def _left(app: Flask) -> int:
    with app.app_context():
        unfinished = TaskRun.state.in_([RunState.QUEUED.value, RunState.RUNNING.value])
        tasks = db.session.scalar(
            select(func.count()).where(Task.built_in_key.is_(None), Task.last_slot_at.is_(None))
        )
        own = select(func.count()).select_from(TaskRun).join(Task, Task.id == TaskRun.task_id)
        runs = db.session.scalar(own.where(unfinished, Task.built_in_key.is_(None)))
    return (tasks or 0) + (runs or 0)


def _result(app: Flask, kind: Kind, count: int, elapsed: float, cpu: float, memory: int) -> Result:
    query = (
        select(TaskRun.id, TaskRun.scheduled_for, TaskRun.state)
        .join(Task, Task.id == TaskRun.task_id)
        .where(Task.built_in_key.is_(None))
    )
    with app.app_context():
        runs = db.session.execute(query).all()
    good = [run for run in runs if run.state == RunState.SUCCEEDED.value]
    unfinished = [run for run in runs if run.state in {RunState.QUEUED.value, RunState.RUNNING.value}]
    late = [
        functions.BEGAN[run.id] - run.scheduled_for.timestamp() for run in good if run.id in functions.BEGAN
    ]
    half, most = quantiles(late)
    wrong = len(runs) - len(good) - (len(unfinished) if kind == "steady" else 0)
    faults = f"{wrong} runs did not succeed" if wrong else ""
    expected = 0 if kind == "steady" else count
    return Result(kind, len(good), expected, elapsed, half, most, cpu, faults, memory)


def _runner_memory() -> int:
    """Return what a process that executes runs has for itself, the largest of them."""
    family = psutil.Process().children(recursive=True)
    return max((each.memory_full_info().uss for each in family), default=0)


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    chosen = cast(Kind, sys.argv[1])
    found = measure(create_app(), chosen, int(sys.argv[2]), float(sys.argv[3]))
    print(json.dumps(asdict(found)))
