"""The collected mail about failed tasks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.tasks import functions
from tests.tasks.pages import add, tick_until
from webapp.config import Settings
from webapp.database import db
from webapp.lib import clock
from webapp.mail import outbox
from webapp.mail.models import MailMessage
from webapp.tasks.built_in import ensure_built_in
from webapp.tasks.digest import NAME
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import Notify, RunState

assert functions
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_failures_to=("ops@example.com", "mei@example.com"))


def failed(
    app: Flask, name: str, ago: dt.timedelta, state: str = RunState.FAILED.value, **values: str
) -> None:
    """Add a task with a run that ended so long ago."""
    task_id = add(app, "note", name=name, **values)
    with app.app_context():
        task = db.session.scalars(select(Task).where(Task.public_id == task_id)).one()
        moment = clock.utc_now() - ago
        run = TaskRun(
            task_id=task.id, scheduled_for=moment, ready_at=moment, state=state, reason=f"{name} said no"
        )
        run.started_at = run.finished_at = moment
        db.session.add(run)
        db.session.commit()


def send(app: Flask, expected: str = "succeeded") -> int:
    """Let the digest run once, as it comes due, and return its result."""
    with app.app_context():
        ensure_built_in()
        task = db.session.scalars(select(Task).where(Task.built_in_key == NAME)).one()
        for other in db.session.scalars(select(Task).where(Task.id != task.id)):
            other.state = "paused"
        task.next_run_at = clock.utc_now()
        db.session.commit()
        number = task.id
    query = select(TaskRun).where(TaskRun.task_id == number).order_by(TaskRun.id.desc()).limit(1)

    def ended() -> TaskRun | None:
        with app.app_context():
            run = db.session.scalar(query)
            return run if run is not None and run.run_state.final and run.id > before else None

    with app.app_context():
        last = db.session.scalar(query)
        before = last.id if last else 0
    run: TaskRun = tick_until(app, ended)
    assert run.state == expected
    return int(run.result)


def letters(app: Flask) -> list[outbox.Letter]:
    with app.app_context():
        query = select(MailMessage).where(MailMessage.template == "task_failures").order_by(MailMessage.id)
        return [outbox.render(each) for each in db.session.scalars(query)]


def test_nothing_is_sent_when_nothing_failed(app: Flask) -> None:
    failed(app, "Good", MINUTE, RunState.SUCCEEDED.value)
    failed(app, "Long ago", dt.timedelta(days=3))
    assert send(app) == 0
    assert letters(app) == []


def test_one_mail_tells_everybody_named_of_all_that_failed(app: Flask) -> None:
    failed(app, "Backup", MINUTE)
    failed(app, "Report", 2 * MINUTE, RunState.TIMED_OUT.value)
    failed(app, "Quiet", MINUTE, notify=Notify.NOBODY.value)
    failed(app, "Prompt", MINUTE, owner_kind="user")
    assert send(app) == 2
    first, second = letters(app)
    assert {first.to, second.to} == {"ops@example.com", "mei@example.com"}
    assert first.subject == "2 tasks failed · Agent Tools"
    for body in (first.text, first.html):
        assert "Backup said no" in body
        assert "Report said no" in body
        assert "Quiet" not in body
        assert "Prompt" not in body
        assert "http://localhost/admin/tasks/runs?state=bad" in body


def test_task_with_addresses_of_its_own_tells_these_and_nobody_else(app: Flask) -> None:
    failed(app, "Backup", MINUTE)
    own = "dba@example.com,mei@example.com"
    failed(app, "Index", MINUTE, notify=Notify.OTHERS.value, notify_to=own)
    assert send(app) == 2
    told = {letter.to: letter.text for letter in letters(app)}
    assert told.keys() == {"ops@example.com", "mei@example.com", "dba@example.com"}
    named = {
        to: [name for name in ("Backup", "Index") if f"{name} said no" in text] for to, text in told.items()
    }
    assert named == {
        "ops@example.com": ["Backup"],
        "mei@example.com": ["Backup", "Index"],
        "dba@example.com": ["Index"],
    }


def test_each_failure_is_told_once(app: Flask) -> None:
    failed(app, "Backup", MINUTE)
    assert send(app) == 1
    assert letters(app)[0].subject == "“Backup” failed · Agent Tools"
    with time_machine.travel(clock.utc_now() + dt.timedelta(hours=1)):
        assert send(app) == 0
        failed(app, "Later", dt.timedelta())
    with time_machine.travel(clock.utc_now() + dt.timedelta(hours=2)):
        assert send(app) == 1
    assert len(letters(app)) == 4
    assert "Backup" not in letters(app)[-1].text


def test_addresses_are_judged(instance: Path) -> None:
    for wrong in ("ops", "a@b@c", "a b@example.com"):
        with pytest.raises(ValueError, match="TASK_FAILURES_TO"):
            make_settings(instance, task_failures_to=(wrong,))
