"""Conversations, messages and live answers over the API: the same as on the pages."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.api.calling import api_token, data_of, errors_of, plain, reason_of
from tests.chat.waiting import ask
from tests.pages import PageClient
from tests.people import Person
from tests.processes import wait_for
from webapp.chat import rules, service
from webapp.chat.models import Conversation, Message
from webapp.database import db
from webapp.identity.rules import Scope


class Program:
    """A program with a token."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the answer to a call below /api."""
        return self.client.open("/api" + path, method=method, json=body, headers=self.headers | headers)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """Return the data of an answer that is none of refusal."""
        answer = self.call(method, path, body)
        assert answer.status_code < 300, answer.text
        return data_of(answer)

    def new(self, title: str | None = None) -> str:
        """Make a conversation."""
        return str(self.data("POST", "/conversations", {"title": title} if title else {})["id"])

    def send(self, conversation: str, text: str = "Hello", model: str = "scripted-echo") -> Any:
        """Ask something, and wait for the answer's end."""
        sent = self.data("POST", f"/conversations/{conversation}/messages", {"text": text, "model": model})
        return wait_for(lambda: self.ended(sent["answer"]["id"]))

    def ended(self, answer: str) -> Any:
        """Return an answer that has ended."""
        found = self.data("GET", f"/answers/{answer}")
        return found if found["state"] != "streaming" else None


@pytest.fixture
def program(app: Flask, user: Person) -> Program:
    """Lin Yue's program."""
    return Program(plain(app), api_token(app, user, Scope.CHAT))


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream that has ended."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_conversation_from_beginning_to_end(program: Program) -> None:
    conversation = program.new()
    sent = program.data("POST", f"/conversations/{conversation}/messages", {"text": "Hello there"})
    assert (sent["question"]["text"], sent["question"]["role"], sent["question"]["state"]) == (
        "Hello there",
        "user",
        None,
    )
    assert (sent["answer"]["state"], sent["conversation"]["title"]) == ("streaming", "Hello there")
    stream = program.client.get(sent["answer"]["events_url"], headers=program.headers)
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    told = events_of(stream.text)
    assert "".join(data["text"] for name, data in told if name == "delta") == "Hello there"
    name, done = told[-1]
    assert (name, done["state"], done["error"]) == ("done", "complete", None)
    assert done["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "estimated": False}
    listed = program.data("GET", f"/conversations/{conversation}/messages")
    assert [(each["role"], each["text"]) for each in listed["items"]] == [
        ("user", "Hello there"),
        ("assistant", "Hello there"),
    ]
    assert listed["next"] is None


def test_what_the_page_shows_the_program_sees(app: Flask, signed_in: PageClient, program: Program) -> None:
    sent = ask(signed_in)
    listed = program.data("GET", "/conversations")["items"]
    assert [each["id"] for each in listed] == [sent["conversation"]]
    other = program.new("Of the program")
    assert "Of the program" in signed_in.get("/chat").text
    program.send(other, "a question of the program")
    assert "a question of the program" in signed_in.get(f"/chat/{other}").text


def test_lists_in_pages(program: Program) -> None:
    made = [program.new(f"Number {number}") for number in range(5)]
    first = program.data("GET", "/conversations?limit=2")
    second = program.data("GET", f"/conversations?limit=2&after={first['next']}")
    third = program.data("GET", f"/conversations?limit=2&after={second['next']}")
    assert [each["id"] for page in (first, second, third) for each in page["items"]] == made[::-1]
    assert third["next"] is None
    for number in range(3):
        program.send(made[0], f"question {number}")
    path = f"/conversations/{made[0]}/messages"
    page = program.data("GET", f"{path}?limit=4")
    rest = program.data("GET", f"{path}?limit=4&after={page['next']}")
    assert [each["text"] for each in page["items"] + rest["items"]] == [
        f"question {number}" for number in range(3) for _ in range(2)
    ]
    assert errors_of(program.call("GET", f"{path}?after={first['next']}")).keys() == {"after"}


def test_rename_delete_and_take_back(program: Program) -> None:
    conversation = program.new()
    assert (
        program.data("PATCH", f"/conversations/{conversation}", {"title": " A  title "})["title"] == "A title"
    )
    program.data("DELETE", f"/conversations/{conversation}")
    assert program.call("GET", f"/conversations/{conversation}").status_code == 404
    assert program.data("POST", f"/conversations/{conversation}/restore")["title"] == "A title"
    assert program.data("GET", "/conversations")["items"][0]["id"] == conversation


def test_stop_go_on_and_ask_again(program: Program) -> None:
    conversation = program.new()
    body = {"text": "Hello", "model": "scripted-slow"}
    answer = program.data("POST", f"/conversations/{conversation}/messages", body)["answer"]["id"]
    wait_for(lambda: program.data("GET", f"/answers/{answer}")["text"])
    program.data("POST", f"/answers/{answer}/stop")
    stopped = wait_for(lambda: program.ended(answer))
    assert (stopped["state"], stopped["usage"]["estimated"]) == ("stopped", True)
    assert program.data("POST", f"/answers/{answer}/continue")["state"] == "streaming"
    program.data("POST", f"/answers/{answer}/stop")
    wait_for(lambda: program.ended(answer))
    again = program.data("POST", f"/answers/{answer}/regenerate", {"model": "scripted-echo"})
    assert again["id"] != answer
    assert wait_for(lambda: program.ended(again["id"]))["text"] == "Hello"
    assert reason_of(program.call("POST", f"/answers/{answer}/regenerate", {})) == "conflict"
    exported = program.data("GET", f"/conversations/{conversation}/export")["messages"]
    assert [(each["id"], each["replaced"]) for each in exported[1:]] == [(answer, True), (again["id"], False)]


def test_edit_the_last_question(program: Program) -> None:
    conversation = program.new()
    program.send(conversation, "First")
    question = program.data("GET", f"/conversations/{conversation}/messages")["items"][0]["id"]
    sent = program.data("PATCH", f"/messages/{question}", {"text": "Second", "model": "scripted-echo"})
    assert wait_for(lambda: program.ended(sent["answer"]["id"]))["text"] == "Second"
    shown = program.data("GET", f"/conversations/{conversation}/messages")["items"]
    assert [each["text"] for each in shown] == ["Second", "Second"]


def test_search(program: Program) -> None:
    conversation = program.new("Fruit")
    program.send(conversation, "Tell me about pomegranates")
    program.new("Vegetables")
    found = program.data("GET", "/conversations/search?q=pomegranates")
    assert [each["conversation"]["id"] for each in found["items"]] == [conversation]
    assert "pomegranates" in found["items"][0]["excerpt"]
    assert found["more"] is False
    assert errors_of(program.call("GET", "/conversations/search")).keys() == {"q"}


def test_a_repeat_with_the_same_key_asks_once(app: Flask, program: Program) -> None:
    conversation = program.new()
    path, body = f"/conversations/{conversation}/messages", {"text": "Hello", "model": "scripted-echo"}
    first = program.call("POST", path, body, **{"Idempotency-Key": "k1"})
    again = program.call("POST", path, body, **{"Idempotency-Key": "k1"})
    assert first.data == again.data
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == 2


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": "   "}, 422, "text"),
        ({"text": "x" * (rules.MESSAGE_MAX_LENGTH + 1)}, 422, "text"),
        ({"text": "x", "model": "nonsense"}, 422, "model"),
        ({"text": "x", "thinking": "yes"}, 422, "thinking"),
        ({"text": "x", "more": 1}, 422, "more"),
    ],
)
def test_what_cannot_be_sent(program: Program, body: Any, status: int, field: str) -> None:
    answer = program.call("POST", f"/conversations/{program.new()}/messages", body)
    assert answer.status_code == status
    assert list(errors_of(answer)) == [field]


def test_single_questions_are_in_no_list_and_are_kept_for_a_day(
    app: Flask, user: Person, signed_in: PageClient, program: Program
) -> None:
    asking = api_token(app, user, Scope.MODELS)
    body = {"prompt": "Secretly", "message": "a rare word", "model": "scripted-echo"}
    stream = program.client.post("/api/llm/generate/stream", json=body, headers=asking)
    told = events_of(stream.text)
    assert (told[0][0], told[-1][0]) == ("answer", "done")
    where = told[0][1]["events_url"]
    assert program.data("GET", "/conversations")["items"] == []
    assert program.data("GET", "/conversations/search?q=rare")["items"] == []
    assert "a rare word" not in signed_in.get("/chat/search?q=rare").text
    with app.app_context():
        kept = db.session.scalars(select(Message.role).order_by(Message.position)).all()
        assert kept == ["system", "user", "assistant"]
        assert service.purge_expired() == 0
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)):
            assert service.purge_expired() == 1
        assert db.session.scalar(select(Conversation)) is None
    assert program.client.get(where, headers=asking).status_code == 404
