"""Hints through a real Redis: what one process tells, another hears; and what a line does without an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.announcements.test_announcements import FIELDS, SHOWN
from tests.chat.rows import live_answer
from tests.chat.waiting import ask, post, wait_for_end, wait_for_text
from tests.conftest import make_settings, running
from tests.faults.stores import PrivateRedis, private_redis
from tests.people import Person, add_admin, add_user, sign_in, sign_in_admin
from tests.processes import wait_for
from webapp import bus
from webapp.announcements import showing
from webapp.audit import service as audit
from webapp.bus import Hints, Line
from webapp.chat import rules as chat_rules
from webapp.chat.live import runtime as live
from webapp.chat.live.feed import Reader
from webapp.chat.models import Generation, Message
from webapp.config import current_settings
from webapp.database import after_commit, db, write_transaction
from webapp.identity import service as identity
from webapp.identity.models import LoginSession
from webapp.identity.rules import Realm
from webapp.settings import overlay
from webapp.settings import service as settings_service

pytestmark = pytest.mark.redis


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PrivateRedis]:
    with private_redis(tmp_path) as server:
        server.start()
        yield server


@pytest.fixture
def listening(store: PrivateRedis) -> Iterator[Callable[..., tuple[Hints, list[str]]]]:
    """Make another process's hints, and the list of what it has heard about the topic `news`."""
    made: list[Hints] = []

    def make(secret: str = "the same") -> tuple[Hints, list[str]]:
        hints, heard = Hints(Line(store.url, secret)), []
        hints.on("news", heard.append)
        made.append(hints)
        hints.start()
        return hints, heard

    yield make
    for each in made:
        each.stop()


@contextmanager
def process(instance: Path, store: PrivateRedis) -> Iterator[Flask]:
    """An application beside others on the same database, with its hints started."""
    making = running(make_settings(instance, redis_url=store.url))
    app = next(making)
    bus.start(app)
    yield app
    bus.stop(app)
    next(making, None)


@pytest.fixture
def here(instance: Path, store: PrivateRedis) -> Iterator[Flask]:
    with process(instance, store) as app:
        yield app


@pytest.fixture
def there(instance: Path, store: PrivateRedis) -> Iterator[Flask]:
    with process(instance, store) as app:
        yield app


def test_what_is_told_is_heard_by_everybody_of_the_deployment(listening: Callable[..., tuple]) -> None:
    first, heard_first = listening()
    _, heard_second = listening()
    _, heard_elsewhere = listening("another deployment on the same Redis")
    wait_for(lambda: heard_first == heard_second == heard_elsewhere == [""])
    first.tell("news", "red")
    first.tell("nobody listens to this")
    Hints(first._line).tell("news", "of a process that is not started")
    wait_for(lambda: len(heard_first) == len(heard_second) == 3)
    assert heard_first == heard_second
    assert "red" in heard_first
    assert heard_elsewhere == [""]


def test_after_an_outage_everybody_looks_by_himself(
    store: PrivateRedis, listening: Callable[..., tuple]
) -> None:
    hints, heard = listening()
    wait_for(lambda: heard == [""])
    store.kill()
    wait_for(lambda: not hints._line.up)
    hints.tell("news", "nobody hears this")
    store.start()
    wait_for(lambda: heard == ["", ""])
    wait_for(lambda: hints._line.up)
    hints.tell("news", "again")
    wait_for(lambda: heard == ["", "", "again"])


def test_a_line_that_is_frozen_lets_go_while_it_is_frozen(store: PrivateRedis) -> None:
    """FT-16: no call waits for the end of an outage, and only some of them wait at all."""
    line = Line(store.url, "x")
    assert line.call(lambda client: client.ping())
    store.freeze()
    asked: list[None] = []
    for _ in range(2_000):
        assert line.call(lambda client: asked.append(None) or client.ping()) is None
    assert len(asked) < 20, "most calls were not even tried"
    assert not line.up
    store.thaw()
    wait_for(lambda: line.call(lambda client: client.ping()))
    assert line.up


def test_a_full_redis_counts_as_away(store: PrivateRedis) -> None:
    line = Line(store.url, "x")
    assert line.probe()
    store.command("CONFIG", "SET", "maxmemory", 1)
    assert not line.probe()
    assert line.error == "OutOfMemoryError"
    store.command("CONFIG", "SET", "maxmemory", 0)
    assert line.probe()
    store.command("REPLICAOF", "127.0.0.1", store.port)
    assert not line.probe()
    assert line.error == "ReadOnlyError"


def test_a_setting_is_seen_in_another_process_at_once(
    here: Flask, there: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay, "CHECK_SECONDS", 3_600)
    with there.app_context():
        assert current_settings().site_name == "Agent Tools"
    with here.app_context():
        settings_service.change(audit.SYSTEM, {"site_name": "Werkzeuge"})
    with there.app_context():
        wait_for(lambda: current_settings().site_name == "Werkzeuge")


def test_an_announcement_is_shown_by_another_process_at_once(
    here: Flask, there: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "KEPT_SECONDS", 3_600)
    author = sign_in_admin(here, add_admin(here, "mei.chen"))
    visitor = there.test_client()
    assert SHOWN not in visitor.get("/login").text
    assert author.submit("/admin/announcements/new", FIELDS).status_code == 303
    wait_for(lambda: SHOWN in visitor.get("/login").text)


def test_text_reaches_another_process_at_once(
    here: Flask, there: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The follower would look again after an hour."""
    monkeypatch.setattr(chat_rules, "FOLLOW_SECONDS", 3_600.0)
    user = add_user(here, "lin.yue", "Lin Yue")
    writer, follower = here.extensions["chat"], there.extensions["chat"]
    writer.start()
    _, answer = live_answer(here, user, writer, text="One ")
    with there.app_context():
        feed = follower.feed(
            db.session.get_one(Generation, answer.generation_id),
            db.session.get_one(Message, answer.message_id),
        )
    feed.join(Reader(None, user.id), None)
    for word in ("two ", "three ", "four"):
        writer.journal.add(answer, word, "")
        wait_for(lambda word=word: feed.text.endswith(word))


def test_a_stop_and_a_sign_out_reach_another_process_at_once(
    here: Flask, there: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look again after an hour."""
    monkeypatch.setattr(live, "STOP_CHECK_SECONDS", 3_600.0)
    monkeypatch.setattr(live, "REVOCATION_SECONDS", 3_600.0)
    user = add_user(here, "lin.yue", "Lin Yue")
    asking, stopping = sign_in(here, user), sign_in(there, user)
    sent = ask(asking, model="scripted-stall")
    wait_for_text(asking, sent["answer"])
    writer = here.extensions["chat"]
    wait_for(lambda: len(writer._due) == 7)
    assert post(stopping, f"/chat/answers/{sent['answer']}/stop").status_code == 200
    assert wait_for_end(asking, sent["answer"]) == "stopped"
    reader = Reader(session_of(here, user), user.id)
    writer.readers.add(reader)
    with there.app_context():
        sign_out(user.id)
    wait_for(lambda: reader.revoked)


def session_of(app: Flask, user: Person) -> int:
    with app.app_context():
        return db.session.scalars(select(LoginSession.id).where(LoginSession.subject_id == user.id)).first()


@write_transaction
def sign_out(user_id: int) -> None:
    identity.end_all_sessions(Realm.USER, user_id)


def test_what_is_to_follow_a_commit_follows_no_rollback(app: Flask) -> None:
    done: list[str] = []

    @write_transaction
    def act(*, fails: bool) -> None:
        after_commit(lambda: done.append("x"))
        assert not done, "not before the commit"
        if fails:
            raise ValueError("rolled back")

    with app.app_context():
        with pytest.raises(ValueError, match="rolled back"):
            act(fails=True)
        assert not done
        act(fails=False)
        assert done == ["x"]
        after_commit(lambda: done.append("outside"))
        assert done == ["x", "outside"]
