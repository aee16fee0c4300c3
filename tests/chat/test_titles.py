"""The title of a chat: asked of the model after the first answer, in the background, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.chat.provider import FakeProvider, fake_provider
from tests.chat.waiting import ask, post, wait_for_end
from tests.conftest import make_settings
from tests.pages import PageClient
from tests.processes import wait_for
from webapp.chat.live.titles import title_in
from webapp.chat.models import Conversation
from webapp.config import Settings
from webapp.database import db
from webapp.llm.models import UsageEntry

MODELS = {
    "short": "short?tokens=5",
    "long": "long?tokens=15",
    "endless": "endless?tokens=200",
    "chinese": "chinese?tokens=12&text=cjk",
    "late": "late?tokens=4&first=1",
    "thinking": "thinking?tokens=3&reasoning=4",
}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture
def settings(instance: Path, provider: FakeProvider) -> Settings:
    return make_settings(
        instance,
        **provider.settings,
        openai_compatible_models=tuple(
            f"{model}&key={instance.parent.name}{name}" for name, model in MODELS.items()
        ),
    )


@pytest.fixture
def model(settings: Settings) -> dict[str, str]:
    """The names of the models; each test has models of its own, because the provider counts their calls."""
    return dict(zip(MODELS, settings.openai_compatible_models, strict=True))


def key_of(model: str) -> str:
    return model.partition("key=")[2]


def titled(app: Flask) -> UsageEntry:
    """Wait until a title was asked for, and return what the ledger says of it."""

    def look() -> UsageEntry | None:
        with app.app_context():
            return db.session.scalar(select(UsageEntry).where(UsageEntry.source.like("title:%")))

    return wait_for(look)


def title(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(select(Conversation.title)).one()


def wish_of(call: dict[str, Any]) -> str:
    return str(call["body"]["messages"][0]["content"])


def test_the_model_that_answered_is_asked_once(
    app: Flask, signed_in: PageClient, provider: FakeProvider, model: dict[str, str]
) -> None:
    sent = ask(signed_in, "Which words are there?", model["short"])
    assert sent["title"] == "Which words are there?"
    wait_for_end(signed_in, sent["answer"])
    entry = titled(app)
    assert (entry.model, entry.ending, entry.completion_tokens) == (model["short"], "complete", 5)
    assert title(app) == "word0 word1 word2 word3 word4"
    assert "word0 word1 word2 word3 word4" in signed_in.get("/chat/conversations?fragment=1").text
    answered, named = provider.calls(key_of(model["short"]))
    assert wish_of(answered) == "Which words are there?"
    assert "Write a title of at most six words" in wish_of(named)
    assert "Which words are there?" in wish_of(named)
    assert "word4" in wish_of(named)
    assert named["body"]["max_tokens"] <= 64
    second = ask(signed_in, "And more?", model["short"], conversation=sent["conversation"])
    wait_for_end(signed_in, second["answer"])
    assert len(provider.calls(key_of(model["short"]))) == 3, "only the first exchange gives a title"


def test_a_title_is_short(app: Flask, signed_in: PageClient, model: dict[str, str]) -> None:
    ask(signed_in, "Hello", model["long"])
    titled(app)
    assert title(app).startswith("word0 word1")
    assert title(app).endswith("…")
    assert len(title(app)) <= 40


def test_it_is_asked_for_in_the_language_of_the_exchange(
    app: Flask, signed_in: PageClient, provider: FakeProvider, model: dict[str, str]
) -> None:
    ask(signed_in, "这里有哪些词？请都写出来。", model["chinese"])
    titled(app)
    assert "起一个标题" in wish_of(provider.calls(key_of(model["chinese"]))[1])
    assert title(app) == "模型说：你好，世界！𠮷野"


def test_what_is_no_title_leaves_the_question(
    app: Flask, signed_in: PageClient, model: dict[str, str]
) -> None:
    ask(signed_in, "Tell me everything", model["endless"])
    entry = titled(app)
    assert entry.completion_tokens > 0
    assert title(app) == "Tell me everything"


def test_the_person_s_own_title_stands(
    app: Flask, signed_in: PageClient, provider: FakeProvider, model: dict[str, str]
) -> None:
    sent = ask(signed_in, "Hello", model["late"])
    provider.wait_for_calls(key_of(model["late"]), 2)
    assert post(signed_in, f"/chat/{sent['conversation']}/rename", title="Mine").status_code == 200
    titled(app)
    assert title(app) == "Mine"


def test_thoughts_are_no_title(app: Flask, signed_in: PageClient, model: dict[str, str]) -> None:
    ask(signed_in, "Hello", model["thinking"])
    titled(app)
    assert title(app) == "word0 word1 word2"


def test_an_edited_first_question_names_the_chat_again(
    app: Flask, signed_in: PageClient, model: dict[str, str]
) -> None:
    sent = ask(signed_in, "Hello", "scripted-echo")
    wait_for_end(signed_in, sent["answer"])
    address = f"/chat/messages/{sent['question']}/edit"
    fresh = post(signed_in, address, text="Something else", model="scripted-echo").json["data"]
    assert title(app) == "Something else"
    wait_for_end(signed_in, fresh["answer"])


def test_demonstration_models_are_not_asked(app: Flask, signed_in: PageClient, model: dict[str, str]) -> None:
    first = ask(signed_in, "Repeat this", "scripted-echo")
    wait_for_end(signed_in, first["answer"])
    ask(signed_in, "Hello", model["short"])
    assert titled(app).model == model["short"]
    with app.app_context():
        titles = db.session.scalars(select(Conversation.title).order_by(Conversation.id)).all()
        assert titles[0] == "Repeat this"
        asked = select(UsageEntry).where(UsageEntry.source.like("title:%"))
        assert len(db.session.scalars(asked).all()) == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Locks in SQLite", "Locks in SQLite"),
        ('"Locks in SQLite."', "Locks in SQLite"),
        ("**Title: Locks in SQLite**\nIt is about …", "Locks in SQLite"),
        ("标题：《数据库的锁》。", "数据库的锁"),
        ("# Locks\tin\x00 SQLite", "Locks in SQLite"),
        ("<think>What is this about?</think>\n\nLocks", "Locks"),
        ("<think>What is this about", ""),
        ("  \n ", ""),
        ("a\ud83d", "a\ufffd"),
    ],
)
def test_what_models_put_around_a_title_is_taken_off(written: str, expected: str) -> None:
    assert title_in(written) == expected
