"""Runs that Celery's workers execute: a real broker, real worker processes."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest
import redis
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings, running
from tests.services import free_port, redis_server
from tests.tasks import functions
from tests.tasks.pages import tick_until
from tests.tasks.programs import WORKER, end, kill, started
from webapp.app import create_app
from webapp.audit import service as audit
from webapp.config import Settings, SettingsError
from webapp.database import db, write_transaction
from webapp.tasks import claims, outcomes, rules
from webapp.tasks.broker import QUEUE, RUN_TASK, make_celery
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskAttempt, TaskLogLine, TaskRun
from webapp.tasks.rules import RunState

pytestmark = [pytest.mark.redis, pytest.mark.slow]
assert functions


@pytest.fixture
def settings(instance: Path, redis_url: str) -> Settings:
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    return make_settings(
        instance, task_modules=("tests.tasks.functions",), task_engine="celery", redis_url=redis_url
    )


def start(app: Flask, func_name: str, arguments: dict[str, object] | None = None, **values: object) -> int:
    """Add a task with a run that is ready, and return the run's id; other processes may be at work meanwhile."""

    @write_transaction
    def write() -> int:
        columns = {"name": func_name, "interval_seconds": 86_400, **values}
        task = Task(func_name=func_name, arguments=json.dumps(arguments or {}), **columns)
        db.session.add(task)
        db.session.flush()
        return claims.start_now(task).id

    with app.app_context():
        return write()


@write_transaction
def forget_long_ago(run_id: int) -> None:
    """Let the wait for a message that was sent be over."""
    run = db.session.get_one(TaskRun, run_id)
    assert run.sent_at is not None
    run.sent_at -= rules.RESEND_AFTER


def run_of(app: Flask, run_id: int) -> TaskRun:
    with app.app_context():
        return db.session.get_one(TaskRun, run_id)


def wait_for_state(app: Flask, run_id: int, *states: RunState) -> TaskRun:
    tick_until(app, lambda: run_of(app, run_id).run_state in states)
    return run_of(app, run_id)


def tick(app: Flask) -> None:
    with app.app_context():
        engine().tick()


def test_message_holds_the_number_of_a_run_and_nothing_else(app: Flask, redis_url: str) -> None:
    run_id = start(app, "note", {"path": "/private/words"}, name="Private name")
    tick(app)
    tick(app)
    client = redis.Redis.from_url(redis_url)
    (message,) = client.lrange(QUEUE, 0, -1)
    told = json.loads(message)
    assert told["content-type"] == "application/json"
    assert json.loads(base64.b64decode(told["body"]))[:2] == [[run_id], {}]
    assert b"rivate" not in message + base64.b64decode(told["body"])
    run = run_of(app, run_id)
    assert (run.run_state, run.fence) == (RunState.QUEUED, 0)
    assert run.sent_at is not None


def test_worker_executes_ends_and_cancels_what_it_is_sent(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    with started(WORKER, settings, log) as worker:
        noted = start(app, "note", {"path": str(out)})
        talks = start(app, "talk", {"count": 3})
        slow = start(app, "hang", timeout_seconds=1)
        cancelled = start(app, "hang")
        wait_for_state(app, cancelled, RunState.RUNNING)
        with app.app_context():
            assert outcomes.cancel(audit.SYSTEM, cancelled)
        states = {
            run_id: wait_for_state(app, run_id, *[state for state in RunState if state.final]).run_state
            for run_id in (noted, talks, slow, cancelled)
        }
        assert states == {
            noted: RunState.SUCCEEDED,
            talks: RunState.SUCCEEDED,
            slow: RunState.TIMED_OUT,
            cancelled: RunState.CANCELLED,
        }, log.read_text()
        run = run_of(app, noted)
        assert run.worker.split("/")[1] == str(worker.pid)
        assert int(run.result) not in {worker.pid, os.getpid()}  # in a child process of the worker's own
        with app.app_context():
            lines = db.session.scalars(select(TaskLogLine.text).where(TaskLogLine.run_id == talks)).all()
        assert "line 2" in lines
        assert run_of(app, talks).progress_text == "step 3"

        make_celery(settings).send_task(RUN_TASK, args=[noted])  # a message that comes twice
        after = start(app, "note", {"path": str(out), "text": "after"})
        wait_for_state(app, after, RunState.SUCCEEDED)
        end(worker, log)
    assert out.read_text() == "ran\nafter\n"


def test_run_of_a_killed_worker_is_lost_and_another_worker_has_the_next_attempt(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    repeated = start(app, "hang_once", {"path": str(out)}, idempotent=True, backoff_seconds=0)
    harmful = start(app, "hang")
    with started(WORKER, settings, tmp_path / "one") as worker:
        wait_for_state(app, harmful, RunState.RUNNING)
        tick_until(app, out.exists)
        kill(worker)
    wait_for_state(app, harmful, RunState.LOST)
    with started(WORKER, settings, tmp_path / "two"):
        run = wait_for_state(app, repeated, RunState.SUCCEEDED)
    assert (run.attempt, run.result) == (2, '"second time"')
    with app.app_context():
        states = db.session.scalars(select(TaskAttempt.state).where(TaskAttempt.run_id == repeated)).all()
    assert states == ["lost", "succeeded"]
    assert run_of(app, harmful).attempt == 1


def test_broker_that_is_away_keeps_runs_queued(instance: Path, tmp_path: Path) -> None:
    port, out = free_port(), tmp_path / "out"
    settings = make_settings(
        instance,
        task_modules=("tests.tasks.functions",),
        task_engine="celery",
        celery_broker_url=f"redis://127.0.0.1:{port}/0",
    )
    for app in running(settings):
        run_id = start(app, "note", {"path": str(out)})
        here = start(app, "note_here", {"path": str(tmp_path / "here")})
        wait_for_state(app, here, RunState.SUCCEEDED)  # what runs in this process needs no broker
        run = run_of(app, run_id)
        assert (run.run_state, run.sent_at) == (RunState.QUEUED, None)
        with redis_server(tmp_path, port):
            tick_until(app, lambda app=app, run_id=run_id: run_of(app, run_id).sent_at)
        # The broker forgot the message when it ended.
        with (
            redis_server(tmp_path, port),
            started(WORKER, settings, tmp_path / "log", CELERY_BROKER_URL=settings.celery_broker_url),
        ):
            with app.app_context():
                forget_long_ago(run_id)
            wait_for_state(app, run_id, RunState.SUCCEEDED)
    assert out.read_text() == "ran\n"


def test_missing_celery_is_told_at_the_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(SettingsError, match=r"requirements-celery\.txt"):
        create_app(settings)


def test_engine_without_a_broker_is_refused(instance: Path) -> None:
    with pytest.raises(ValueError, match="celery needs a Redis"):
        make_settings(instance, task_engine="celery")
