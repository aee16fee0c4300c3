"""Runs of scheduled prompts: through the engine, with models that answer, fail, break off and say nothing."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.waiting import ask, post, source, wait_for_end
from tests.conftest import make_settings, running
from tests.pages import PageClient
from tests.people import Person, add_user, sign_in
from tests.prompts.scheduling import (
    SECRET,
    act,
    fields,
    make_due,
    outcomes,
    run_due,
    runs,
    schedule,
    set_user,
    task_of,
)
from tests.tasks.pages import newest_run, tick_until
from webapp.audit import service as audit
from webapp.chat.models import Conversation, Generation, Message
from webapp.database import db
from webapp.llm.models import UsageEntry
from webapp.mail import outbox
from webapp.prompts.running import scheduled_prompt
from webapp.tasks import service as tasks
from webapp.tasks.context import RunContext
from webapp.tasks.rules import RunState


def conversations(app: Flask) -> list[Conversation]:
    with app.app_context():
        return list(db.session.scalars(select(Conversation).order_by(Conversation.id)))


def mails(app: Flask) -> list[outbox.Letter]:
    with app.app_context():
        found = [each for each in outbox.newest(50) if each.template == "scheduled_prompt"]
        return [outbox.render(each) for each in found]


def test_due_slot_is_asked_once_and_its_answer_is_an_exchange_like_any_other(
    app: Flask, signed_in: PageClient
) -> None:
    prompt_id = schedule(signed_in, name="Debts")
    run = run_due(app, prompt_id)
    assert run.run_state is RunState.SUCCEEDED, run.reason
    page = signed_in.get(f"/schedules/{prompt_id}").text
    link = re.search(r'href="(/chat/(\w+|[-\w]+)#a-([-\w]+))"', page)
    assert link
    assert "Answered" in page
    chat = signed_in.get(link[1]).text
    assert chat.count(SECRET) >= 2  # the question, and the echo
    assert "Debts · 20" in chat
    (noted,) = outcomes(app)
    assert noted.prompt_tokens + noted.completion_tokens > 0
    assert f"{noted.prompt_tokens + noted.completion_tokens} tokens" in page
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(UsageEntry)) == 1
    assert task_of(app, prompt_id).next_run_at is not None
    assert mails(app) == []


def test_each_run_has_its_own_conversation_or_one_goes_on(app: Flask, signed_in: PageClient) -> None:
    apart, together = schedule(signed_in), schedule(signed_in, destination="one", name="Going on")
    for prompt_id in (apart, apart, together, together):
        assert run_due(app, prompt_id).run_state is RunState.SUCCEEDED
    assert len(conversations(app)) == 3
    kept = next(each for each in conversations(app) if each.title == "Going on")
    post(signed_in, f"/chat/{kept.public_id}/delete")
    assert run_due(app, together).run_state is RunState.SUCCEEDED
    assert [each.title for each in conversations(app)].count("Going on") == 2


@pytest.mark.parametrize(
    ("model", "problem", "sentence"),
    [
        ("scripted-length", "length", "cut off"),
        ("scripted-filtered", "filtered", "content filter"),
        ("scripted-empty", "empty", "empty answer"),
        ("scripted-truncated", "provider_truncated", "broke off"),
        ("scripted-fail-auth", "provider_auth", "does not accept our key"),
        ("scripted-fail-midway", "provider_unavailable", "could not be reached"),
    ],
)
def test_answer_that_is_not_whole_is_a_failure_with_its_reason(
    app: Flask, signed_in: PageClient, model: str, problem: str, sentence: str
) -> None:
    prompt_id = schedule(signed_in, model=model)
    run = run_due(app, prompt_id)
    assert run.run_state is RunState.FAILED
    assert sentence in run.reason
    assert outcomes(app)[0].problem == problem
    page = signed_in.get(f"/schedules/{prompt_id}").text
    assert sentence in page
    assert "Failed" in page
    assert "Open the answer" in page


def test_reason_is_told_in_the_owner_s_language(app: Flask, signed_in: PageClient, user: Person) -> None:
    prompt_id = schedule(signed_in, model="scripted-length")
    run = run_due(app, prompt_id)
    set_user(app, user, locale="zh_CN")
    page = signed_in.get(f"/schedules/{prompt_id}").text
    assert run.reason not in page
    assert "截断" in page


def test_model_that_is_gone_is_a_failure_in_clear_words(app: Flask, signed_in: PageClient) -> None:
    prompt_id = schedule(signed_in)
    settings = app.extensions["settings"]
    app.extensions["settings"] = settings.model_copy(update={"scripted_models": False})
    run = run_due(app, prompt_id)
    app.extensions["settings"] = settings
    assert run.run_state is RunState.FAILED
    assert "not offered any more" in run.reason
    assert conversations(app) == []


@pytest.mark.parametrize("state", ["suspended", "deleting"])
def test_account_that_cannot_be_used_asks_nothing(
    app: Flask, signed_in: PageClient, user: Person, state: str
) -> None:
    prompt_id = schedule(signed_in)
    set_user(app, user, state=state)
    run = run_due(app, prompt_id)
    assert run.run_state is RunState.SKIPPED
    assert "account" in run.reason
    assert conversations(app) == []
    assert task_of(app, prompt_id).failures_in_row == 0


def test_schedule_that_keeps_failing_pauses_and_its_owner_is_told(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    prompt_id = schedule(signed_in, model="scripted-empty", name="Vain")
    for _ in range(4):
        run_due(app, prompt_id)
    assert task_of(app, prompt_id).state == "active"
    assert mails(app) == []
    run_due(app, prompt_id)
    assert task_of(app, prompt_id).state == "disabled"
    (letter,) = mails(app)
    assert letter.to == user.email
    assert "“Vain” is paused" in letter.subject
    assert f"/schedules/{prompt_id}" in letter.text
    assert "5 times in a row" in signed_in.get(f"/schedules/{prompt_id}").text
    act(signed_in, prompt_id, "resume")
    assert task_of(app, prompt_id).failures_in_row == 0


def test_answers_and_failures_are_mailed_where_that_is_wanted(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    good = schedule(signed_in, mail="y", name="Debts")
    run_due(app, good)
    (letter,) = mails(app)
    assert letter.to == user.email
    assert SECRET in letter.text
    assert "/chat/" in letter.text
    signed_in.submit(f"/schedules/{good}/edit", fields(mail="y", name="Debts", model="scripted-length"))
    run_due(app, good)
    failed = mails(app)[0]
    assert "“Debts” failed" in failed.subject
    assert "cut off" in failed.text
    assert "This answer is cut" in failed.text


def test_run_waits_until_the_person_has_room_for_one_more_answer(app: Flask, signed_in: PageClient) -> None:
    prompt_id = schedule(signed_in)
    settings = app.extensions["settings"]
    app.extensions["settings"] = settings.model_copy(update={"max_streams_per_user": 1})
    busy = ask(signed_in, model="scripted-stall")
    make_due(app, prompt_id)
    tick_until(app, lambda: runs(app) and newest_run(app).run_state is RunState.RUNNING)
    tick_until(app, lambda: outcomes(app))
    assert outcomes(app)[0].answer_id is None
    post(signed_in, f"/chat/answers/{busy['answer']}/stop")
    run = tick_until(app, lambda: (run := newest_run(app)).run_state.final and run)
    assert run.run_state is RunState.SUCCEEDED
    with app.app_context():
        stalled, asked = db.session.scalars(select(Generation).order_by(Generation.id)).all()
        assert stalled.finished_at is not None
        assert asked.created_at >= stalled.finished_at


def test_answer_that_its_owner_stops_is_a_failed_run(app: Flask, signed_in: PageClient) -> None:
    prompt_id = schedule(signed_in, model="scripted-stall")
    assert "being asked now" in act(signed_in, prompt_id, "run").text
    tick_until(app, lambda: outcomes(app) and outcomes(app)[0].answer_id)
    assert "It is running already." in act(signed_in, prompt_id, "run").text
    with app.app_context():
        answer = db.session.get_one(Message, outcomes(app)[0].answer_id).public_id
    post(signed_in, f"/chat/answers/{answer}/stop")
    run = tick_until(app, lambda: (run := newest_run(app)).run_state.final and run)
    assert run.run_state is RunState.FAILED
    assert "stopped before its end" in run.reason
    assert source(signed_in, answer).startswith("This answer hangs")


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_end_of_a_run_from_outside_ends_its_answer(app: Flask, signed_in: PageClient, how: str) -> None:
    prompt_id = schedule(signed_in, model="scripted-stall")
    make_due(app, prompt_id)
    tick_until(app, lambda: outcomes(app) and outcomes(app)[0].answer_id)
    with app.app_context():
        answer = db.session.get_one(Message, outcomes(app)[0].answer_id).public_id
        if how == "cancel":
            tasks.cancel_run(audit.SYSTEM, newest_run(app).public_id)
    if how == "delete":
        act(signed_in, prompt_id, "delete")

    def ended() -> bool:
        with app.app_context():
            return db.session.scalars(select(Generation)).one().state == "stopped"

    tick_until(app, ended)
    assert wait_for_end(signed_in, answer) == "stopped"
    if how == "cancel":
        run = tick_until(app, lambda: (run := newest_run(app)).run_state.final and run)
        assert run.run_state is RunState.CANCELLED
        assert "The run was cancelled." in signed_in.get(f"/schedules/{prompt_id}").text


@pytest.fixture(scope="module")
def provider() -> object:
    with fake_provider() as found:
        yield found


def test_model_is_told_that_nobody_is_there_and_a_second_attempt_asks_no_second_time(
    instance: object, provider: FakeProvider
) -> None:
    model = "any?tokens=3&key=told"
    settings = make_settings(instance, openai_compatible_models=(model,), **provider.settings)  # type: ignore[arg-type]
    for app in running(settings):
        client = sign_in(app, add_user(app, "lin.yue", "Lin Yue"))
        prompt_id = schedule(client, model=model, text="潜水员欠我多少钱？请用中文回答。")
        run = run_due(app, prompt_id)
        assert run.run_state is RunState.SUCCEEDED, run.reason
        (call,) = provider.calls("told")
        system, question = call["body"]["messages"]
        assert system["role"] == "system"
        assert "没有人在场" in system["content"]
        assert "Asia/Shanghai" in system["content"]
        assert question["content"].startswith("潜水员")

        with app.app_context():
            again = scheduled_prompt(RunContext(app, run.id, 2, 2), prompt_id)
        assert again == {}
        assert len(provider.calls("told")) == 1
        assert json.loads(run.result)["tokens"] == 10
