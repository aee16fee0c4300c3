"""Whose chats these are: every route, for the owner, for somebody else, for strangers, for ids that do not exist."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.chat.waiting import ask, post, wait_for_end
from tests.pages import PageClient

NOBODY = "A" * 22
ROUTES = [
    ("GET", "/chat/{conversation}"),
    ("GET", "/chat/{conversation}/rename"),
    ("POST", "/chat/{conversation}/rename"),
    ("POST", "/chat/{conversation}/delete"),
    ("POST", "/chat/{conversation}/restore"),
    ("GET", "/chat/answers/{answer}"),
    ("GET", "/chat/answers/{answer}/source"),
    ("GET", "/chat/answers/{answer}/events"),
    ("POST", "/chat/answers/{answer}/stop"),
    ("POST", "/chat/answers/{answer}/regenerate"),
    ("POST", "/chat/answers/{answer}/continue"),
    ("GET", "/chat/messages/{question}/edit"),
    ("POST", "/chat/messages/{question}/edit"),
]


def status(client: PageClient, method: str, path: str) -> int:
    if method == "GET":
        return client.get(path).status_code
    return int(post(client, path, text="x", title="x").status_code)


def test_the_table_names_every_route_with_an_id(app: Flask) -> None:
    with_id = {
        (method, rule.rule.replace("<conversation_id>", "{conversation}"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/chat/") and rule.arguments
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    with_id = {
        (m, r.replace("<answer_id>", "{answer}").replace("<message_id>", "{question}")) for m, r in with_id
    }
    assert with_id == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_somebody_else_s_is_as_if_it_did_not_exist(
    signed_in: PageClient, other_signed_in: PageClient, method: str, path: str
) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    foreign = status(other_signed_in, method, path.format(**sent))
    absent = status(other_signed_in, method, path.format(conversation=NOBODY, answer=NOBODY, question=NOBODY))
    assert foreign == absent == 404
    assert status(signed_in, "GET", sent["url"]) == 200


def test_foreign_conversation_takes_no_message(signed_in: PageClient, other_signed_in: PageClient) -> None:
    sent = ask(signed_in)
    response = post(other_signed_in, "/chat/messages", text="x", conversation=sent["conversation"])
    assert response.status_code == 404


def test_an_id_of_another_kind_is_not_taken(signed_in: PageClient) -> None:
    """A question's id is no answer's id, and the other way round."""
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    assert signed_in.get(f"/chat/answers/{sent['question']}").status_code == 404
    assert signed_in.get(f"/chat/messages/{sent['answer']}/edit").status_code == 404


def test_foreign_request_id_shows_nothing(signed_in: PageClient, other_signed_in: PageClient) -> None:
    first = ask(signed_in, "Mine", client_request_id="shared-request-id")
    second = ask(other_signed_in, "Yours", client_request_id="shared-request-id")
    assert first["conversation"] != second["conversation"]


def test_list_shows_only_one_s_own(signed_in: PageClient, other_signed_in: PageClient) -> None:
    ask(signed_in, "A secret question")
    assert "A secret question" not in other_signed_in.get("/chat").text
