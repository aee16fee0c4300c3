"""Several processes on one database: following, taking over, and never both at once; in one process, for speed."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.chat.reading import Page
from tests.chat.rows import another_process, live_answer
from tests.chat.waiting import ask, post, source, state_of, wait_for_end, wait_for_text
from tests.people import Person, add_user, sign_in
from tests.processes import wait_for
from webapp.chat import jobs
from webapp.chat.live import recovery
from webapp.chat.live.endings import Ending
from webapp.chat.live.feed import Feed, Reader
from webapp.chat.live.journal import LiveAnswer
from webapp.chat.live.position import parse
from webapp.chat.live.runtime import Runtime, runtime
from webapp.chat.models import AnswerSegment, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db, write_transaction
from webapp.lib import clock, markdown
from webapp.llm.models import UsageEntry
from webapp.llm.providers.scripted import SHOWCASE
from webapp.llm.rules import Usage


@pytest.fixture
def here(app: Flask) -> Runtime:
    with app.app_context():
        return runtime()


@pytest.fixture
def there(app: Flask) -> Iterator[Runtime]:
    """Another process, which writes."""
    with another_process(app) as other:
        yield other


def feed_of(runtime: Runtime, answer: LiveAnswer) -> Feed:
    """Return what readers in the process follow."""
    with runtime.app.app_context():
        generation = db.session.get_one(Generation, answer.generation_id)
        return runtime.feed(generation, db.session.get_one(Message, answer.message_id))


def finish(writer: Runtime, answer: LiveAnswer, state: AnswerState = AnswerState.COMPLETE) -> None:
    writer.journal.end(answer, Ending(state, Usage(1, 1)))
    assert answer.finished.wait(60)


def read_on(reader: Reader, feed: Feed, page: Page) -> None:
    """Take what there is, once there is something."""
    reader.bell.wait()
    reader.bell.clear()
    page.take(feed.since(reader))


def test_a_follower_shows_what_the_writer_commits(
    app: Flask, user: Person, here: Runtime, there: Runtime
) -> None:
    _, answer = live_answer(app, user, there, text="One ")
    feed, page, reader = feed_of(here, answer), Page(), Reader(None, user.id)
    assert feed is not answer.feed
    page.take(feed.join(reader, None))
    there.journal.add_wait(answer, 3)
    there.journal.add(answer, "two", "because")
    wait_for(lambda: feed.text == "One two" and feed.reasoning == "because")
    finish(there, answer)
    while page.state == "streaming":
        read_on(reader, feed, page)
    assert page.html == markdown.render("One two")
    assert page.reasoning == "because"
    assert "waiting" in page.names


def test_all_who_come_at_once_follow_the_same(
    app: Flask, user: Person, here: Runtime, there: Runtime
) -> None:
    """Each loads the answer by itself; only one of these feeds is kept up to date."""
    for _ in range(10):
        _, answer = live_answer(app, user, there, text="x")
        found: list[Feed] = []
        together = threading.Barrier(12)

        def come(answer: LiveAnswer = answer, found: list[Feed] = found) -> None:
            together.wait()  # noqa: B023
            found.append(feed_of(here, answer))

        threads = [threading.Thread(target=come) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 12
        assert len({id(feed) for feed in found}) == 1


def test_a_thousand_reconnects_show_every_character_once(
    app: Flask, user: Person, here: Runtime, there: Runtime
) -> None:
    """FT-09: readers of both processes break off at random and come back, to either of them."""
    rng = random.Random(20261124)
    answers = [live_answer(app, user, there)[1] for _ in range(8)]
    pages = [(answer, Page()) for answer in answers for _ in range(5)]
    reconnects: list[None] = []

    def produce(answer: LiveAnswer) -> None:
        mine = random.Random(answer.generation_id)
        rest = SHOWCASE * 2
        while rest or len(reconnects) < 1_000:
            rest = rest or SHOWCASE
            cut = mine.randint(1, 60)
            there.journal.add(answer, rest[:cut], "")
            rest = rest[cut:]
            threading.Event().wait(0.01)
        there.journal.end(answer, Ending(AnswerState.COMPLETE, Usage(1, 1)))

    def follow(answer: LiveAnswer, page: Page, seed: float) -> None:
        mine = random.Random(seed)
        while page.state == "streaming":
            feed = answer.feed if mine.random() < 0.5 else feed_of(here, answer)
            reader = Reader(None, user.id)
            page.take(feed.join(reader, parse(page.id)))
            for _ in range(mine.randint(0, 3)):
                if not reader.position.ended:
                    read_on(reader, feed, page)
            feed.leave(reader)
            reconnects.append(None)

    threads = [threading.Thread(target=produce, args=(answer,)) for answer in answers]
    threads += [threading.Thread(target=follow, args=(*each, rng.random())) for each in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(reconnects) >= 1_000
    for answer, page in pages:
        with app.app_context():
            stored = db.session.get_one(Message, answer.message_id).text
        assert (page.state, page.tail) == ("complete", "")
        assert page.html == markdown.render(stored)


def test_a_feed_that_was_given_up_is_found_anew(
    app: Flask, user: Person, there: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody asked for the answer, then took so long to read it that it was dropped."""
    public_id, answer = live_answer(app, user, there, text="so far")
    browser = sign_in(app, user)
    with app.app_context():
        here = runtime()
    old = feed_of(here, answer)
    assert old.retire()
    here._followed.clear()
    finish(there, answer)
    page = Page()
    page.take(browser.get(f"/chat/answers/{public_id}/events").data)
    assert page.html == markdown.render("so far")


def test_nobody_s_answers_are_not_followed_for_ever(
    app: Flask, user: Person, here: Runtime, there: Runtime
) -> None:
    _, answer = live_answer(app, user, there, text="x")
    feed, reader = feed_of(here, answer), Reader(None, user.id)
    feed.join(reader, None)
    assert here._followed
    feed.leave(reader)
    wait_for(lambda: not here._followed)


def test_an_answer_without_its_process_is_taken_over_only_when_seen_lost_twice(each_app: Flask) -> None:
    """FT-11, by the lease alone: the process may be on another machine."""
    user = add_user(each_app, "lin.yue", "Lin Yue")
    with another_process(each_app) as there:
        _, answer = live_answer(each_app, user, there, text=" and more", base="What was")
        wait_for(lambda: answer.feed.text)
        there.journal.add(answer, "", "")
    with each_app.app_context():
        look = recovery.Recovery("third/1/x")
        assert look.run(set()) == 0
        rename(answer, "elsewhere/1/abcdef")
        assert look.run(set()) == 0
        expire(answer)
        assert look.run(set()) == 0
        assert look.run(set()) == 1
        assert look.run(set()) == 0
        generation = db.session.get_one(Generation, answer.generation_id)
        assert (generation.state, generation.error_kind) == ("interrupted", "worker_lost")
        assert db.session.get_one(Message, answer.message_id).text == "What was and more"
        entry = db.session.scalars(select(UsageEntry)).one()
        assert (entry.ending, entry.estimated) == ("interrupted", True)


def test_the_scheduled_task_finds_a_lost_answer(app: Flask, user: Person, there: Runtime) -> None:
    _, answer = live_answer(app, user, there, text="x")
    find = next(job for name, job, _seconds in jobs.JOBS if name == "recover_answers")
    with app.app_context():
        rename(answer, "elsewhere/1/abcdef")
        expire(answer)
        assert [find(), find(), find()] == [0, 1, 0]
        assert db.session.get_one(Generation, answer.generation_id).state == "interrupted"


def test_a_lease_that_was_renewed_meanwhile_is_left_alone(app: Flask, user: Person, there: Runtime) -> None:
    _, answer = live_answer(app, user, there, text="x")
    with app.app_context():
        expire(answer)
        look = recovery.Recovery("third/1/x")
        look.run(set())
        there._leases.renew([answer.generation_id])
        assert look.run(set()) == 0
        assert not recovery.interrupt(answer.generation_id, {}, surely_dead=False)
        assert look.run(set()) == 0


def test_an_own_answer_that_nobody_writes_is_found_too(app: Flask, user: Person, here: Runtime) -> None:
    """It was stored, but its thread never started: the machine had no room, or the commit's outcome was lost."""
    _, answer = live_answer(app, user, here)
    with app.app_context():
        here._renew_leases()
        expire(answer)
        here._recover()
        here._recover()
        assert db.session.get_one(Generation, answer.generation_id).state == "interrupted"


def test_what_is_being_written_is_renewed_and_never_taken_over(app: Flask, user: Person) -> None:
    browser = sign_in(app, user)
    sent = ask(browser, model="scripted-stall")
    wait_for_text(browser, sent["answer"])
    with app.app_context():
        here = runtime()
        answer = next(iter(here.producers.values())).answer
        expire(answer)
        here._recover()
        here._recover()
        assert state_of(browser, sent["answer"]) == "streaming"
        here._renew_leases()
        assert db.session.get_one(Generation, answer.generation_id).lease_until > clock.utc_now()


def test_a_process_that_slept_shows_nothing_of_what_was_taken_from_it(app: Flask, user: Person) -> None:
    """It was stopped for longer than its lease; what it still gets is not stored, so it must not be shown."""
    browser = sign_in(app, user)
    sent = ask(browser, model="scripted-slow")
    wait_for_text(browser, sent["answer"])
    with app.app_context():
        here = runtime()
        producer = next(iter(here.producers.values()))
        here._leases._renewed_at -= 3_600
        expire(producer.answer)
        assert recovery.interrupt(producer.answer.generation_id, {}, surely_dead=False)
        assert producer.answer.finished.wait(60)
        assert producer.halted
        kept = source(browser, sent["answer"])
        assert kept.startswith(producer.answer.feed.text)
        assert producer.answer.feed.state is AnswerState.INTERRUPTED
        wait_for(lambda: not here.producers)
    assert state_of(browser, sent["answer"]) == "interrupted"
    assert post(browser, f"/chat/answers/{sent['answer']}/continue").status_code == 200
    post(browser, f"/chat/answers/{sent['answer']}/stop")
    assert wait_for_end(browser, sent["answer"]) == "stopped"


def test_an_answer_continued_at_once_is_not_let_go_with_its_first_part(app: Flask, user: Person) -> None:
    browser = sign_in(app, user)
    sent = ask(browser, model="scripted-stall")
    wait_for_text(browser, sent["answer"])
    with app.app_context():
        here = runtime()
        producer = next(iter(here.producers.values()))
        first = LiveAnswer(0, producer.answer.message_id, 0, user.id, "", Feed())
        here._forget(first)
        assert list(here.producers.values()) == [producer]
        here._forget(producer.answer)
        assert not here.producers
        producer.stop()


def test_segments_are_kept_while_anybody_needs_them(app: Flask, user: Person, there: Runtime) -> None:
    _, running = live_answer(app, user, there, text="x")
    wait_for(lambda: running.feed.text)
    with app.app_context():
        age_segments()
        recovery.prune_segments("third/1/x", 0)
        assert len(db.session.scalars(select(AnswerSegment)).all()) == 1
        finish(there, running)
        recovery.prune_segments("third/1/x", 0)
        assert len(db.session.scalars(select(AnswerSegment)).all()) == 1, "a reader elsewhere may lag behind"
        age_segments()
        recovery.prune_segments("third/1/x", 0)
        assert not db.session.scalars(select(AnswerSegment)).all()


@write_transaction
def expire(answer: LiveAnswer) -> None:
    db.session.get_one(Generation, answer.generation_id).lease_until = clock.utc_now() - dt.timedelta(
        seconds=1
    )


@write_transaction
def rename(answer: LiveAnswer, process: str) -> None:
    """Let another process have written the answer."""
    db.session.get_one(Generation, answer.generation_id).process = process
    for segment in db.session.scalars(select(AnswerSegment)):
        segment.process = process


@write_transaction
def age_segments() -> None:
    for segment in db.session.scalars(select(AnswerSegment)):
        segment.created_at -= dt.timedelta(hours=1)
