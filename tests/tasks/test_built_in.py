"""The tasks that come with the program: they are there, they run, and they find what is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.tasks.pages import add, tick_until
from webapp.audit import service as audit
from webapp.database import db
from webapp.tasks import claims, service
from webapp.tasks.built_in import ensure_built_in
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState

# What the program has to do by itself, whoever else registers more.
PROMISED = {
    "purge_codes",
    "purge_sessions",
    "prune_audit",
    "purge_task_runs",
    "clear_logs",
    "deliver_mail",
    "expire_mail",
    "recover_answers",
    "recover_runs",
    "roll_up_usage",
    "erase_accounts",
    "send_failure_digest",
}


@pytest.fixture
def built_in(each_app: Flask) -> dict[str, str]:
    """Public ids by name."""
    with each_app.app_context():
        ensure_built_in()
        query = select(Task.built_in_key, Task.public_id).where(Task.built_in_key.is_not(None))
        return {row[0]: row[1] for row in db.session.execute(query)}


def run_now(app: Flask, task_id: str) -> TaskRun:
    with app.app_context():
        run_id = service.run_now(audit.SYSTEM, task_id).public_id

    def ended() -> TaskRun | None:
        with app.app_context():
            run, _task = service.get_run(run_id)
            return run if run.run_state.final else None

    return tick_until(app, ended)  # type: ignore[no-any-return]


def test_each_of_them_runs_and_has_a_history(each_app: Flask, built_in: dict[str, str]) -> None:
    assert built_in.keys() >= PROMISED
    with each_app.app_context():
        for task_id in built_in.values():
            service.run_now(audit.SYSTEM, task_id)
    unfinished = TaskRun.state.in_([RunState.QUEUED.value, RunState.RUNNING.value])

    def all_ended() -> bool:
        with each_app.app_context():
            return not db.session.scalar(select(func.count()).select_from(TaskRun).where(unfinished))

    tick_until(each_app, all_ended)
    with each_app.app_context():
        query = select(Task.built_in_key, TaskRun.state, TaskRun.reason).join(
            TaskRun, TaskRun.task_id == Task.id
        )
        ends = {row[0]: row[1:] for row in db.session.execute(query)}
    assert ends == dict.fromkeys(built_in, (RunState.SUCCEEDED.value, ""))


def test_lost_run_is_found_by_the_task(each_app: Flask, built_in: dict[str, str]) -> None:
    task_id = add(each_app, "note", {"path": "x"})
    with each_app.app_context():
        claims.start_now(service.get_task(task_id))
        db.session.commit()
        machine = engine().worker.partition("/")[0]
        (claim,) = claims.take_ready(f"{machine}/999999999/x", 1)
        assert engine().find_the_lost() == 1
        assert db.session.get_one(TaskRun, claim.run_id).run_state is RunState.LOST
    assert run_now(each_app, built_in["recover_runs"]).result == "0"


def test_old_log_files_go(each_app: Flask, built_in: dict[str, str], instance: Path) -> None:
    folder = instance / "logs"
    folder.mkdir(exist_ok=True)
    for name, days in (("agent-tools.log", 400), ("agent-tools.log.1", 2), ("agent-tools.log.2", 91)):
        (folder / name).write_text("a line\n")
        moment = time.time() - days * 86_400
        os.utime(folder / name, (moment, moment))
    assert run_now(each_app, built_in["clear_logs"]).result == "1"
    assert {file.name for file in folder.iterdir()} == {"agent-tools.log", "agent-tools.log.1"}


def test_task_whose_function_left_the_program_is_taken_out_of_the_schedule(app: Flask) -> None:
    with app.app_context():
        db.session.add(Task(name="Old", func_name="left", built_in_key="left", interval_seconds=60))
        db.session.commit()
        ensure_built_in()
        task = db.session.scalars(select(Task).where(Task.built_in_key == "left")).one()
        assert (task.state, task.next_run_at) == ("disabled", None)
