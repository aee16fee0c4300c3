"""Scheduling and running prompts, for the tests."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.pages import PageClient
from tests.people import Person
from tests.tasks.pages import newest_run, tick_until
from webapp.accounts.models import User
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.tasks.models import Task, TaskRun

SECRET = "Which pearl divers of Qeshm owe me money"  # nobody but its owner may read this anywhere


def fields(**values: Any) -> dict[str, Any]:
    """Return what the form sends: by default every day at eight."""
    usual = {
        "text": SECRET,
        "name": "",
        "model": "scripted-echo",
        "how": "daily",
        "time": "08:00",
        "zone": "Asia/Shanghai",
        "every": "1",
        "unit": "3600",
        "day": "1",
        "destination": "each",
    }
    return usual | values


def schedule(client: PageClient, **values: Any) -> str:
    """Schedule a prompt through the form and return its id."""
    answer = client.submit("/schedules/new", fields(**values))
    assert answer.status_code == 303, answer.text
    return answer.location.rpartition("/")[2]


def act(client: PageClient, prompt_id: str, name: str) -> Any:
    """Press a button of a schedule's page and return the page it leads to."""
    token = client.csrf_token(f"/schedules/{prompt_id}")
    return client.post(f"/schedules/{prompt_id}/{name}", data={"csrf_token": token}, follow_redirects=True)


def make_due(app: Flask, prompt_id: str) -> None:
    """Let the next slot of a schedule be now."""

    @write_transaction
    def store() -> None:
        query = select(ScheduledPrompt).where(ScheduledPrompt.public_id == prompt_id)
        db.session.scalars(query).one().task.next_run_at = clock.utc_now()

    with app.app_context():
        store()


def run_due(app: Flask, prompt_id: str) -> TaskRun:
    """Let a schedule come due, and do scheduled work until its run has ended."""
    make_due(app, prompt_id)
    before = len(runs(app))
    return tick_until(
        app, lambda: len(runs(app)) > before and (run := newest_run(app)).run_state.final and run
    )  # type: ignore[no-any-return]


def runs(app: Flask) -> list[TaskRun]:
    with app.app_context():
        return list(db.session.scalars(select(TaskRun).order_by(TaskRun.id)))


def outcomes(app: Flask) -> list[PromptRun]:
    with app.app_context():
        return list(db.session.scalars(select(PromptRun).order_by(PromptRun.run_id)))


def task_of(app: Flask, prompt_id: str) -> Task:
    with app.app_context():
        query = select(Task).join(ScheduledPrompt, ScheduledPrompt.task_id == Task.id)
        return db.session.scalars(query.where(ScheduledPrompt.public_id == prompt_id)).one()


def set_user(app: Flask, person: Person, **values: Any) -> None:
    @write_transaction
    def store() -> None:
        user = db.session.get_one(User, person.id)
        for name, value in values.items():
            setattr(user, name, value)

    with app.app_context():
        store()
