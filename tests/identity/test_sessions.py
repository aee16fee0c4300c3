"""Login sessions: the row decides, not the cookie."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import PASSWORD, Person, sign_in
from webapp.accounts.models import User
from webapp.config import Settings
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity import sessions
from webapp.identity.models import LoginSession

IDLE = dt.timedelta(hours=12)
ABSOLUTE = dt.timedelta(days=3)


@pytest.fixture
def settings(instance) -> Settings:
    return make_settings(
        instance,
        session_idle_minutes=int(IDLE.total_seconds() // 60),
        session_absolute_minutes=int(ABSOLUTE.total_seconds() // 60),
    )


def is_in(client: PageClient) -> bool:
    return client.get("/profile").status_code == 200


def rows(app: Flask) -> list[LoginSession]:
    with app.app_context():
        return list(db.session.scalars(select(LoginSession).order_by(LoginSession.id)))


def change(app: Flask, statement: str) -> None:
    with app.app_context():
        db.session.execute(text(statement))
        db.session.commit()


def sign_in_for_long(app: Flask, person: Person) -> PageClient:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    client.submit("/login", {"login": person.username, "password": PASSWORD, "keep": "y"})
    return client


def test_row_tells_device_and_address_but_not_the_token(app: Flask, user: Person) -> None:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    agent = "Mozilla/5.0 " + "x" * 400
    client.submit("/login", {"login": user.username, "password": PASSWORD}, headers={"User-Agent": agent})
    (row,) = rows(app)
    assert row.user_agent == agent[:300]
    assert row.address == "127.0.0.1"
    with client.session_transaction() as session:
        assert len(session["_user_id"]) >= 43, "256 random bits"
        assert row.token_hash != session["_user_id"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM login_sessions",
        "UPDATE login_sessions SET revoked_at = '2026-01-01 00:00:00'",
        "UPDATE login_sessions SET expires_at = '2026-01-01 00:00:00'",
        "UPDATE login_sessions SET realm = 'admin'",
        "UPDATE login_sessions SET subject_id = 4711",
        "UPDATE users SET state = 'suspended'",
    ],
)
def test_what_the_row_says_holds_at_once(app: Flask, signed_in: PageClient, statement: str) -> None:
    assert is_in(signed_in)
    change(app, statement)
    assert not is_in(signed_in)


@pytest.mark.parametrize("planted", ["", "1", "x" * 43])
def test_cookie_without_a_row_is_nobody(client: PageClient, user: Person, planted: str) -> None:
    with client.session_transaction() as session:
        session["_user_id"] = planted
    assert not is_in(client)


def test_session_without_keeping_ends_after_a_day(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        client = sign_in(app, user)
        for _turn in range(23):
            clock.shift(dt.timedelta(hours=1))
            assert is_in(client)
        clock.shift(dt.timedelta(hours=1, minutes=1))
        assert not is_in(client)


def test_session_ends_after_a_time_without_use(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        client = sign_in_for_long(app, user)
        for _turn in range(3):
            clock.shift(IDLE - dt.timedelta(minutes=2))
            assert is_in(client), "use puts the end off"
        clock.shift(IDLE + dt.timedelta(minutes=2))
        assert not is_in(client)


def test_session_ends_in_any_case_after_its_longest_time(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        client = sign_in_for_long(app, user)
        for _turn in range(8):
            clock.shift(dt.timedelta(hours=9))
            still = is_in(client)
        assert not still


def test_use_is_noted_once_a_minute(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        client = sign_in(app, user)
        first = rows(app)[0].last_seen_at
        clock.shift(50)
        client.get("/profile")
        assert rows(app)[0].last_seen_at == first
        clock.shift(20)
        client.get("/profile")
        assert rows(app)[0].last_seen_at == first + dt.timedelta(seconds=70)


def test_clock_set_back_gives_nobody_more_than_that_step(app: Flask, user: Person) -> None:
    start = dt.datetime.now(dt.UTC)
    with time_machine.travel(start, tick=False) as clock:
        client = sign_in_for_long(app, user)
        clock.move_to(start - dt.timedelta(days=1))
        sign_in_for_long(app, user)
        clock.move_to(start + ABSOLUTE + dt.timedelta(minutes=1))
        assert not is_in(client)
        with app.app_context():
            assert identity.live_among({row.id for row in rows(app)}) == set()


def test_streams_can_ask_which_sessions_still_hold(app: Flask, user: Person, other: Person) -> None:
    for person in (user, other):
        sign_in(app, person)
    mine, theirs = (row.id for row in rows(app))
    with app.app_context():
        assert identity.live_among({mine, theirs, 4711}) == {mine, theirs}
        assert identity.live_among(set()) == set()
        identity.end_session(mine)
        assert identity.live_among({mine, theirs}) == {theirs}
    with app.app_context():
        db.session.get_one(User, other.id).state = "suspended"
        db.session.commit()
    with app.app_context():
        assert identity.live_among({mine, theirs}) == set()


def test_sessions_that_ended_long_ago_are_erased(app: Flask, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        sign_in(app, user)
        clock.shift(dt.timedelta(days=20))
        with app.app_context():
            sessions.purge()
        assert len(rows(app)) == 1
        clock.shift(dt.timedelta(days=20))
        with app.app_context():
            sessions.purge()
        assert rows(app) == []


@pytest.mark.parametrize("path", ["/profile", "/profile/password", "/chat", "/login"])
def test_pages_of_a_person_are_kept_nowhere(signed_in: PageClient, path: str) -> None:
    assert "no-store" in signed_in.get(path).headers["Cache-Control"]
