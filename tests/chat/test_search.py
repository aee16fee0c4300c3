"""Searching: by title and text, all words, one's own only, and bounded."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.chat.waiting import ask, post, wait_for_end
from tests.pages import PageClient
from tests.people import add_user, sign_in
from webapp.chat import rules


@pytest.fixture
def reader(each_app: Flask) -> PageClient:
    """Lin Yue's browser, on either database."""
    return sign_in(each_app, add_user(each_app, "lin.yue", "Lin Yue"))


def say(client: PageClient, text: str, **fields: str) -> str:
    """Have something said and answered; return the conversation's id."""
    sent = ask(client, text, **fields)
    wait_for_end(client, sent["answer"])
    return str(sent["conversation"])


def found(client: PageClient, query: str) -> list[str]:
    """Return the ids of the conversations found, in order."""
    page = client.get("/chat/search", query_string={"q": query})
    assert page.status_code == 200
    hits = page.text.partition('<ul class="list hits">')[2]
    return re.findall(r'href="/chat/([\w-]+)[?#"]', hits)


def test_finds_text_whatever_its_case_and_all_words_of_it(reader: PageClient) -> None:
    locked = say(reader, "Why is the SQLite database locked?")
    say(reader, "Why is the MariaDB table locked?")
    assert found(reader, "sqlite LOCKED") == [locked]
    assert found(reader, "sqlite table") == []
    assert found(reader, "locked")[-1] == locked
    assert len(found(reader, "locked")) == 2


def test_finds_chinese(reader: PageClient) -> None:
    moving = say(reader, "上海办公室搬迁通知怎么写？")
    assert found(reader, "搬迁通知") == [moving]


def test_finds_a_title_that_was_given(reader: PageClient) -> None:
    chat = say(reader, "Hello")
    post(reader, f"/chat/{chat}/rename", title="Contract clause 7.2")
    assert found(reader, "clause 7.2") == [chat]


def test_signs_of_patterns_are_plain_text(reader: PageClient) -> None:
    rate = say(reader, r"100% of a_b \ done")
    say(reader, "100 of axb done")
    for query in ("100%", "a_b", "\\"):
        assert found(reader, query) == [rate], query


def test_what_was_found_is_marked_and_never_markup(reader: PageClient) -> None:
    say(reader, "before <img src=x onerror=alert(1)> needle after")
    page = reader.get("/chat/search", query_string={"q": "NEEDLE <img"}).text
    assert "<mark>needle</mark>" in page
    assert "<mark>&lt;img</mark> src=x" in page
    assert "<img src=x" not in page


def test_of_a_long_text_the_place_is_shown(reader: PageClient) -> None:
    say(reader, "x " * 3000 + "needle in the hay" + " y" * 3000, model="scripted-thinking")
    page = reader.get("/chat/search?q=needle").text
    assert "<mark>needle</mark> in the hay" in page
    assert len(page) < 20_000


def test_others_and_deleted_chats_are_not_found(each_app: Flask, reader: PageClient) -> None:
    other = sign_in(each_app, add_user(each_app, "wang.wei", "王伟"))
    say(other, "a secret needle")
    gone = say(reader, "another needle")
    assert found(reader, "needle") == [gone]
    post(reader, f"/chat/{gone}/delete")
    assert found(reader, "needle") == []
    assert found(other, "another") == []


def test_a_question_that_was_edited_away_is_not_found(reader: PageClient) -> None:
    sent = ask(reader, "the old needle")
    wait_for_end(reader, sent["answer"])
    again = post(reader, f"/chat/messages/{sent['question']}/edit", text="the new thread").json["data"]
    wait_for_end(reader, again["answer"])
    post(reader, f"/chat/{sent['conversation']}/rename", title="Sewing")
    assert found(reader, "needle") == []
    assert found(reader, "thread") == [sent["conversation"]]


def test_an_old_message_is_linked_on_the_page_that_shows_it(
    reader: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "TURNS_PER_PAGE", 1)
    first = ask(reader, "the needle")
    wait_for_end(reader, first["answer"])
    for number in range(2):
        say(reader, f"turn {number}", conversation=first["conversation"])
    page = reader.get("/chat/search?q=needle").text
    link = re.search(r'href="(/chat/[\w-]+\?before=[\w-]+)#([aq]-[\w-]+)"', page)
    assert link
    assert f'id="{link[2]}"' in reader.get(link[1]).text


def test_no_more_than_a_page_is_shown(reader: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SEARCH_RESULTS", 2)
    chats = [say(reader, f"needle {number}") for number in range(3)]
    assert found(reader, "needle") == [chats[2], chats[1]]
    assert "only the newest are shown" in reader.get("/chat/search?q=needle").text


def test_only_the_newest_messages_are_searched(reader: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    post(reader, f"/chat/{say(reader, 'an old needle')}/rename", title="Sewing")
    say(reader, "hay")
    monkeypatch.setattr(rules, "SEARCH_MESSAGES", 2)
    assert found(reader, "needle") == []
    monkeypatch.setattr(rules, "SEARCH_MESSAGES", 4)
    assert len(found(reader, "needle")) == 1


@pytest.mark.parametrize("query", ["", "   ", "\x00", "%", "a" * 5000, "z " * 500, "(", "\U0001f600"])
def test_any_query_is_answered(reader: PageClient, query: str) -> None:
    assert found(reader, query) == []


def test_is_held_to_a_limit() -> None:
    from webapp.web.limits import COUNTED_WHEN_READ, LIMITS

    assert "chat_search" in COUNTED_WHEN_READ
    assert LIMITS["chat_search"].by == "user"
