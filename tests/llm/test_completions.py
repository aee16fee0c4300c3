"""Answers for programs: read as they come, ended with their reader, and in the ledger whatever happens."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.fakes.answers import text_of
from tests.fakes.running import FakeUpstream
from tests.llm.adapters import new_key
from tests.people import Person, add_user
from webapp.config import Settings
from webapp.database import db
from webapp.errors import AppError, Invalid, NotFound, TooMany, Unavailable
from webapp.lib import clock
from webapp.llm import completions
from webapp.llm import service as llm
from webapp.llm.completions import Completion
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.models import RunningCall, UsageEntry
from webapp.llm.rules import ChatMessage, ChatRequest


@pytest.fixture
def settings(instance: Path, upstream: FakeUpstream) -> Settings:
    """Settings with the fake as an OpenAI-compatible provider of a few orders."""
    return make_settings(
        instance,
        openai_compatible_base_url=upstream.openai_url,
        openai_compatible_models=tuple(ORDERS.values()),
        llm_outbound_allow_hosts=(upstream.host,),
        max_streams_per_user=2,
        model_prices=(f"{ORDERS['whole']}=2/4",),
    )


KEY = new_key()
ORDERS = {
    "whole": "fake?tokens=20",
    "slow": f"fake?tokens=1000&rate=50&key={KEY}",
    "stall": "fake?mode=stall&after=3",
    "cut": "fake?mode=cut&after=3",
    "auth": "fake?status=401",
    "silent": "fake?tokens=4&usage=0",
}


def begin(app: Flask, person: Person, model: str, **more: object) -> Completion:
    request = ChatRequest(ORDERS.get(model, model), (ChatMessage("user", "Hello"),), **more)  # type: ignore[arg-type]
    with app.app_context():
        return completions.complete(person.id, request)


def read(completion: Completion) -> str:
    text = ""
    try:
        for deltas in completion:
            text += "".join(delta.text for delta in deltas)
    finally:
        completion.close()
    return text


def ledger(app: Flask) -> list[tuple[object, ...]]:
    """Return the entries, after all calls have become one."""
    with app.app_context():
        assert db.session.scalars(select(RunningCall)).all() == []
        rows = db.session.scalars(select(UsageEntry).order_by(UsageEntry.id))
        return [(r.ending, r.prompt_tokens, r.completion_tokens, r.estimated, r.cost_micros) for r in rows]


def test_a_whole_answer_and_its_entry(app: Flask, user: Person) -> None:
    completion = begin(app, user, "whole")
    assert read(completion) == text_of("words", 20)
    completion.close()
    assert completion.finish_reason == "stop"
    assert ledger(app) == [("complete", 7, 20, False, 7 * 2 + 20 * 4)]


def test_what_the_provider_does_not_tell_is_estimated(app: Flask, user: Person) -> None:
    text = read(begin(app, user, "silent"))
    assert ledger(app) == [("complete", 2, -(-len(text) // 4), True, None)]


def test_a_reader_who_leaves_closes_the_connection(app: Flask, user: Person, upstream: FakeUpstream) -> None:
    completion = begin(app, user, "slow")
    for _ in completion:
        break
    completion.close()
    upstream.wait_until(lambda: upstream.ended(KEY) == {"left": 1})
    ((ending, _, written, estimated, _),) = ledger(app)
    assert (ending, estimated) == ("stopped", True)
    assert written > 0


def test_an_abort_from_elsewhere(app: Flask, user: Person) -> None:
    completion = begin(app, user, "stall")
    threading.Timer(0.3, completion.abort).start()
    with pytest.raises(Aborted):
        read(completion)
    assert ledger(app)[0][0] == "stopped"


@pytest.mark.parametrize(("model", "ending"), [("cut", "interrupted"), ("auth", "failed")])
def test_a_provider_that_fails(app: Flask, user: Person, model: str, ending: str) -> None:
    with pytest.raises(ProviderError):
        read(begin(app, user, model))
    assert ledger(app)[0][0] == ending


def test_a_person_s_answers_are_counted_together(app: Flask, user: Person, other: Person) -> None:
    first, second = begin(app, user, "stall"), begin(app, user, "stall")
    with pytest.raises(TooMany) as refusal:
        begin(app, user, "whole")
    assert refusal.value.retry_after_seconds
    begin(app, other, "whole").close()
    first.close()
    begin(app, user, "whole").close()
    second.close()
    assert [row[0] for row in ledger(app)] == ["stopped"] * 4


def test_of_calls_at_the_same_moment_none_is_overlooked(each_app: Flask, user_of_each: Person) -> None:
    begun: list[Completion] = []
    refused: list[AppError] = []

    def call() -> None:
        try:
            begun.append(begin(each_app, user_of_each, "stall"))
        except AppError as error:
            refused.append(error)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(refused)) == (2, 10)
    assert {type(error) for error in refused} == {TooMany}
    for each in begun:
        each.close()


@pytest.fixture
def user_of_each(each_app: Flask) -> Person:
    """Somebody on either database."""
    return add_user(each_app, "lin.yue", "Lin Yue")


@pytest.mark.parametrize(
    ("model", "more", "error", "field"),
    [
        ("nonsense", {}, NotFound, "model"),
        ("scripted-echo", {"options": {"tools": []}}, Invalid, "tools"),
        (
            "scripted-echo",
            {"options": {"response_format": {"type": "json_object"}}},
            Invalid,
            "response_format",
        ),
    ],
)
def test_what_cannot_be_asked(
    app: Flask, user: Person, model: str, more: dict[str, object], error: type[AppError], field: str
) -> None:
    with app.test_request_context(), pytest.raises(error) as refusal:
        begin(app, user, model, **more)
    assert refusal.value.field == field
    assert ledger(app) == []


def test_the_call_of_a_process_that_is_gone(app: Flask, user: Person) -> None:
    """Its lease has to be seen to have run out twice: after an outage the process may be about to renew it."""
    with app.app_context():
        row = RunningCall(
            source="call:lost",
            user_id=user.id,
            model=ORDERS["whole"],
            process="elsewhere/1/abcd",
            prompt_tokens=9,
            lease_until=clock.utc_now() - dt.timedelta(seconds=1),
        )
        db.session.add(row)
        db.session.commit()
        own = begin(app, user, "stall")
        llm.calls().keep()
        assert db.session.scalar(select(UsageEntry)) is None
        llm.calls().keep()
        own.close()
    assert ledger(app) == [("interrupted", 9, 0, True, 18), ("stopped", 2, 0, True, None)]


def test_an_entry_waits_for_a_database_that_is_away(app: Flask, user: Person, settings: Settings) -> None:
    completion = begin(app, user, "whole")
    file = settings.instance_path / "agent-tools.db"
    with app.app_context():
        db.session.execute(db.text("DROP TABLE usage_entries"))
        db.session.commit()
        read(completion)
        llm.calls().keep()
        assert db.session.scalar(select(RunningCall.source)) is not None, (
            "the row stays until there is an entry"
        )
        UsageEntry.__table__.create(db.engine)  # type: ignore[attr-defined]
        llm.calls().keep()
    assert file.exists()
    assert ledger(app)[0][0] == "complete"


def test_a_process_that_goes_down_ends_what_runs(app: Flask, user: Person) -> None:
    completion = begin(app, user, "stall")
    seen: list[str] = []

    def reader() -> None:
        try:
            read(completion)
        except Aborted:
            seen.append("aborted")

    thread = threading.Thread(target=reader)
    thread.start()
    app.extensions["draining"] = True
    with app.test_request_context(), pytest.raises(Unavailable):
        begin(app, user, "whole")
    with app.app_context():
        llm.calls().finish(0.2)
    thread.join()
    assert seen == ["aborted"]
    assert ledger(app)[0][0] == "interrupted"
