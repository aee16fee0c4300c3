"""The stream of an answer: snapshot, resume, end; safe whatever the text holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.chat.reading import Page, frames
from tests.chat.waiting import ask, post, source, wait_for_end, wait_for_text
from tests.pages import PageClient
from tests.people import Person
from tests.processes import wait_for
from webapp.chat.live.feed import Reader
from webapp.chat.live.runtime import runtime
from webapp.chat.models import AnswerSegment
from webapp.database import db, write_transaction
from webapp.identity.models import LoginSession
from webapp.lib import clock, markdown


@write_transaction
def make_old() -> None:
    for segment in db.session.scalars(select(AnswerSegment)):
        segment.created_at = clock.utc_now() - dt.timedelta(hours=1)


@write_transaction
def revoke_all() -> None:
    for session in db.session.scalars(select(LoginSession)):
        session.revoked_at = clock.utc_now()


def read(client: PageClient, answer: str, **query: str) -> Page:
    """Read a stream to its end."""
    page = Page()
    response = client.get(f"/chat/answers/{answer}/events", query_string=query)
    assert response.mimetype == "text/event-stream"
    page.take(response.data)
    return page


def test_live_answer_arrives_whole(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-markdown")
    page = read(signed_in, sent["answer"])
    assert page.names[0] == "snapshot"
    assert page.state == "complete"
    assert page.tail == ""
    assert page.html == markdown.render(source(signed_in, sent["answer"]))
    assert page.names.count("delta") + page.names.count("block") > 2


def test_every_place_in_an_ended_answer_leads_to_its_end(signed_in: PageClient) -> None:
    sent = ask(signed_in, "One *two* three.\n\nFour `five` six.\n\n- seven\n- eight")
    wait_for_end(signed_in, sent["answer"])
    text = source(signed_in, sent["answer"])
    for place in range(len(text) + 1):
        page = read(signed_in, sent["answer"], after=str(place))
        assert page.state == "complete"
        assert "snapshot" not in page.names


def test_reader_who_saw_the_end_is_told_to_stop_asking(signed_in: PageClient) -> None:
    sent = ask(signed_in)
    page = read(signed_in, sent["answer"])
    assert page.id is not None
    address = f"/chat/answers/{sent['answer']}/events"
    assert signed_in.get(address, headers={"Last-Event-ID": page.id}).status_code == 204


@pytest.mark.parametrize("place", ["nonsense", "999999", "-1", "5.5.5", "1" * 50, "0;0"])
def test_unusable_place_gets_a_snapshot(signed_in: PageClient, place: str) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    assert read(signed_in, sent["answer"], after=place).names[0] == "snapshot"


def test_waiting_for_the_provider_is_told(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-stall")
    with app.app_context():
        live = runtime()
        producer = next(iter(live.producers.values()))
    wait_for(lambda: producer.answer.feed.text == "This answer hangs")
    response, body = open_stream(signed_in, sent["answer"])
    live.journal.add_wait(producer.answer, 2.6)
    assert frames(next(body))[0][:2] == ("waiting", {"seconds": 3})
    response.close()
    second = signed_in.get(f"/chat/answers/{sent['answer']}/events", buffered=False)
    assert frames(next(iter(second.iter_encoded())))[0][1]["waiting"] == 3
    second.close()


@pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", "\x00", "\u2028", "\u2029", "\x85", "\ufeff"])
def test_no_text_can_forge_an_event(signed_in: PageClient, sign: str) -> None:
    """L7: what stands in the answer cannot end a frame or begin one of its own."""
    sent = ask(signed_in, f"a{sign}{sign}event: done{sign}data: {{}}{sign}id: 7.0.end{sign}{sign}b")
    page = read(signed_in, sent["answer"])
    assert page.names.count("done") == 1
    assert page.state == "complete"


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/pixel.png)",
        "<iframe src=https://evil.example></iframe>",
        "{{ config }} {% raw %}",
        "```<script>\nalert(1)\n```",
        "$$\\href{javascript:alert(1)}{x}$$",
    ],
)
def test_no_text_becomes_active(signed_in: PageClient, attack: str) -> None:
    """L1 to L3, in question, title, answer and stream."""
    sent = ask(signed_in, attack)
    wait_for_end(signed_in, sent["answer"])
    html = read(signed_in, sent["answer"]).html
    page = signed_in.get(sent["url"]).text
    for text in (html, page):
        for bad in (
            "<script>a",
            "<img",
            "<iframe",
            'href="javascript',
            'evil.example">',
            "onerror=alert(1)>",
        ):
            assert bad not in text.replace('rel="noopener', "") or bad == 'evil.example">', bad
        assert 'src="https://evil' not in text


def test_segments_are_pruned(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    with app.app_context():
        assert db.session.scalars(select(AnswerSegment)).all()
        make_old()
        runtime()._prune()
        left = db.session.scalars(select(AnswerSegment.tick)).all()
        assert all(tick >= runtime().journal.tick for tick in left)


def open_stream(client: PageClient, answer: str) -> tuple[Any, Iterator[bytes]]:
    """Open a stream and read its snapshot; the response is to be closed."""
    response = client.get(f"/chat/answers/{answer}/events", buffered=False)
    body = iter(response.iter_encoded())
    assert b"snapshot" in next(body)
    return response, body


def test_signing_out_elsewhere_ends_open_streams(app: Flask, user: Person, signed_in: PageClient) -> None:
    """E5: a session that no longer holds reads no further, not even what is there already."""
    sent = ask(signed_in, model="scripted-stall")
    wait_for_text(signed_in, sent["answer"])
    response, body = open_stream(signed_in, sent["answer"])
    with app.app_context():
        revoke_all()
        runtime()._end_revoked()
        producer = next(iter(runtime().producers.values()))
        producer.answer.feed.add_text("a secret")
    rest = b"".join(body)
    assert b"done" not in rest
    assert b"secret" not in rest
    response.close()
    with app.app_context():
        assert not runtime().readers


def test_readers_without_a_session_are_not_ended_with_one(app: Flask, signed_in: PageClient) -> None:
    """A program that reads with a token has no login session that could end."""
    sent = ask(signed_in, model="scripted-stall")
    wait_for_text(signed_in, sent["answer"])
    response, _ = open_stream(signed_in, sent["answer"])
    with app.app_context():
        program = Reader(None, 1)
        runtime().readers.add(program)
        revoke_all()
        runtime()._end_revoked()
        assert not program.revoked
        assert any(reader.revoked for reader in runtime().readers)
        runtime().readers.discard(program)
    response.close()


def test_asking_for_the_head_leaves_no_reader_behind(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-stall")
    for _ in range(3):
        response = signed_in.head(f"/chat/answers/{sent['answer']}/events")
        assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    with app.app_context():
        assert not runtime().readers
        assert not next(iter(runtime().producers.values())).answer.feed.readers


def test_who_saw_an_earlier_end_reads_on_when_the_answer_is_continued(signed_in: PageClient) -> None:
    """Another tab saw the answer cut off; its place still is good for the rest."""
    sent = ask(signed_in, model="scripted-length")
    page = read(signed_in, sent["answer"])
    assert page.state == "length"
    assert page.id is not None
    post(signed_in, f"/chat/answers/{sent['answer']}/continue")
    page.tail = "This answer is cut"
    page.html = ""
    response = signed_in.get(f"/chat/answers/{sent['answer']}/events", headers={"Last-Event-ID": page.id})
    assert response.status_code == 200
    page.take(response.data)
    assert "snapshot" not in page.names[1:]
    assert page.html == markdown.render("This answer is cut" * 2)


def test_a_reader_who_comes_while_the_server_ends_is_sent_elsewhere(
    app: Flask, signed_in: PageClient
) -> None:
    sent = ask(signed_in, model="scripted-stall")
    wait_for_text(signed_in, sent["answer"])
    with app.app_context():
        runtime().drain()
    page = Page()
    page.take(signed_in.get(f"/chat/answers/{sent['answer']}/events").data)
    assert page.names == ["snapshot", "reconnect"]


def test_a_deleted_chat_ends_its_streams_and_gives_nothing_away(app: Flask, signed_in: PageClient) -> None:
    """G5: also to those who have the answer open."""
    sent = ask(signed_in, model="scripted-stall")
    wait_for_text(signed_in, sent["answer"])
    response, body = open_stream(signed_in, sent["answer"])
    post(signed_in, f"/chat/{sent['conversation']}/delete")
    assert b"event: done" in b"".join(body)
    response.close()
    for what in ("", "/events", "/source"):
        assert signed_in.get(f"/chat/answers/{sent['answer']}{what}").status_code == 404
    for what in ("stop", "regenerate", "continue"):
        assert post(signed_in, f"/chat/answers/{sent['answer']}/{what}").status_code == 404
    assert signed_in.get(f"/chat/messages/{sent['question']}/edit").status_code == 404
    assert post(signed_in, "/chat/messages", text="x", conversation=sent["conversation"]).status_code == 404
    assert sent["conversation"] not in signed_in.get("/chat/conversations?fragment=1").text


def test_too_many_readers_are_refused(
    app: Flask, signed_in: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.chat import rules

    monkeypatch.setattr(rules, "READERS_PER_USER", 0)
    sent = ask(signed_in)
    assert signed_in.get(f"/chat/answers/{sent['answer']}/events").status_code == 429


def test_draining_sends_readers_elsewhere(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-stall")
    wait_for_text(signed_in, sent["answer"])
    response = signed_in.get(f"/chat/answers/{sent['answer']}/events", buffered=False)
    body = response.iter_encoded()
    next(iter(body))
    with app.app_context():
        runtime().drain()
    rest = b"".join(body)
    assert b"event: reconnect" in rest
    assert b"retry: " in rest
    refused = post(signed_in, "/chat/messages", text="Hi", model="scripted-echo")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    response.close()
