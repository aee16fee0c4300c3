"""The journal: what it commits is whole and in order, whatever the database and the threads do."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, text

from tests.chat.rows import another_process, live_answer
from tests.chat.waiting import ask, post, source, wait_for_end, wait_for_text
from tests.pages import PageClient
from tests.people import Person, add_user, sign_in
from tests.processes import wait_for
from webapp.chat.live import journal as journals
from webapp.chat.live.endings import Ending
from webapp.chat.live.feed import Feed
from webapp.chat.live.journal import Journal, LiveAnswer
from webapp.chat.live.runtime import Runtime, runtime
from webapp.chat.models import AnswerSegment, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db, engine
from webapp.llm.models import UsageEntry
from webapp.llm.providers.scripted import SHOWCASE
from webapp.llm.rules import Usage


def ending(state: AnswerState = AnswerState.COMPLETE) -> Ending:
    return Ending(state, Usage(1, 1))


def stored(app: Flask, answer: LiveAnswer) -> tuple[str, str]:
    with app.app_context():
        return (
            db.session.get_one(Message, answer.message_id).text,
            db.session.get_one(Generation, answer.generation_id).state,
        )


@pytest.fixture
def writer(app: Flask) -> Iterator[Runtime]:
    with another_process(app) as other:
        yield other


def end(writer: Runtime, answer: LiveAnswer) -> None:
    writer.journal.end(answer, ending())
    assert answer.finished.wait(60)


def test_halves_of_a_character_are_joined_across_ticks(app: Flask, user: Person, writer: Runtime) -> None:
    """A model's tokens may end inside of an emoji, and JSON carries the halves."""
    _, answer = live_answer(app, user, writer)
    writer.journal.add(answer, "a\ud83d", "so\ud83d")
    wait_for(lambda: answer.feed.text == "a")
    writer.journal.add(answer, "\ude00b", "\ude00me")
    wait_for(lambda: answer.feed.text == "a😀b")
    end(writer, answer)
    assert stored(app, answer) == ("a😀b", "complete")
    assert answer.feed.reasoning == "so😀me"


def test_a_half_character_does_not_hold_up_the_others(app: Flask, user: Person, writer: Runtime) -> None:
    _, broken = live_answer(app, user, writer, text="x\udc00y\ud83d")
    _, whole = live_answer(app, user, writer, text="fine")
    end(writer, whole)
    end(writer, broken)
    assert stored(app, whole) == ("fine", "complete")
    assert stored(app, broken) == ("x\ufffdy\ufffd", "complete")


def test_an_end_that_comes_during_a_commit_overwrites_nothing(app: Flask, user: Person) -> None:
    """The end is taken with the tick that has its text, not with the one that is being committed."""
    other = Runtime(app)
    _, answer = live_answer(app, user, other, text="all of it")
    tick = other.journal._take_tick()
    other.journal.end(answer, ending())
    other.journal.tick += 1
    other.journal._commit_for_certain(tick)
    other.journal._publish(tick)
    assert stored(app, answer) == ("", "streaming")
    other.journal.close()
    other.journal.run()
    assert stored(app, answer) == ("all of it", "complete")


def test_a_row_is_bounded_and_what_is_left_follows(
    app: Flask, user: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a long outage there is more than one statement may hold."""
    monkeypatch.setattr(journals, "ROW_CHARACTERS", 10)
    other = Runtime(app)
    answers = [live_answer(app, user, other, text=f"answer number {n}")[1] for n in range(5)]
    for answer in answers:
        other.journal.end(answer, ending())
    other.journal.close()
    other.journal.run()
    assert [stored(app, each)[0] for each in answers] == [f"answer number {n}" for n in range(5)]
    with app.app_context():
        rows = db.session.scalars(
            select(AnswerSegment.entries).where(AnswerSegment.process == other.process)
        ).all()
        assert len(rows) == 5


def test_a_fault_in_one_answer_is_that_answer_s_alone(app: Flask, user: Person, writer: Runtime) -> None:
    class Broken(Feed):
        def add_text(self, chunk: str) -> None:
            raise LookupError(chunk)

    _, broken = live_answer(app, user, writer)
    broken.feed = Broken()
    writer.journal.add(broken, "lost", "")
    _, whole = live_answer(app, user, writer, text="fine")
    end(writer, whole)
    assert stored(app, whole) == ("fine", "complete")


def test_a_lost_outcome_is_not_written_twice(app: Flask, user: Person) -> None:
    """The commit succeeded, but its connection broke before that was known: the same batch is tried again."""
    other = Runtime(app)
    _, answer = live_answer(app, user, other, text="once")

    class Lossy(Journal):
        attempts = 0

        def _commit(self, *arguments: object) -> None:
            super()._commit(*arguments)  # type: ignore[arg-type]
            self.attempts += 1
            raise ConnectionResetError

    lossy = Lossy(app, other.process, check_leases=lambda: None, on_end=lambda _: None)
    lossy.add(answer, "", "")
    lossy.end(answer, ending())
    lossy.close()
    lossy.run()
    assert lossy.attempts == 1
    assert stored(app, answer) == ("once", "complete")
    with app.app_context():
        assert len(db.session.scalars(select(AnswerSegment)).all()) == 1


def test_keys_that_are_given_out_again_do_not_stop_the_journal(app: Flask, signed_in: PageClient) -> None:
    """SQLite gives the key of a deleted last row to the next one; the ledger outlives what it counts."""
    first = ask(signed_in)
    wait_for_end(signed_in, first["answer"])
    with app.app_context():
        key = db.session.scalars(select(Generation.id)).one()
        db.session.execute(delete(Message))
        db.session.commit()
        assert not db.session.scalars(select(Generation)).all()
    second = ask(signed_in, "Again")
    assert wait_for_end(signed_in, second["answer"]) == "complete"
    with app.app_context():
        assert db.session.scalars(select(Generation.id)).one() == key
        assert len(db.session.scalars(select(UsageEntry)).all()) == 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite gives up waiting for a lock much sooner, as if the lock lasted much longer."""
    monkeypatch.setattr(engine, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)


def test_a_locked_database_loses_nothing(impatient: None, app: Flask, instance: Path, user: Person) -> None:
    """FT-15: another program holds the file's lock, again and again, for longer than anybody waits."""
    browser = sign_in(app, user)
    sent = ask(browser, model="scripted-markdown")
    wait_for_text(browser, sent["answer"])
    failures = 0
    with app.app_context():
        answer = next(iter(runtime().producers.values())).answer
    other = sqlite3.connect(instance / "agent-tools.db", isolation_level=None, timeout=30)
    while not answer.finished.is_set():
        other.execute("BEGIN IMMEDIATE")
        before = answer.feed.text
        wait_for(lambda: answer.text or answer.finished.is_set())
        time.sleep(0.3)
        failures += answer.feed.text == before
        other.execute("ROLLBACK")
        wait_for(lambda: answer.feed.text != before or answer.finished.is_set())  # noqa: B023
    other.close()
    assert failures > 2
    assert wait_for_end(browser, sent["answer"]) == "complete"
    assert source(browser, sent["answer"]) == SHOWCASE


@pytest.mark.mariadb
def test_killed_connections_lose_nothing(mariadb_migrated: str, settings: object) -> None:
    """FT-13: the server ends every connection again and again while an answer is written."""
    from tests.conftest import running

    for app in running(settings.model_copy(update={"database_url": mariadb_migrated})):  # type: ignore[attr-defined]
        browser = sign_in(app, add_user(app, "lin.yue", "Lin Yue"))
        sent = ask(browser, model="scripted-markdown")
        with app.app_context():
            answer = next(iter(runtime().producers.values())).answer
            killed = kill_connections(app, answer)
        assert killed > 5
        assert wait_for_end(browser, sent["answer"]) == "complete"
        assert source(browser, sent["answer"]) == SHOWCASE


def kill_connections(app: Flask, answer: LiveAnswer) -> int:
    """End all connections of the application until the answer is finished; return how many."""
    import sqlalchemy as sa

    own = sa.create_engine(db.engine.url, isolation_level="AUTOCOMMIT")
    killed = 0
    with own.connect() as connection:
        me = connection.scalar(text("SELECT CONNECTION_ID()"))
        name = db.engine.url.database
        query = text("SELECT id FROM information_schema.processlist WHERE db = :name AND id <> :me")
        while not answer.finished.wait(0.2):
            for each in connection.scalars(query, {"name": name, "me": me}).all():
                try:
                    connection.execute(text(f"KILL {each}"))
                except sa.exc.OperationalError:
                    continue  # it had ended by itself
                killed += 1
    own.dispose()
    return killed


def test_parallel_writers_and_readers_are_never_in_each_other_s_way(
    app: Flask, user: Person, writer: Runtime
) -> None:
    """Producers add from threads of their own while the loop takes: nothing is doubled, nothing is lost."""
    answers = [live_answer(app, user, writer)[1] for _ in range(8)]

    def produce(answer: LiveAnswer) -> None:
        for number in range(200):
            writer.journal.add(answer, f"{number} ", "")
        writer.journal.end(answer, ending())

    threads = [threading.Thread(target=produce, args=(answer,)) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        assert answer.finished.wait(60)
        assert stored(app, answer) == ("".join(f"{number} " for number in range(200)), "complete")


def test_stopping_while_the_database_is_locked_is_told_when_it_is_back(
    impatient: None, app: Flask, instance: Path, user: Person
) -> None:
    browser = sign_in(app, user)
    sent = ask(browser, model="scripted-stall")
    wait_for_text(browser, sent["answer"])
    with sqlite3.connect(instance / "agent-tools.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = post(browser, f"/chat/answers/{sent['answer']}/stop")
        other.execute("ROLLBACK")
    other.close()
    assert refused.status_code == 503, refused.text
    assert post(browser, f"/chat/answers/{sent['answer']}/stop").status_code == 200
    assert wait_for_end(browser, sent["answer"]) == "stopped"
