"""Faults that are made to happen: clocks that are set, many schedulers, killed and stopped processes (FT-19 to 21)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.processes import is_running, wait_for
from tests.tasks import functions
from tests.tasks.pages import add, tick_until
from tests.tasks.programs import SCHEDULER, kill, started
from webapp import background
from webapp.background import RUNNER
from webapp.config import ROOT, Settings
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.tasks import claims
from webapp.tasks.engine import Engine, engine
from webapp.tasks.models import Task, TaskAttempt, TaskRun
from webapp.tasks.pool import Pool
from webapp.tasks.rules import RunState

# How long many processes tick beside each other; TICKING_SECONDS=60 is the long way.
TICKING_SECONDS = float(os.environ.get("TICKING_SECONDS", "10"))
HOUR, DAY = 3600, 86_400
assert functions


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


def runs(app: Flask) -> list[TaskRun]:
    """Return the runs of the tasks of the test, not of those that come with the program."""
    with app.app_context():
        query = select(TaskRun).join(Task, Task.id == TaskRun.task_id).where(Task.built_in_key.is_(None))
        return list(db.session.scalars(query.order_by(TaskRun.id)))


def attempts(app: Flask) -> list[str]:
    own = [run.id for run in runs(app)]
    with app.app_context():
        query = select(TaskAttempt.state).where(TaskAttempt.run_id.in_(own)).order_by(TaskAttempt.id)
        return list(db.session.scalars(query))


def the_task() -> Task:
    return db.session.scalars(select(Task).where(Task.built_in_key.is_(None))).one()


def run_to_its_end(app: Flask) -> TaskRun:
    """Do scheduled work until the newest run of the test's tasks has ended, and return it."""
    tick_until(app, lambda: (found := runs(app)) and found[-1].run_state.final)
    return runs(app)[-1]


def pid_in(path: Path) -> int:
    """Return what the function wrote last, once it has."""
    return int(
        wait_for(lambda: path.exists() and path.read_text().endswith("\n") and path.read_text().split()[-1])
    )


@pytest.mark.parametrize(
    ("zone", "cron", "noon_before"),
    [
        ("Europe/Helsinki", "30 3 * * *", (2026, 3, 27)),  # 03:30 does not exist on the 29th
        ("Europe/Helsinki", "30 3 * * *", (2026, 10, 23)),  # 03:30 comes twice on the 25th
        ("America/New_York", "30 2 * * *", (2026, 3, 6)),
        ("America/New_York", "30 1 * * *", (2026, 10, 30)),
        ("Asia/Shanghai", "30 2 * * *", (2026, 3, 27)),
    ],
)
def test_daily_task_has_one_run_a_local_day(
    app: Flask, zone: str, cron: str, noon_before: tuple[int, int, int]
) -> None:
    first = dt.datetime(*noon_before, 12, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    with time_machine.travel(first, tick=False) as traveller:
        add(app, "note", {"path": "x"}, cron=cron, timezone=zone)
        with app.app_context():
            for _quarter in range(5 * 96):
                traveller.shift(dt.timedelta(minutes=15))
                if claims.is_due():
                    claims.take_due()
    days = Counter(f"{run.scheduled_for.astimezone(ZoneInfo(zone)):%m-%d}" for run in runs(app))
    assert list(days.values()) == [1] * 5
    assert {run.run_state for run in runs(app)} == {RunState.QUEUED}


@pytest.mark.parametrize("seconds", [HOUR, DAY])
def test_clock_that_is_set_back_stops_no_interval_and_repeats_no_slot(
    app: Flask, tmp_path: Path, seconds: int
) -> None:
    out = tmp_path / "out"
    add(app, "note_run", {"path": str(out)}, interval_seconds=1)
    background.start(app)
    wait_for(lambda: out.exists() and len(out.read_text().splitlines()) >= 2)
    with time_machine.travel(time.time() - seconds):
        before = len(out.read_text().splitlines())
        wait_for(lambda: len(out.read_text().splitlines()) >= before + 3)
        background.stop(app, 10)
    slots = [run.scheduled_for for run in runs(app)]
    assert len(set(slots)) == len(slots)
    ran = out.read_text().splitlines()
    assert len(set(ran)) == len(ran)


@pytest.mark.parametrize(("seconds", "missed"), [(HOUR, 59), (DAY, 1439)])
def test_clock_that_is_set_forward_makes_one_run_of_what_it_passed(
    app: Flask, seconds: int, missed: int
) -> None:
    add(app, "note", {"path": "x"}, interval_seconds=60)
    with app.app_context(), time_machine.travel(time.time() + seconds + 1):
        assert claims.take_due() == 1
        assert claims.take_due() == 0
        task = the_task()
        assert task.missed == missed
        assert task.next_run_at is not None
        assert dt.timedelta(0) < task.next_run_at - clock.utc_now() <= dt.timedelta(seconds=60)
    assert len(runs(app)) == 1


@pytest.mark.slow
def test_many_processes_give_one_run_a_slot(each_app: Flask, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    add(each_app, "note_run", {"path": str(out)}, interval_seconds=1, overlap="allow")
    with each_app.app_context():
        first = the_task().next_run_at
    assert first is not None
    command = ("tests.tasks.ticking", "8", "4", str(TICKING_SECONDS))
    with started(command, each_app.extensions["settings"], log) as processes:
        assert processes.wait(TICKING_SECONDS + 150) == 0, log.read_text()
    found = runs(each_app)
    assert len(found) > 1
    assert {run.run_state for run in found} <= {RunState.SUCCEEDED, RunState.QUEUED}
    assert {run.attempt for run in found if run.run_state is RunState.SUCCEEDED} == {1}
    ran = out.read_text().split()
    assert len(ran) == len(set(ran))
    assert set(ran) == {str(run.id) for run in found if run.run_state is RunState.SUCCEEDED}
    slots = sorted(run.scheduled_for for run in found)
    assert len(slots) == len(set(slots))
    with each_app.app_context():
        missed = the_task().missed
    assert (slots[-1] - first).total_seconds() + 1 == len(slots) + missed  # none is lost without a word


def test_process_that_leaves_scheduled_work_to_others_does_none(instance: Path, app: Flask) -> None:
    add(app, "note_run", {"path": "x"}, next_run_at=clock.utc_now())
    app.extensions["settings"] = make_settings(instance, scheduler="off")
    background.start(app)
    with app.app_context():
        assert engine().last_tick is None
    assert runs(app) == []


@write_transaction
def let_lease_run_out(run_id: int) -> None:
    """As if its holder had slept for longer."""
    db.session.get_one(TaskRun, run_id).lease_until = clock.utc_now() - dt.timedelta(seconds=1)


@pytest.mark.slow
def test_scheduler_stopped_past_its_lease_cannot_finish_its_run(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    began, go, log = tmp_path / "began", tmp_path / "go", tmp_path / "log"
    add(app, "hold", {"path": str(began), "go": str(go)}, idempotent=True, backoff_seconds=0)
    with app.app_context():
        claims.start_now(the_task())
        db.session.commit()
    other = Engine(app, lambda: Pool(RUNNER, ROOT, settings.for_another_process()), lease_seconds=1.2)

    def tick(done: Callable[[], Any]) -> Any:
        with app.app_context():
            other.tick()
        return done()

    with started(SCHEDULER, settings, log) as scheduler:
        first = pid_in(began)
        scheduler.send_signal(signal.SIGSTOP)
        with app.app_context():
            let_lease_run_out(runs(app)[0].id)
        wait_for(lambda: tick(lambda: "lost" in attempts(app)))
        wait_for(lambda: tick(lambda: len(began.read_text().splitlines()) == 2))
        second = runs(app)[0]
        assert (second.run_state, second.worker, second.attempt) == (RunState.RUNNING, other.worker, 2)
        go.touch()  # both attempts end now, and tell their engines so
        wait_for(lambda: tick(lambda: runs(app)[0].run_state.final))
        scheduler.send_signal(signal.SIGCONT)
        wait_for(lambda: "run was taken over" in log.read_text())
        assert is_running(first) or scheduler.poll() is None
    other.close()
    (run,) = runs(app)
    assert (run.run_state, run.worker, run.attempt) == (RunState.SUCCEEDED, other.worker, 2)
    assert attempts(app) == ["lost", "succeeded"]


@pytest.mark.parametrize(("func_name", "timeout"), [("hang_once", 1), ("stubborn", 1)])
def test_run_that_hangs_is_ended_with_its_process(
    app: Flask, tmp_path: Path, func_name: str, timeout: int
) -> None:
    out = tmp_path / "out"
    add(app, func_name, {"path": str(out)}, next_run_at=clock.utc_now(), timeout_seconds=timeout)
    run = run_to_its_end(app)
    assert run.run_state is RunState.TIMED_OUT
    assert not is_running(pid_in(out))


def test_run_that_eats_memory_fails_alone(instance: Path, app: Flask, tmp_path: Path) -> None:
    app.extensions["tasks"] = Engine(
        app,
        lambda: Pool(
            RUNNER,
            ROOT,
            make_settings(
                instance, task_modules=("tests.tasks.functions",), task_memory_mb=1024
            ).for_another_process(),
        ),
    )
    add(app, "eat", {"megabytes": 4096}, next_run_at=clock.utc_now())
    run = run_to_its_end(app)
    assert (run.run_state, run.reason.partition(":")[0]) == (RunState.FAILED, "MemoryError")
    add(app, "note", {"path": str(tmp_path / "out")}, next_run_at=clock.utc_now())
    assert run_to_its_end(app).run_state is RunState.SUCCEEDED


@pytest.mark.parametrize(("idempotent", "ends"), [(True, ["lost", "succeeded"]), (False, ["lost"])])
def test_killed_run_is_lost_and_repeated_only_where_that_does_no_harm(
    app: Flask, tmp_path: Path, idempotent: bool, ends: list[str]
) -> None:
    out = tmp_path / "out"
    add(
        app,
        "hang_once",
        {"path": str(out)},
        next_run_at=clock.utc_now(),
        idempotent=idempotent,
        backoff_seconds=0,
    )
    tick_until(app, out.exists)
    os.kill(pid_in(out), signal.SIGKILL)
    run = run_to_its_end(app)
    assert attempts(app) == ends
    assert run.state == ends[-1]
    if not idempotent:
        assert "code -9" in run.reason


@pytest.mark.slow
def test_run_of_a_killed_scheduler_ends_with_it_and_is_lost(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    add(app, "hang_once", {"path": str(out)}, next_run_at=clock.utc_now(), idempotent=True, backoff_seconds=0)
    with started(SCHEDULER, settings, tmp_path / "log") as scheduler:
        runner = pid_in(out)
        scheduler.kill()
        scheduler.wait()
        wait_for(lambda: not is_running(runner))
        kill(scheduler)
    assert run_to_its_end(app).run_state is RunState.SUCCEEDED
    assert attempts(app) == ["lost", "succeeded"]


def test_run_whose_process_is_told_to_end_says_so_whatever_it_made_of_that(
    app: Flask, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    add(app, "stubborn", {"path": str(out), "kind": "error"}, next_run_at=clock.utc_now())
    tick_until(app, out.exists)
    os.kill(pid_in(out), signal.SIGTERM)
    run = run_to_its_end(app)
    assert (run.run_state, run.reason) == (RunState.LOST, "Its process was told to end.")


def test_function_taken_out_of_the_program_fails_its_tasks_and_no_others(app: Flask, tmp_path: Path) -> None:
    add(app, "gone_function", next_run_at=clock.utc_now(), retries=1, backoff_seconds=0)
    gone = run_to_its_end(app)
    assert (gone.run_state, gone.attempt) == (RunState.FAILED, 2)
    assert "gone_function" in gone.reason
    add(app, "note_here", {"path": str(tmp_path / "out")}, next_run_at=clock.utc_now())
    assert run_to_its_end(app).run_state is RunState.SUCCEEDED


def test_queue_longer_than_the_executors_is_worked_off_with_so_many_at_a_time(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    began, go = tmp_path / "began", tmp_path / "go"
    app.extensions["tasks"] = Engine(app, lambda: Pool(RUNNER, ROOT, settings.for_another_process()), slots=2)
    for number in range(7):
        add(app, "hold", {"path": str(began), "go": str(go)}, name=str(number), next_run_at=clock.utc_now())
    tick_until(app, lambda: began.exists() and len(began.read_text().splitlines()) == 2)
    with app.app_context():
        engine().tick()
    assert Counter(run.state for run in runs(app)) == {"running": 2, "queued": 5}
    go.touch()
    tick_until(app, lambda: all(run.run_state is RunState.SUCCEEDED for run in runs(app)))
    assert len(began.read_text().splitlines()) == 7
    assert {run.attempt for run in runs(app)} == {1}
