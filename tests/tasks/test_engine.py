"""The engine: a slot runs once, and its status is what came of it."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.processes import wait_for
from tests.tasks import functions
from webapp.audit import service as audit
from webapp.config import Settings
from webapp.database import db
from webapp.lib import clock
from webapp.tasks import claims, outcomes
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskAttempt, TaskLogLine, TaskRun
from webapp.tasks.outcomes import Outcome
from webapp.tasks.rules import RunState, TaskState

SECOND = dt.timedelta(seconds=1)
assert functions


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


def add(app: Flask, func_name: str, arguments: dict[str, Any] | None = None, **values: Any) -> int:
    with app.app_context():
        values.setdefault("scheduled_at", clock.utc_now() - SECOND)
        task = Task(name=func_name, func_name=func_name, arguments=json.dumps(arguments or {}), **values)
        db.session.add(task)
        db.session.commit()
        return task.id


def runs(app: Flask) -> list[TaskRun]:
    with app.app_context():
        return list(db.session.scalars(select(TaskRun).order_by(TaskRun.id)))


def run_until(app: Flask, done: Callable[[], Any]) -> None:
    """Tick until it is so."""

    def tick() -> Any:
        with app.app_context():
            engine().tick()
        return done()

    wait_for(tick)


def run_to_the_end(app: Flask, count: int = 1) -> list[TaskRun]:
    run_until(app, lambda: sum(each.run_state.final for each in runs(app)) >= count)
    return runs(app)


@pytest.mark.parametrize("func_name", ["note", "note_here", "note_async"])
def test_due_slot_runs_once_and_its_status_is_the_result(app: Flask, tmp_path: Path, func_name: str) -> None:
    path = tmp_path / "out"
    add(app, func_name, {"path": str(path)})
    (run,) = run_to_the_end(app)
    assert run.run_state is RunState.SUCCEEDED
    assert path.read_text() == "ran\n"
    assert json.loads(run.result)
    with app.app_context():
        assert db.session.scalars(select(Task)).one().state == TaskState.FINISHED.value


def test_log_and_progress_belong_to_the_run(app: Flask) -> None:
    add(app, "talk", {"count": 4})
    (run,) = run_to_the_end(app)
    with app.app_context():
        lines = db.session.scalars(select(TaskLogLine.text).where(TaskLogLine.run_id == run.id)).all()
    assert [line for line in lines if line.startswith("line")] == [f"line {n}" for n in range(4)]
    assert (run.progress_done, run.progress_total, run.progress_text) == (4, 4, "step 4")


@pytest.mark.parametrize(
    ("arguments", "state", "reason"),
    [
        ({}, RunState.FAILED, "RuntimeError: broken"),
        ({"kind": "reason"}, RunState.FAILED, "the other side said no"),
        ({"kind": "skip"}, RunState.SKIPPED, "nothing to do"),
        ({"kind": "die"}, RunState.LOST, "code 7"),
        ({"kind": 5}, RunState.FAILED, "kind"),
        ({"other": 5}, RunState.FAILED, "other"),
    ],
)
def test_failures_are_told(app: Flask, arguments: dict[str, Any], state: RunState, reason: str) -> None:
    add(app, "fail", arguments)
    (run,) = run_to_the_end(app)
    assert run.run_state is state
    assert reason in run.reason
    assert "sk-abcdef" not in run.reason
    with app.app_context():
        attempt = db.session.scalars(select(TaskAttempt)).one()
        assert ("Traceback" in attempt.trace) == (arguments == {})
        assert "sk-abcdef" not in attempt.trace


def test_function_that_is_gone_is_a_failure_and_others_go_on(app: Flask, tmp_path: Path) -> None:
    add(app, "nobody_knows_me")
    add(app, "note_here", {"path": str(tmp_path / "out")})
    states = {run.run_state for run in run_to_the_end(app, 2)}
    assert states == {RunState.FAILED, RunState.SUCCEEDED}


def test_run_that_hangs_is_ended(app: Flask) -> None:
    add(app, "hang", timeout_seconds=2)
    (run,) = run_to_the_end(app)
    assert run.run_state is RunState.TIMED_OUT


def test_run_can_be_cancelled(app: Flask) -> None:
    add(app, "hang")
    run_until(app, lambda: any(each.run_state is RunState.RUNNING for each in runs(app)))
    with app.app_context():
        assert outcomes.cancel(audit.SYSTEM, runs(app)[0].id)
    (run,) = run_to_the_end(app)
    assert run.run_state is RunState.CANCELLED


def test_failed_run_is_tried_again_as_the_task_says(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "out"
    add(app, "fail_until", {"path": str(path), "times": 2}, retries=2, backoff_seconds=0)
    (run,) = run_to_the_end(app)
    assert (run.run_state, run.attempt, run.result) == (RunState.SUCCEEDED, 3, "3")


def test_task_that_keeps_failing_is_disabled(app: Flask) -> None:
    task_id = add(app, "fail", {"kind": "reason"}, scheduled_at=None, interval_seconds=1, disable_after=2)
    run_until(app, lambda: task_state(app, task_id) == TaskState.DISABLED.value)
    assert sum(run.run_state is RunState.FAILED for run in runs(app)) >= 2


def task_state(app: Flask, task_id: int) -> str:
    with app.app_context():
        return db.session.get_one(Task, task_id).state


@pytest.mark.parametrize(
    ("misfire", "states", "missed"),
    [("once", ["queued"], 4), ("skip", ["skipped"], 5), ("all", ["queued"] * 5, 0)],
)
def test_missed_slots(app: Flask, misfire: str, states: list[str], missed: int) -> None:
    first = clock.utc_now() - dt.timedelta(minutes=49)
    task_id = add(
        app,
        "note",
        scheduled_at=None,
        interval_seconds=600,
        next_run_at=first,
        misfire=misfire,
        grace_seconds=60,
    )
    with app.app_context():
        assert claims.take_due() == 1
        assert claims.take_due() == 0
        task = db.session.get_one(Task, task_id)
        assert task.missed == missed
        assert task.next_run_at == first + dt.timedelta(minutes=50)
    assert [run.state for run in runs(app)] == states


def test_very_many_missed_slots_cost_little(app: Flask) -> None:
    first = clock.utc_now() - dt.timedelta(days=30)
    add(app, "note", scheduled_at=None, interval_seconds=1, next_run_at=first, misfire="once")
    with app.app_context():
        claims.take_due()
        task = db.session.scalars(select(Task)).one()
        assert abs(task.missed - 30 * 86_400) < 10
    assert len(runs(app)) == 1


@pytest.mark.parametrize(
    ("overlap", "states"),
    [("skip", ["running", "skipped"]), ("queue", ["running", "queued"]), ("allow", ["running", "running"])],
)
def test_slot_that_comes_while_the_run_before_is_at_work(
    each_app: Flask, overlap: str, states: list[str]
) -> None:
    task_id = add(each_app, "note", overlap=overlap)
    with each_app.app_context():
        claims.take_due()
        assert len(claims.take_ready("one", 5)) == 1
        now = clock.utc_now()
        db.session.add(TaskRun(task_id=task_id, scheduled_for=now, ready_at=now))
        db.session.commit()
        claims.take_ready("two", 5)
    assert [run.state for run in runs(each_app)] == states


def test_paused_owner_cannot_write_after_its_run_was_taken(each_app: Flask) -> None:
    """FT-20: whoever slept past the lease finds that its fence is no longer the newest."""
    add(each_app, "note", idempotent=True, backoff_seconds=0)
    with each_app.app_context():
        claims.take_due()
        (old,) = claims.take_ready("one", 1)
        assert outcomes.take_from_the_lost(old.run_id, old.fence, "gone")
        (new,) = claims.take_ready("two", 1)
        assert new.fence > old.fence
        assert not outcomes.finish(old.run_id, old.fence, Outcome(RunState.SUCCEEDED))
        assert outcomes.finish(new.run_id, new.fence, Outcome(RunState.SUCCEEDED))
    (run,) = runs(each_app)
    assert (run.state, run.worker, run.attempt) == ("succeeded", "two", 2)


def test_lost_run_is_not_repeated_unless_that_does_no_harm(app: Flask) -> None:
    add(app, "note", retries=3)
    with app.app_context():
        claims.take_due()
        (claim,) = claims.take_ready("one", 1)
        outcomes.take_from_the_lost(claim.run_id, claim.fence, "gone")
    assert [run.state for run in runs(app)] == ["lost"]


def test_run_of_a_dead_process_is_found(app: Flask) -> None:
    add(app, "note")
    with app.app_context():
        claims.take_due()
        machine = engine().worker.partition("/")[0]
        (_claim,) = claims.take_ready(f"{machine}/999999999/x", 1)
        engine().tick()
    assert [run.state for run in runs(app)] == ["lost"]


def test_clock_that_steps_back_repeats_no_slot(app: Flask) -> None:
    task_id = add(app, "note", scheduled_at=None, interval_seconds=60, next_run_at=clock.utc_now() - SECOND)
    with app.app_context():
        claims.take_due()
        with time_machine.travel(time.time() - 3600):
            assert claims.take_due() == 0
        with time_machine.travel(time.time() + 59):
            assert claims.take_due() == 1
        slots = db.session.scalars(select(TaskRun.scheduled_for).where(TaskRun.task_id == task_id)).all()
        assert len(set(slots)) == 2
