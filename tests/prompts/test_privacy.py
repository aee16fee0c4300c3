"""H5 and H7: what is asked and answered stays its owner's; the export holds it, and it goes with the account."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from tests.pages import PageClient
from tests.people import Person
from tests.prompts.scheduling import SECRET, act, run_due, runs, schedule, set_user, task_of
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.database import db
from webapp.lib import clock
from webapp.prompts.models import PromptRun, ScheduledPrompt
from webapp.tasks.models import Task, TaskRun

NAME = "Debts of the divers"
HOLD_TEXTS = {"messages", "scheduled_prompts", "conversations", "answer_segments", "mail_outbox"}


def dump(app: Flask) -> str:
    """Return what all tables hold beside those that are there for texts."""
    with app.app_context():
        names = [name for name in db.metadata.tables if name not in HOLD_TEXTS]
        rows = [db.session.execute(text(f"SELECT * FROM {name}")).all() for name in names]
        return repr(rows)


def test_texts_are_in_no_log_no_audit_entry_and_on_no_page_of_administrators(
    app: Flask,
    signed_in: PageClient,
    admin_client: PageClient,
    user: Person,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    good = schedule(signed_in, name=NAME, mail="y")
    bad = schedule(signed_in, name=NAME, model="scripted-length")
    run_due(app, good)
    run_due(app, bad)
    signed_in.submit(
        f"/schedules/{good}/edit", {"text": f"{SECRET}!", "name": NAME, "model": "scripted-echo"} | WHEN
    )
    page = admin_client.get("/admin/schedules/").text
    assert "Lin Yue" in page
    assert "scripted-length" in page
    assert "cut off" in page
    task_id, run = task_of(app, bad).public_id, runs(app)[-1].public_id
    pages = [
        page,
        *(
            admin_client.get(path).text
            for path in (
                "/admin/",
                "/admin/tasks/",
                "/admin/tasks/week",
                "/admin/tasks/runs",
                f"/admin/tasks/{task_id}",
                f"/admin/tasks/runs/{run}",
                f"/admin/tasks/runs/{run}/log",
                "/admin/audit/",
                "/admin/mail/",
                "/admin/usage/",
                f"/admin/users/{user.public_id}",
            )
        ),
    ]
    act(signed_in, bad, "delete")
    everything = [*pages, dump(app), caplog.text, *capfd.readouterr()]
    for words in (SECRET, NAME, "This answer is cut"):
        assert all(words not in each for each in everything)
    assert SECRET in signed_in.get(f"/schedules/{good}").text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0 > 5


WHEN = {
    "how": "daily",
    "time": "09:00",
    "zone": "UTC",
    "every": "1",
    "unit": "3600",
    "day": "1",
    "destination": "one",
}


def test_error_of_the_database_says_nothing_of_the_text(app: Flask, signed_in: PageClient) -> None:
    """A trigger makes the database refuse the question; its error repeats what was to be stored."""
    prompt_id = schedule(signed_in)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.role = 'user' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    run = run_due(app, prompt_id)
    assert run.state == "failed"
    assert run.reason == "Something broke on our side."
    assert SECRET not in dump(app)
    assert "Something broke on our side." in signed_in.get(f"/schedules/{prompt_id}").text


def test_export_holds_schedules_and_runs(app: Flask, signed_in: PageClient) -> None:
    run_due(app, schedule(signed_in, name=NAME))
    answer = signed_in.submit("/profile/data/export", page="/profile/data")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        (kept,) = json.loads(archive.read("schedules.json"))
        (run,) = json.loads(archive.read("schedule-runs.json"))
    assert (kept["name"], kept["text"], kept["model"]) == (NAME, SECRET, "scripted-echo")
    assert run["state"] == "succeeded"
    assert run["prompt_tokens"] > 0


def test_schedules_go_with_the_account(app: Flask, signed_in: PageClient, user: Person) -> None:
    run_due(app, schedule(signed_in))
    set_user(app, user, state="deleting", deletion_due_at=clock.utc_now())
    with app.app_context():
        assert accounts.erase_due() == 1
        for model in (User, ScheduledPrompt, PromptRun, TaskRun):
            assert db.session.scalar(select(func.count()).select_from(model)) == 0
        assert (
            db.session.scalar(select(func.count()).select_from(Task).where(Task.owner_kind != "system")) == 0
        )


def test_administrators_can_neither_make_nor_change_nor_start_one(
    app: Flask, signed_in: PageClient, admin_client: PageClient
) -> None:
    task_id = task_of(app, schedule(signed_in)).public_id
    assert admin_client.get("/admin/tasks/new/scheduled_prompt").status_code == 404
    assert "scheduled_prompt" not in admin_client.get("/admin/tasks/new").text
    assert admin_client.get(f"/admin/tasks/{task_id}/edit").status_code == 409
    answer = admin_client.submit(f"/admin/tasks/{task_id}/run", page=f"/admin/tasks/{task_id}")
    assert answer.status_code == 409
    assert runs(app) == []
