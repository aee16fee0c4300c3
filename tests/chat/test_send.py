"""Sending a message: stored once, answered, refused in words."""

from __future__ import annotations

import html
import re
import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.chat.waiting import JSON, ask, post, source, state_of, wait_for_end, wait_for_text
from tests.pages import PageClient, read
from tests.people import Person
from webapp.chat import rules, service
from webapp.chat.models import Generation, Message
from webapp.database import db
from webapp.extensions import db as same_db
from webapp.llm.models import UsageEntry


def count(app: Flask, model: type) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_answer_is_stored_whole_with_its_usage(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, "Tell me **this** back")
    assert wait_for_end(signed_in, sent["answer"]) == "complete"
    assert source(signed_in, sent["answer"]) == "Tell me **this** back"
    with app.app_context():
        entry = same_db.session.scalars(select(UsageEntry)).one()
        assert (entry.ending, entry.estimated) == ("complete", False)
        assert entry.completion_tokens > 0
        message = db.session.scalars(select(Message).where(Message.role == "assistant")).one()
        assert message.text == "Tell me **this** back"


def test_page_shows_question_answer_and_usage(signed_in: PageClient) -> None:
    sent = ask(signed_in, "Is <b>this</b> escaped?")
    wait_for_end(signed_in, sent["answer"])
    page = signed_in.get(sent["url"]).text
    assert "Is &lt;b&gt;this&lt;/b&gt; escaped?" in page
    assert "tokens" in page
    assert "<b>this</b> escaped" not in page


REFRESH = re.compile(r'<noscript><meta http-equiv="refresh" content="2; url=([^"#]+)(#a-[^"]+)"></noscript>')


def test_works_without_script(signed_in: PageClient) -> None:
    """The page shows the text so far and asks for itself again, until the answer has ended."""
    response = signed_in.submit("/chat/messages", {"text": "Hi", "model": "scripted-markdown"}, page="/chat")
    assert response.status_code == 303
    address, shown = response.location.partition("#")[0], []
    while again := REFRESH.search(page := signed_in.get(address).text):
        address = html.unescape(again[1])
        shown.append("What an answer can hold" in page)
        assert again[2][1:] in page, "the place it scrolls to"
    assert any(shown), "text that was there before the end"
    assert "http-equiv" not in page
    assert "后面的文字" in page


def test_stop_works_without_script(signed_in: PageClient) -> None:
    response = signed_in.submit("/chat/messages", {"text": "Hi", "model": "scripted-slow"}, page="/chat")
    address = response.location.partition("#")[0]
    form = next(f for f in read(signed_in.get(address)).forms if f.get("id") == "stop-form")
    assert signed_in.submit(form["action"], page=address).status_code == 303
    answer = form["action"].split("/")[3]
    assert wait_for_end(signed_in, answer) == "stopped"
    assert "http-equiv" not in signed_in.get(address).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": "x" * (rules.MESSAGE_MAX_LENGTH + 1)}, "text"),
        ({"text": "Hi", "model": "no-such-model"}, "model"),
        ({"text": "Hi", "client_request_id": "short"}, "client_request_id"),
    ],
)
def test_refusals_name_the_field_and_store_nothing(
    app: Flask, signed_in: PageClient, fields: dict[str, str], field: str
) -> None:
    response = post(signed_in, "/chat/messages", **fields)
    assert response.status_code == 422
    assert list(response.json["data"]["errors"]) == [field]
    assert count(app, Message) == 0


def test_what_was_typed_is_kept_when_refused(signed_in: PageClient) -> None:
    response = signed_in.submit(
        "/chat/messages",
        {"text": "A long thought", "model": "gone"},
        page="/chat",
        headers={"Accept": "text/html"},
    )
    assert response.status_code == 422
    assert "A long thought</textarea>" in response.text
    assert "Choose another one" in response.text


def test_twenty_identical_requests_make_one_turn(app: Flask, user: Person) -> None:
    """FT-30: the same request id twenty times at once."""
    answers: set[str] = set()

    def send() -> None:
        with app.test_request_context():
            from webapp.accounts.service import load_user

            person = load_user(user.id)
            assert person is not None
            sent = service.send_message(
                person,
                text="Once",
                model="scripted-echo",
                thinking=False,
                client_request_id="the-same-request",
                conversation_id=None,
                request_id="",
            )
            answers.add(sent.answer.public_id)

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 1
    assert count(app, Message) == 2
    assert count(app, Generation) == 1


def test_parallel_questions_in_one_conversation_are_all_kept(each_app: Flask) -> None:
    """FT-14: every append has its place, none is lost."""
    from tests.people import add_user
    from webapp.accounts.service import load_user

    person = add_user(each_app, "lin.yue", "Lin Yue")
    each_app.extensions["settings"] = each_app.extensions["settings"].model_copy(
        update={"max_streams_per_user": 100}
    )

    def send(number: int, conversation: str | None) -> str:
        with each_app.test_request_context():
            user = load_user(person.id)
            assert user is not None
            sent = service.send_message(
                user,
                text=f"Question {number}",
                model="scripted-echo",
                thinking=False,
                client_request_id=None,
                conversation_id=conversation,
                request_id="",
            )
            return sent.conversation.public_id

    conversation = send(0, None)
    threads = [threading.Thread(target=send, args=(n, conversation)) for n in range(1, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each_app.app_context():
        positions = db.session.scalars(select(Message.position).order_by(Message.position)).all()
        texts = db.session.scalars(select(Message.text).where(Message.role == "user")).all()
        assert list(positions) == list(range(40))
        assert sorted(texts) == sorted(f"Question {n}" for n in range(20))


def test_too_many_answers_at_once_are_refused_in_words(app: Flask, signed_in: PageClient) -> None:
    limit = app.extensions["settings"].max_streams_per_user
    for _ in range(limit):
        ask(signed_in, model="scripted-stall")
    response = post(signed_in, "/chat/messages", text="One more", model="scripted-echo")
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    assert "Wait for one to end" in response.json["message"]


@pytest.mark.parametrize(
    ("model", "state", "said"),
    [
        ("scripted-length", "length", "cut off"),
        ("scripted-filtered", "filtered", "content filter"),
        ("scripted-truncated", "interrupted", "broke off"),
        ("scripted-fail-midway", "interrupted", "broke off"),
        ("scripted-fail-auth", "failed", "does not accept our key"),
        ("scripted-empty", "failed", "empty answer"),
    ],
)
def test_every_ending_is_told_and_counted(
    app: Flask, signed_in: PageClient, model: str, state: str, said: str
) -> None:
    sent = ask(signed_in, model=model)
    assert wait_for_end(signed_in, sent["answer"]) == state
    page = signed_in.get(sent["url"]).text
    assert said in page
    with app.app_context():
        assert db.session.scalars(select(UsageEntry)).one().ending == state
    if state == "failed":
        assert "nothing was charged" in page
        assert db_request_id(app) in page


def db_request_id(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(select(Generation.request_id)).one()


def test_thinking_is_kept_apart(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-thinking", thinking="1")
    wait_for_end(signed_in, sent["answer"])
    assert source(signed_in, sent["answer"]) == "Yes, because reads dominate."
    page = signed_in.get(sent["url"]).text
    assert '<details class="think"' in page
    assert "The question is simple" in page


def test_live_answer_is_shown_so_far(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-slow")
    wait_for_text(signed_in, sent["answer"])
    assert state_of(signed_in, sent["answer"]) == "streaming"
    page = signed_in.get(sent["url"]).text
    assert 'aria-busy="true"' in page
    assert "word0" in page
    assert 'class="dot live"' in page


def test_json_is_for_script_only(signed_in: PageClient) -> None:
    assert signed_in.post("/chat/messages", data={"text": "x"}, headers=JSON).status_code == 400
