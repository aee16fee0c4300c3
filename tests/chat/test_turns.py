"""What can be done with a turn: stop, answer again, continue, edit."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from tests.chat.waiting import ask, post, source, state_of, wait_for_end, wait_for_text
from tests.pages import PageClient
from webapp.chat.models import Message
from webapp.database import db


def test_stop_keeps_what_was_written(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-slow")
    wait_for_text(signed_in, sent["answer"])
    assert post(signed_in, f"/chat/answers/{sent['answer']}/stop").status_code == 200
    assert wait_for_end(signed_in, sent["answer"]) == "stopped"
    assert source(signed_in, sent["answer"]).startswith("word0")


def test_stop_wakes_a_provider_that_says_nothing(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-stall")
    post(signed_in, f"/chat/answers/{sent['answer']}/stop")
    assert wait_for_end(signed_in, sent["answer"]) == "stopped"


def test_stop_twice_and_after_the_end_is_harmless(signed_in: PageClient) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    for _ in range(2):
        assert post(signed_in, f"/chat/answers/{sent['answer']}/stop").status_code == 200
    assert state_of(signed_in, sent["answer"]) == "complete"


def test_continue_goes_on_with_the_same_answer(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-length")
    wait_for_end(signed_in, sent["answer"])
    again = post(signed_in, f"/chat/answers/{sent['answer']}/continue").json["data"]
    assert again["answer"] == sent["answer"]
    wait_for_end(signed_in, sent["answer"])
    assert source(signed_in, sent["answer"]) == "This answer is cut" * 2


def test_complete_answer_cannot_be_continued(signed_in: PageClient) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    response = post(signed_in, f"/chat/answers/{sent['answer']}/continue")
    assert response.status_code == 409
    assert response.json["data"]["reason"] == "not_continuable"


def test_regenerate_replaces_what_is_shown_and_keeps_the_old(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in, "Say this")
    wait_for_end(signed_in, sent["answer"])
    fresh = post(signed_in, f"/chat/answers/{sent['answer']}/regenerate", model="scripted-thinking").json[
        "data"
    ]
    assert fresh["answer"] != sent["answer"]
    wait_for_end(signed_in, fresh["answer"])
    page = signed_in.get(sent["url"]).text
    assert fresh["answer"] in page
    assert sent["answer"] not in page
    with app.app_context():
        old = db.session.scalars(select(Message).where(Message.public_id == sent["answer"])).one()
        assert old.superseded_at is not None
        assert old.text == "Say this"


def test_live_answer_cannot_be_regenerated(signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-slow")
    response = post(signed_in, f"/chat/answers/{sent['answer']}/regenerate")
    assert response.status_code == 409
    assert "Stop it first" in response.json["message"]


def test_only_the_last_turn_can_be_done_again(signed_in: PageClient) -> None:
    first = ask(signed_in, "One")
    wait_for_end(signed_in, first["answer"])
    second = ask(signed_in, "Two", conversation=first["conversation"])
    wait_for_end(signed_in, second["answer"])
    assert post(signed_in, f"/chat/answers/{first['answer']}/regenerate").status_code == 409
    assert post(signed_in, f"/chat/messages/{first['question']}/edit", text="New").status_code == 409


def test_edit_asks_anew(signed_in: PageClient) -> None:
    sent = ask(signed_in, "Old words")
    wait_for_end(signed_in, sent["answer"])
    form = signed_in.get(f"/chat/messages/{sent['question']}/edit")
    assert "Old words</textarea>" in form.text
    fresh = post(
        signed_in, f"/chat/messages/{sent['question']}/edit", text="New words", model="scripted-echo"
    ).json["data"]
    wait_for_end(signed_in, fresh["answer"])
    assert source(signed_in, fresh["answer"]) == "New words"
    page = signed_in.get(sent["url"]).text
    assert "New words" in page
    assert sent["question"] not in page


def test_edit_without_script_keeps_what_was_typed_when_refused(signed_in: PageClient) -> None:
    sent = ask(signed_in, "Words")
    wait_for_end(signed_in, sent["answer"])
    address = f"/chat/messages/{sent['question']}/edit"
    refused = signed_in.submit(address, {"text": "  "})
    assert refused.status_code == 422
    assert "Write a message first." in refused.text
    accepted = signed_in.submit(address, {"text": "Better"})
    assert accepted.status_code == 303


def test_source_is_text_that_no_browser_takes_for_html(signed_in: PageClient) -> None:
    sent = ask(signed_in, "<script>alert(1)</script>")
    wait_for_end(signed_in, sent["answer"])
    response = signed_in.get(f"/chat/answers/{sent['answer']}/source")
    assert response.mimetype == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_earlier_turns_are_sent_along_and_fit(app: Flask, signed_in: PageClient) -> None:
    from webapp.chat.service import context

    first = ask(signed_in, "First question")
    wait_for_end(signed_in, first["answer"])
    second = ask(signed_in, "Second question", conversation=first["conversation"])
    wait_for_end(signed_in, second["answer"])
    with app.test_request_context():
        answer = db.session.scalars(select(Message).where(Message.public_id == second["answer"])).one()
        answer.text = ""
        request = context.request_for(answer, context.chosen_model("scripted-echo"), thinking=False)
        assert [(m.role, m.content) for m in request.messages] == [
            ("user", "First question"),
            ("assistant", "First question"),
            ("user", "Second question"),
        ]
