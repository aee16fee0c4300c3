"""The pages of tasks: lists, forms, acts, and the page of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import add_admin, sign_in_admin
from tests.tasks import functions
from tests.tasks.pages import add, events, fields, newest_run, run_to_its_end, task_named
from webapp import background
from webapp.config import Settings
from webapp.database import db
from webapp.tasks import service
from webapp.tasks.built_in import ensure_built_in
from webapp.tasks.models import Task
from webapp.tasks.rules import TaskState

assert functions
NEW = "/admin/tasks/new/report"


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


@pytest.fixture
def auditor(app: Flask) -> PageClient:
    return sign_in_admin(app, add_admin(app, "audrey", "auditor"))


def test_functions_are_offered_and_those_of_the_program_are_not(admin_client: PageClient) -> None:
    page = admin_client.get("/admin/tasks/new").text
    assert "/admin/tasks/new/report" in page
    assert "purge_codes" not in page
    assert admin_client.get("/admin/tasks/new/purge_codes").status_code == 404


def test_form_has_a_field_for_each_parameter(admin_client: PageClient) -> None:
    page = admin_client.get(NEW).text
    assert '<option value="pdf">pdf</option>' in page
    assert 'type="date"' in page
    assert "arg_run" not in page


def test_task_is_made_of_what_was_typed(app: Flask, admin_client: PageClient) -> None:
    typed = {
        "arg_title": "Weekly",
        "arg_count": "3",
        "arg_ratio": "0.5",
        "arg_kind": "pdf",
        "arg_day": "2026-11-24",
        "arg_loud": "y",
        "arg_names": '["a", "b"]',
    }
    answer = admin_client.submit(NEW, fields("Weekly", how="weekly", days=["fri", "mon"], **typed))
    assert answer.status_code == 303, answer.text
    task = task_named(app, "Weekly")
    assert task is not None
    assert (task.cron, task.func_name, task.timeout_seconds) == ("30 8 * * mon,fri", "report", 600)
    assert json.loads(task.arguments) == {
        "title": "Weekly",
        "count": 3,
        "ratio": 0.5,
        "kind": "pdf",
        "day": "2026-11-24",
        "loud": True,
        "names": ["a", "b"],
    }
    page = admin_client.get(answer.location).text
    assert "Monday, Friday at 08:30" in page
    assert events(app) == ["task:created"]


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"arg_count": "three"}, "arg_count", "Type a whole number."),
        ({"arg_ratio": "x"}, "arg_ratio", "Type a number"),
        ({"arg_day": "tomorrow"}, "arg_day", "Type a date"),
        ({"arg_kind": "exe"}, "arg_kind", "Choose one of what is offered."),
        ({"how": "cron", "cron": "every now and then"}, "cron", "This is no cron expression"),
        ({"how": "every", "every": "0"}, "every", "the longest interval is a year"),
        ({"how": "once", "at": "soon"}, "at", "Type a date and time"),
        ({"how": "weekly"}, "days", "Choose at least one day."),
        ({"how": "monthly", "day": "32"}, "day", "Choose a day from 1 to 31."),
        ({"time": "25:00"}, "time", "Type a time"),
        ({"retries": "99"}, "retries", "between 0 and 20"),
        ({"name": " "}, "name", "Give it a name"),
    ],
)
def test_refusal_stands_beside_its_field_and_what_was_typed_stays(
    app: Flask, admin_client: PageClient, typed: dict[str, str], field: str, sentence: str
) -> None:
    answer = admin_client.submit(NEW, fields(**{"arg_title": "kept title", **typed}))
    assert answer.status_code == 422
    assert "kept title" in answer.text
    assert sentence in answer.text
    if field != "days":
        assert f'id="{field}-error"' in answer.text
    if field not in {"days", "arg_kind"}:
        assert typed[field].strip() in answer.text
    assert task_named(app, "Mine") is None
    assert events(app) == []


def test_missing_argument_and_past_time_are_refused(app: Flask, admin_client: PageClient) -> None:
    assert "Fill this in." in admin_client.submit(NEW, fields(arg_title="")).text
    past = admin_client.submit(NEW, fields(arg_title="x", how="once", at="2020-01-01T08:00"))
    assert past.status_code == 422
    assert "This never comes." in past.text
    assert task_named(app, "Mine") is None


def test_function_that_is_not_offered_is_refused(admin_client: PageClient) -> None:
    assert admin_client.submit("/admin/tasks/new/os.system", fields(), page=NEW).status_code == 404
    assert admin_client.submit("/admin/tasks/new/purge_codes", fields(), page=NEW).status_code == 404


def test_preview_shows_the_next_five_and_saves_nothing(app: Flask, admin_client: PageClient) -> None:
    typed = fields("Weekly", how="weekly", days="mon", time="09:15", zone="Asia/Shanghai", arg_title="t")
    page = admin_client.submit(NEW, {**typed, "preview": "yes"})
    assert page.status_code == 200
    assert page.text.count("<li><time") == 5
    assert "Monday at 09:15 (Asia/Shanghai)" in page.text
    piece = admin_client.submit("/admin/tasks/preview", typed, page=NEW)
    assert piece.text.count("<li><time") == 5
    assert "01:15" in piece.text  # in the reader's zone, which is UTC
    assert task_named(app, "Weekly") is None


def test_edit_changes_and_a_stale_form_is_refused(app: Flask, admin_client: PageClient) -> None:
    task_id = add(app, "note", {"path": "old"}, name="Note", cron="0 2 * * *")
    page = f"/admin/tasks/{task_id}/edit"
    assert 'value="old"' in admin_client.get(page).text
    seen = seen_by(app, task_id)
    changed = fields("Note", how="every", every="5", unit="60", arg_path="new", seen=seen)
    assert admin_client.submit(page, changed).status_code == 303
    with app.app_context():
        task = service.get_task(task_id)
        assert (task.interval_seconds, task.cron, task.given["path"]) == (300, None, "new")
        assert not task.customised
    stale = admin_client.submit(page, {**changed, "arg_path": "newer"})
    assert stale.status_code == 409
    assert "Someone changed this task meanwhile." in stale.text
    assert 'value="newer"' in stale.text


def test_built_in_task_is_changed_and_taken_back(app: Flask, admin_client: PageClient) -> None:
    with app.app_context():
        ensure_built_in()
        task_id = db.session.query(Task.public_id).filter_by(built_in_key="purge_codes").scalar()
    seen = seen_by(app, task_id)
    typed = fields("Other name", how="every", every="2", unit="3600", seen=seen)
    assert admin_client.submit(f"/admin/tasks/{task_id}/edit", typed).status_code == 303
    with app.app_context():
        ensure_built_in()
        task = service.get_task(task_id)
        assert (task.interval_seconds, task.customised) == (7200, True)
        assert task.name != "Other name"
    page = f"/admin/tasks/{task_id}"
    assert "cannot be deleted" in admin_client.submit(f"{page}/delete", page=page, follow_redirects=True).text
    assert admin_client.submit(f"{page}/default", page=page).status_code == 303
    with app.app_context():
        task = service.get_task(task_id)
        assert (task.interval_seconds, task.customised) == (600, False)
    assert events(app) == ["task:changed", "task:changed"]


def test_pause_resume_and_delete(app: Flask, admin_client: PageClient) -> None:
    task_id = add(app, "note", {"path": "x"})
    page = f"/admin/tasks/{task_id}"
    admin_client.submit(f"{page}/pause", page=page)
    with app.app_context():
        assert service.get_task(task_id).next_run_at is None
    assert "Paused" in admin_client.get(page).text
    admin_client.submit(f"{page}/resume", page=page)
    with app.app_context():
        assert service.get_task(task_id).next_run_at is not None
    assert admin_client.submit(f"{page}/delete", page=page).location == "/admin/tasks/"
    assert admin_client.get(page).status_code == 404
    assert events(app) == ["task:paused", "task:resumed", "task:deleted"]


def test_bulk_tells_of_each_what_became_of_it(app: Flask, admin_client: PageClient) -> None:
    good = add(app, "note", {"path": "x"}, name="Good")
    over = add(app, "note", {"path": "x"}, name="Over", state=TaskState.FINISHED.value)
    picked = {"task": [good, over, "gone"], "act": "pause"}
    page = admin_client.submit("/admin/tasks/bulk", picked, page="/admin/tasks/").text
    assert "1 task changed." in page
    assert "Its time has passed" in page
    assert "There is no such task." in page
    with app.app_context():
        assert service.get_task(good).state == TaskState.PAUSED.value
        assert service.get_task(over).state == TaskState.FINISHED.value
    told = admin_client.submit("/admin/tasks/bulk", {"task": good, "act": "resume"}, page="/admin/tasks/")
    assert told.location == "/admin/tasks/"
    refused = admin_client.submit("/admin/tasks/bulk", {"task": good, "act": "delete"}, page="/admin/tasks/")
    assert refused.status_code == 422


def test_run_by_hand_shows_its_log_result_and_retry(
    app: Flask, admin_client: PageClient, tmp_path: Path
) -> None:
    task_id = add(app, "note_here", {"path": str(tmp_path / "out")}, name="Note")
    page = f"/admin/tasks/{task_id}"
    shown = admin_client.submit(f"{page}/run", page=page).location
    assert 'http-equiv="refresh"' in admin_client.get(shown).text
    run_to_its_end(app)
    ended = admin_client.get(shown).text
    assert "Succeeded" in ended
    assert str(tmp_path) in ended
    assert "Retry" in ended
    assert "data-events" not in ended
    assert 'http-equiv="refresh"' not in ended
    again = admin_client.submit(f"{shown}/retry", page=shown).location
    assert again != shown
    assert run_to_its_end(app).trigger == "manual"
    refused = admin_client.submit(f"{shown}/cancel", page=shown, follow_redirects=True)
    assert "This run has ended already." in refused.text
    assert events(app) == ["task:started", "task:ran", "task:started", "task:ran"]


def test_failure_shows_its_trace_to_those_who_may_change_tasks_alone(
    app: Flask, admin_client: PageClient, auditor: PageClient
) -> None:
    task_id = add(app, "fail", {}, name="Bad")
    shown = admin_client.submit(f"/admin/tasks/{task_id}/run", page=f"/admin/tasks/{task_id}").location
    run_to_its_end(app)
    page = admin_client.get(shown).text
    assert "RuntimeError: broken" in page
    assert "Traceback" in page
    assert "sk-abcdef" not in page
    theirs = auditor.get(shown).text
    assert "RuntimeError: broken" in theirs
    assert "Traceback" not in theirs.partition('data-part="outcome"')[2]
    assert "/retry" not in theirs


def test_waiting_run_is_cancelled(app: Flask, admin_client: PageClient) -> None:
    task_id = add(app, "note", {"path": "x"})
    shown = admin_client.submit(f"/admin/tasks/{task_id}/run", page=f"/admin/tasks/{task_id}").location
    page = admin_client.submit(f"{shown}/cancel", page=shown, follow_redirects=True).text
    assert "Cancelled" in page
    assert newest_run(app).state == "cancelled"


def test_history_is_narrowed(app: Flask, admin_client: PageClient, tmp_path: Path) -> None:
    bad, good = (
        add(app, "fail", name="Bad"),
        add(app, "note_here", {"path": str(tmp_path / "x")}, name="Good"),
    )
    for task_id in (bad, good):
        admin_client.submit(f"/admin/tasks/{task_id}/run", page=f"/admin/tasks/{task_id}")
        run_to_its_end(app)

    def rows(query: str) -> int:
        return admin_client.get(f"/admin/tasks/runs?{query}").text.count('class="first"')

    assert [rows(query) for query in ("", "state=bad", "state=succeeded", f"task={good}")] == [2, 1, 1, 1]
    assert [rows(query) for query in ("trigger=schedule", "trigger=manual")] == [0, 2]
    assert [rows(query) for query in ("from=2001-01-01&to=2001-01-02", "from=2001-01-01")] == [0, 2]
    assert rows("from=nonsense&state=nonsense&to=9999-12-31") == 2
    assert admin_client.get("/admin/tasks/runs?task=gone").status_code == 404
    assert admin_client.get("/admin/tasks/runs?after=nonsense").status_code == 422


def test_lists_go_on_behind_a_page(app: Flask, admin_client: PageClient) -> None:
    for number in range(51):
        add(app, "note", {"path": "x"}, name=f"Task {number:02d}")
    page = admin_client.get("/admin/tasks/").text
    assert "Task 49" in page
    assert "Task 50" not in page
    older = page.rpartition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Task 50" in admin_client.get(older).text
    assert "Task 07" in admin_client.get("/admin/tasks/?q=sk 07").text
    assert "No task fits" in admin_client.get("/admin/tasks/?state=paused").text
    assert "No task fits" in admin_client.get("/admin/tasks/?owner=users").text


def test_week_shows_slots_and_what_runs_all_the_time(app: Flask, admin_client: PageClient) -> None:
    add(app, "note", {"path": "x"}, name="Nightly", cron="30 2 * * *")
    add(app, "note", {"path": "x"}, name="Often", interval_seconds=30)
    page = admin_client.get("/admin/tasks/week").text
    assert page.count("Nightly") in {12, 14}  # in the grid and in the table; that of today may be over
    assert "every 30 seconds" in page


def test_week_shows_a_monday_where_its_words_say_monday(app: Flask, admin_client: PageClient) -> None:
    add(app, "note", {"path": "x"}, name="Mondays", cron="59 23 * * 1")
    page = admin_client.get("/admin/tasks/week").text
    days = [each.split("</li>")[0] for each in page.split('<ol class="week">')[1].split("<li>")[1:]]
    (monday,) = [day for day in days if "Mondays" in day]
    assert re.search(r"<h2>Mon", monday), monday
    assert "Monday at 23:59" in admin_client.get("/admin/tasks/").text


def test_what_comes_twice_a_day_is_in_the_grid(app: Flask, admin_client: PageClient) -> None:
    add(app, "note", {"path": "x"}, name="Twice", cron="0,30 8 * * *")
    add(app, "note", {"path": "x"}, name="Office", cron="*/10 8-18 * * *")
    grid, _, often = admin_client.get("/admin/tasks/week").text.partition("All the time")
    assert "Twice" in grid
    assert "Office" in often
    assert "Office" not in grid


def test_task_of_a_user_shows_nothing_of_its_content(app: Flask, admin_client: PageClient) -> None:
    task_id = add(app, "note", {"path": "private words"}, name="Prompt", owner_kind="user", owner_id="u")
    page = f"/admin/tasks/{task_id}"
    shown = admin_client.get(page).text
    assert "private words" not in shown
    assert "belongs to a user" in shown
    assert admin_client.get(f"{page}/edit").status_code == 409
    assert admin_client.submit(f"{page}/run", page=page).status_code == 409
    assert admin_client.submit(f"{page}/pause", page=page).status_code == 303


def test_auditor_reads_and_changes_nothing(app: Flask, auditor: PageClient) -> None:
    task_id = add(app, "note", {"path": "x"})
    for path in ("/admin/tasks/", f"/admin/tasks/{task_id}", "/admin/tasks/week", "/admin/tasks/runs"):
        page = auditor.get(path)
        assert page.status_code == 200
        assert '/run"' not in page.text
    for path in ("pause", "run", "delete", "edit"):
        assert auditor.submit(f"/admin/tasks/{task_id}/{path}", page="/admin/account/").status_code == 403


def test_overdue_work_is_told(app: Flask, admin_client: PageClient) -> None:
    assert "No process does the scheduled work" not in admin_client.get("/admin/tasks/").text
    with app.app_context():
        ensure_built_in()
        task = db.session.query(Task).first()
        task.next_run_at = task.created_at.replace(year=2020)
        db.session.commit()
    assert "No process does the scheduled work" in admin_client.get("/admin/tasks/").text


def seen_by(app: Flask, task_id: str) -> str:
    with app.app_context():
        return service.version_of(service.get_task(task_id))


def test_recurring_work_has_a_name_and_a_description_to_be_translated() -> None:
    assert {name for name, _job, _seconds in background.JOBS} == set(background.WORDS)
