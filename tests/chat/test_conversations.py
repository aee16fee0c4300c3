"""The list of conversations: paged, renamed, deleted and taken back."""

from __future__ import annotations

import datetime as dt

from flask import Flask
from sqlalchemy import select

from tests.chat.waiting import ask, post, wait_for_end
from tests.pages import PageClient
from tests.people import Person
from webapp.chat import rules, service
from webapp.chat.models import Conversation, Generation, Message
from webapp.database import db, write_transaction
from webapp.lib import clock


def add_conversations(app: Flask, owner: Person, number: int) -> None:
    with app.app_context():
        for each in range(number):
            moment = clock.utc_now() - dt.timedelta(hours=12 * each)
            db.session.add(Conversation(user_id=owner.id, title=f"Chat {each:03}", updated_at=moment))
        db.session.commit()


def test_list_is_newest_first_in_pages(app: Flask, user: Person, signed_in: PageClient) -> None:
    add_conversations(app, user, rules.CONVERSATIONS_PER_PAGE + 5)
    page = signed_in.get("/chat").text
    assert page.index("Chat 000") < page.index("Chat 001") < page.index("Chat 039")
    assert "Chat 040" not in page
    assert "Today" in page
    assert "Older" in page
    link = page.split("data-more")[0].rpartition('href="')[2].partition('"')[0]
    assert "Chat 044" in signed_in.get(link).text
    fragment = signed_in.get(link + "&fragment=1").text
    assert "Chat 040" in fragment
    assert "<html" not in fragment


def test_bad_cursor_is_refused_in_words(signed_in: PageClient) -> None:
    assert signed_in.get("/chat/conversations?after=nonsense").status_code == 422


def test_title_comes_from_the_first_question(signed_in: PageClient) -> None:
    sent = ask(signed_in, "How do I take the write lock when a transaction begins, in SQLite of all things?")
    assert sent["title"].startswith("How do I take the write lock")
    assert len(sent["title"]) <= 50


def test_rename(signed_in: PageClient) -> None:
    sent = ask(signed_in)
    address = f"/chat/{sent['conversation']}/rename"
    assert signed_in.submit(address, {"title": "  A <b>better</b>   name "}).status_code == 303
    assert "A &lt;b&gt;better&lt;/b&gt; name" in signed_in.get(sent["url"]).text
    refused = signed_in.submit(address, {"title": " "})
    assert refused.status_code == 422
    assert "Enter a title." in refused.text
    assert post(signed_in, address, title="x" * 121).json["data"]["errors"]["title"]


def test_delete_stops_what_is_written_and_can_be_taken_back(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, "To be gone", model="scripted-slow")
    response = signed_in.submit(f"/chat/{sent['conversation']}/delete", page="/chat")
    assert response.location == "/chat"
    page = signed_in.get("/chat").text
    assert "Chat deleted." in page
    assert f"/chat/{sent['conversation']}/restore" in page
    assert signed_in.get(sent["url"]).status_code == 404
    assert signed_in.get(f"/chat/answers/{sent['answer']}").status_code == 404
    assert signed_in.get(f"/chat/answers/{sent['answer']}/events").status_code == 404
    assert signed_in.submit(f"/chat/{sent['conversation']}/restore", page="/chat").status_code == 303
    assert signed_in.get(sent["url"]).status_code == 200
    assert wait_for_end(signed_in, sent["answer"]) == "stopped"


@write_transaction
def let_time_pass() -> None:
    gone = db.session.scalars(select(Conversation)).one()
    gone.deleted_at = clock.utc_now() - dt.timedelta(days=rules.UNDO_DAYS, seconds=1)


def test_deleted_for_good_after_some_days(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    post(signed_in, f"/chat/{sent['conversation']}/delete")
    with app.app_context():
        assert service.purge_deleted() == 0
        let_time_pass()
        assert service.purge_deleted() == 1
        assert service.purge_deleted() == 0
        assert db.session.scalars(select(Message)).all() == []


def add_turns(app: Flask, owner: Person, number: int) -> str:
    """Add a conversation with so many answered questions and return its address."""
    with app.app_context():
        conversation = Conversation(user_id=owner.id, title="Long")
        db.session.add(conversation)
        db.session.flush()
        for each in range(number):
            common = {"conversation_id": conversation.id, "user_id": owner.id}
            db.session.add(Message(position=2 * each, role="user", text=f"Question {each:03}", **common))
            answer = Message(position=2 * each + 1, role="assistant", text=f"Answer {each:03}", **common)
            db.session.add(answer)
            db.session.flush()
            db.session.add(
                Generation(
                    message_id=answer.id,
                    user_id=owner.id,
                    model="scripted-echo",
                    state="complete",
                    process="none",
                    lease_until=clock.utc_now(),
                )
            )
        db.session.commit()
        return f"/chat/{conversation.public_id}"


def test_long_conversation_comes_in_pages(app: Flask, user: Person, signed_in: PageClient) -> None:
    address = add_turns(app, user, rules.TURNS_PER_PAGE + 3)
    page = signed_in.get(address).text
    assert "Question 032" in page
    assert "Question 003" in page
    assert "Question 002" not in page
    link = page.split("Show earlier turns")[0].rpartition('href="')[2].partition('"')[0]
    older = signed_in.get(link).text
    assert "Question 002" in older
    assert "Answer 000" in older
    assert "Question 003" not in older
    assert "Back to the newest turns" in older
    assert signed_in.get(f"{address}?before=nonsense").status_code == 404


def test_no_model_is_told_with_the_way_out(app: Flask, signed_in: PageClient) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"scripted_models": False})
    assert "No model is set up yet" in signed_in.get("/chat").text
    response = post(signed_in, "/chat/messages", text="Hi")
    assert response.status_code == 503


def test_the_list_of_somebody_who_asked_nothing_says_so(signed_in: PageClient) -> None:
    page = signed_in.get("/chat/conversations", headers={"Accept": "text/html"}).text
    assert "No chats yet" in page
    ask(signed_in, "Hello")
    assert "No chats yet" not in signed_in.get("/chat/conversations", headers={"Accept": "text/html"}).text
