"""The pages of schedules: of a message, preview, refusals, what can be done, limits."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.chat.waiting import ask, wait_for_end
from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in_admin
from tests.prompts.scheduling import SECRET, act, fields, schedule, set_user, task_of
from tests.tasks.pages import events
from webapp.config import Settings


@pytest.fixture
def settings(instance: object) -> Settings:
    return make_settings(instance, schedules_per_user=3)  # type: ignore[arg-type]


def test_message_of_the_chat_leads_to_a_form_that_holds_it(
    signed_in: PageClient, other_signed_in: PageClient
) -> None:
    sent = ask(signed_in, "What is new on Mars?", model="scripted-markdown")
    wait_for_end(signed_in, sent["answer"])
    ask(signed_in, "And on Venus?", conversation=sent["conversation"])
    page = signed_in.get(f"/chat/{sent['conversation']}").text
    links = re.findall(r'href="(/schedules/new\?message=[^"]+)"', page)
    assert len(links) == 2
    form = signed_in.get(links[0]).text
    assert "What is new on Mars?" in form
    assert re.search(r'<option selected value="scripted-markdown"', form)
    assert other_signed_in.get(links[0]).status_code == 404


def test_empty_list_leads_to_the_form(signed_in: PageClient) -> None:
    page = signed_in.get("/schedules/").text
    assert "Nothing is scheduled" in page
    assert 'href="/schedules/new"' in page


def test_preview_without_script_shows_five_times_in_the_reader_s_zone(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    set_user(app, user, timezone="Europe/Helsinki")
    answer = signed_in.submit("/schedules/new", fields(zone="Asia/Tokyo", time="12:30", preview="yes"))
    assert answer.status_code == 200
    slots = re.findall(r'<li><time datetime="[^"]+T03:30:00\+00:00">[^<]*, (\d\d:\d\d)</time>', answer.text)
    assert len(slots) == 5
    assert set(slots) <= {"05:30", "06:30"}
    assert SECRET in answer.text
    assert "Nothing is scheduled" in signed_in.get("/schedules/").text


def test_preview_for_script_is_a_piece_of_the_form(signed_in: PageClient) -> None:
    answer = signed_in.submit("/schedules/preview", fields(how="workdays"), page="/schedules/new")
    assert "<html" not in answer.text
    assert answer.text.count("<li>") == 5
    refused = signed_in.submit(
        "/schedules/preview", fields(how="cron", cron="* * * * *"), page="/schedules/new"
    )
    assert "at least 15 minutes" in refused.text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"how": "daily", "time": "07:05"}, ("5 7 * * *", None)),
        ({"how": "workdays"}, ("0 8 * * mon,tue,wed,thu,fri", None)),
        ({"how": "weekly", "days": ["sun", "wed"]}, ("0 8 * * wed,sun", None)),
        ({"how": "monthly", "day": "31"}, ("0 8 31 * *", None)),
        ({"how": "every", "every": "6", "unit": "3600"}, (None, 21_600)),
        ({"how": "cron", "cron": "0 */6  * * mon-fri"}, ("0 */6 * * mon-fri", None)),
    ],
)
def test_how_often_is_said_in_plain_words_and_shown_again(
    app: Flask, signed_in: PageClient, typed: dict[str, object], expected: tuple[str | None, int | None]
) -> None:
    prompt_id = schedule(signed_in, **typed)
    task = task_of(app, prompt_id)
    assert (task.cron, task.interval_seconds) == expected
    assert task.timezone == "Asia/Shanghai"
    page = signed_in.get(f"/schedules/{prompt_id}/edit").text
    chosen = re.search(r'<input[^>]*checked[^>]*name="how"[^>]*value="(\w+)"', page)
    assert chosen
    assert chosen[1] == typed["how"]


def test_once_runs_at_the_time_of_the_zone(app: Flask, signed_in: PageClient) -> None:
    prompt_id = schedule(signed_in, how="once", at="2099-03-01T08:00")
    at = task_of(app, prompt_id).next_run_at
    assert at is not None
    assert at.isoformat() == "2099-03-01T00:00:00+00:00"
    assert "2099-03-01T08:00" in signed_in.get(f"/schedules/{prompt_id}/edit").text


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"text": " "}, "text", "Write what is to be asked."),
        ({"text": "x" * 32_001}, "text", "At most 32000 characters"),
        ({"name": "n" * 81}, "name", "80"),
        ({"model": "gone"}, "model", "This model is not available."),
        ({"how": "once", "at": "2020-01-01T08:00"}, "at", "This time has passed."),
        ({"how": "once", "at": "soon"}, "at", "Type a date and time"),
        ({"how": "every", "every": "5", "unit": "60"}, "every", "at least 15 minutes"),
        ({"how": "cron", "cron": "0,5 8 * * *"}, "cron", "at least 15 minutes"),
        ({"how": "cron", "cron": "50,0 0,23 * * *"}, "cron", "at least 15 minutes"),
        ({"how": "cron", "cron": "0 8 31 2 *"}, "cron", "This never comes."),
        ({"how": "cron", "cron": "often"}, "cron", "This is no cron expression"),
        ({"how": "daily", "time": "25:00"}, "time", "Type a time"),
        ({"how": "weekly"}, "days", "Choose at least one day."),
        ({"how": "monthly", "day": "0"}, "day", "Choose a day from 1 to 31."),
        ({"zone": "Mars/Base"}, "zone", "There is no such time zone."),
        ({"destination": "nowhere"}, "destination", "Not a valid choice"),
        ({"how": "never"}, "how", "Not a valid choice"),
    ],
)
def test_refusal_names_its_field_and_nothing_is_stored(
    app: Flask, signed_in: PageClient, typed: dict[str, str], field: str, sentence: str
) -> None:
    answer = signed_in.submit("/schedules/new", fields(**typed))
    assert answer.status_code == 422
    assert sentence in answer.text
    if field not in {"days", "how", "destination"}:
        assert f'id="{field}-error"' in answer.text
    assert "Nothing is scheduled" in signed_in.get("/schedules/").text
    assert events(app) == []


def test_changing_pausing_resuming_and_deleting_are_recorded_without_the_text(
    app: Flask, signed_in: PageClient
) -> None:
    prompt_id = schedule(signed_in, name="Debts")
    changed = signed_in.submit(
        f"/schedules/{prompt_id}/edit",
        fields(name="Owed", how="every", every="2", destination="one", mail="y"),
    )
    assert changed.status_code == 303, changed.text
    page = signed_in.get(changed.location).text
    assert "every 2 hours" in page
    assert "One chat that goes on" in page
    assert "Paused. It is not asked" in act(signed_in, prompt_id, "pause").text
    assert task_of(app, prompt_id).next_run_at is None
    assert "None while it is not active." in signed_in.get(f"/schedules/{prompt_id}").text
    assert "Resumed." in act(signed_in, prompt_id, "resume").text
    assert task_of(app, prompt_id).next_run_at is not None
    gone = act(signed_in, prompt_id, "delete")
    assert "“Owed” is deleted." in gone.text
    assert signed_in.get(f"/schedules/{prompt_id}").status_code == 404
    names = ["created", "changed", "paused", "resumed", "deleted"]
    assert events(app) == [f"task:{name}" for name in names]


def test_there_may_be_so_many_and_no_more(app: Flask, signed_in: PageClient) -> None:
    for _ in range(3):
        schedule(signed_in)
    refused = signed_in.submit("/schedules/new", fields())
    assert refused.status_code == 409
    assert "You have as many schedules as you may: 3." in refused.text
    assert SECRET in refused.text
    assert 'href="/schedules/new"' not in signed_in.get("/schedules/").text
    assert len(events(app)) == 3


def test_what_an_administrator_paused_only_an_administrator_resumes(
    app: Flask, signed_in: PageClient
) -> None:
    prompt_id = schedule(signed_in)
    admin_client = sign_in_admin(app, add_admin(app, "mei.chen"))
    task_id = task_of(app, prompt_id).public_id
    answer = admin_client.submit(f"/admin/schedules/{task_id}/pause", page="/admin/schedules/")
    assert "Its owner cannot resume it." in admin_client.get(answer.location).text
    page = signed_in.get(f"/schedules/{prompt_id}").text
    assert "An administrator paused this schedule" in page
    assert f"/schedules/{prompt_id}/resume" not in page
    for name in ("resume", "run"):
        assert "An administrator paused this schedule" in act(signed_in, prompt_id, name).text
    signed_in.submit(f"/schedules/{prompt_id}/edit", fields(how="every", every="3"))
    assert task_of(app, prompt_id).state == "paused"
    admin_client.submit(f"/admin/schedules/{task_id}/resume", page="/admin/schedules/")
    assert task_of(app, prompt_id).state == "active"
    assert events(app) == ["task:created", "task:paused", "task:changed", "task:resumed"]
