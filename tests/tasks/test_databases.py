"""The pages of tasks on each database: made, found, run, looked at, paused and resumed together."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import add_admin, sign_in_admin
from tests.tasks import functions
from tests.tasks.pages import add, fields, run_to_its_end, task_named
from webapp.config import Settings
from webapp.database import db, write_transaction
from webapp.lib import clock
from webapp.tasks import checks, claims, service
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.rules import RunState, TaskState

assert functions
NEW = "/admin/tasks/new/report"
OPTIONS = {
    "zone": "Europe/Helsinki",
    "timeout_seconds": "90",
    "overlap": "queue",
    "misfire": "all",
    "grace_seconds": "120",
    "retries": "3",
    "backoff_seconds": "7",
    "disable_after": "5",
    "notify": "others",
    "notify_to": "ops@example.com; dba@example.com",
    "idempotent": "y",
}


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


@pytest.fixture
def each_client(each_app: Flask) -> PageClient:
    return sign_in_admin(each_app, add_admin(each_app, "mei.chen"))


def test_every_option_is_in_the_form_kept_and_shown_again(each_app: Flask, each_client: PageClient) -> None:
    made = each_client.submit(NEW, fields("All options", arg_title="t", **OPTIONS))
    assert made.status_code == 303, made.text
    task = task_named(each_app, "All options")
    assert task is not None
    columns = "timezone timeout_seconds overlap misfire grace_seconds retries backoff_seconds disable_after idempotent"
    kept = [getattr(task, name) for name in columns.split()]
    assert kept == ["Europe/Helsinki", 90, "queue", "all", 120, 3, 7, 5, True]
    assert task.told == ["ops@example.com", "dba@example.com"]
    assert "ops@example.com, dba@example.com" in each_client.get(made.location).text
    page = each_client.get(f"{made.location}/edit").text
    for value in ("90", "120", "3", "7", "5", "ops@example.com,dba@example.com"):
        assert f'value="{value}"' in page
    for value in ("Europe/Helsinki", "queue", "all", "others"):
        assert re.search(rf'<option[^>]*selected[^>]*value="{value}"|value="{value}"[^>]*selected', page), (
            value
        )


@pytest.mark.parametrize(
    "addresses", ["", "nobody", "a@b.c, d", ",".join(f"u{n}@example.com" for n in range(11))]
)
def test_addresses_that_are_none_are_refused(app: Flask, addresses: str) -> None:
    client = sign_in_admin(app, add_admin(app, "mei.chen"))
    answer = client.submit(NEW, fields(arg_title="t", notify="others", notify_to=addresses))
    assert answer.status_code == 422
    assert 'id="notify_to-error"' in answer.text
    assert task_named(app, "Mine") is None


def test_lists_filters_and_pages(each_app: Flask, each_client: PageClient) -> None:
    for number in range(52):
        add(each_app, "note", {"path": "x"}, name=f"Task {number:02d}")
    first = each_client.get("/admin/tasks/").text
    assert "Task 49" in first
    older = first.rpartition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Task 51" in each_client.get(older).text
    assert "Task 07" in each_client.get("/admin/tasks/?q=ASK 07").text
    with each_app.app_context():
        write_history()
    page = each_client.get("/admin/tasks/runs").text
    assert page.count("Task 00") > page.count("Task 01") > 0
    for query, shown, hidden in (
        ("state=bad", "it broke", "went well"),
        ("state=succeeded", "went well", "it broke"),
        ("trigger=manual", "by a hand", "it broke"),
        (f"to={clock.utc_now() - dt.timedelta(days=2):%Y-%m-%d}", "it broke", "went well"),
        (f"from={clock.utc_now() - dt.timedelta(days=1):%Y-%m-%d}", "went well", "it broke"),
    ):
        found = each_client.get(f"/admin/tasks/runs?{query}").text
        assert shown in found, query
        assert hidden not in found, query


@write_transaction
def write_history() -> None:
    """Add runs of two tasks: one that failed three days ago, one that ended well just now, one by hand."""
    tasks = {task.name: task.id for task in db.session.scalars(select(Task))}
    now = clock.utc_now()
    for name, days, state, trigger, reason in (
        ("Task 00", 3, RunState.FAILED, "schedule", "it broke"),
        ("Task 00", 0, RunState.SUCCEEDED, "schedule", "went well"),
        ("Task 01", 0, RunState.SKIPPED, "manual", "by a hand"),
    ):
        moment = now - dt.timedelta(days=days)
        db.session.add(
            TaskRun(
                task_id=tasks[name],
                scheduled_for=moment,
                ready_at=moment,
                state=state.value,
                trigger=trigger,
                reason=reason,
                started_at=moment,
                finished_at=moment,
            )
        )


def test_run_page_retry_and_bulk(each_app: Flask, each_client: PageClient) -> None:
    ids = [add(each_app, "note_here", {"path": "/nowhere/at/all"}, name=name) for name in ("One", "Two")]
    page = f"/admin/tasks/{ids[0]}"
    assert each_client.submit(f"{page}/run", page=page).status_code == 303
    run = run_to_its_end(each_app)
    assert run.run_state is RunState.FAILED
    shown = f"/admin/tasks/runs/{run.public_id}"
    assert "FileNotFoundError" in each_client.get(shown).text
    again = each_client.submit(f"{shown}/retry", page=shown)
    assert again.status_code == 303
    assert run_to_its_end(each_app).id != run.id
    for act, state in (("pause", TaskState.PAUSED), ("resume", TaskState.ACTIVE)):
        done = each_client.submit("/admin/tasks/bulk", {"act": act, "task": ids}, page="/admin/tasks/")
        assert done.status_code == 303
        with each_app.app_context():
            assert [service.get_task(task_id).state for task_id in ids] == [state.value] * 2


def test_runs_that_wait_for_a_worker_are_told(each_app: Flask) -> None:
    add(each_app, "note", {"path": "x"}, overlap="queue")
    with each_app.app_context(), each_app.test_request_context():
        write_waiting(2)
        assert claims.ready_since(clock.utc_now() - dt.timedelta(minutes=2)) == 2
        assert checks._scheduler().value == "2 runs wait for a worker"
        claims.take_ready("somewhere/1/x", 1)  # the other one now waits for this one, as its task says
        assert claims.ready_since(clock.utc_now() - dt.timedelta(minutes=2)) == 0


@write_transaction
def write_waiting(count: int) -> None:
    """Add runs that could have started minutes ago, and one that has ended."""
    task = db.session.scalars(select(Task)).one()
    now = clock.utc_now()
    for number in range(count):
        moment = now - dt.timedelta(minutes=5 + number)
        db.session.add(TaskRun(task_id=task.id, scheduled_for=moment, ready_at=moment))
    db.session.add(
        TaskRun(task_id=task.id, scheduled_for=now, ready_at=now, state="succeeded", finished_at=now)
    )
