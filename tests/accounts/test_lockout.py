"""Tries to sign in are limited, by account and by address; nobody can lock the owner out (D1 to D3, D6)."""

from __future__ import annotations

import datetime as dt
import re
import threading

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.database.statements import statements_of
from tests.letters import codes_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_user, sign_in
from webapp.accounts import service as accounts
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.models import Throttle
from webapp.identity.rules import THROTTLES, Realm, ThrottleKind

FREE = THROTTLES[ThrottleKind.ACCOUNT].free
START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def try_in(client: PageClient, login: str, password: str = "not this one", address: str = "198.51.100.9"):
    data = {"login": login, "password": password}
    return client.submit("/login", data, environ_overrides={"REMOTE_ADDR": address})


def lock(app: Flask, login: str) -> None:
    for turn in range(FREE):
        assert try_in(app.test_client(), login, address=f"198.51.100.{turn}").status_code == 422  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "login", ["lin.yue", "LIN.YUE", "lin.yue@example.com", "nobody", "nobody@example.com"]
)
def test_account_waits_twice_as_long_each_time_whether_it_exists_or_not(
    app: Flask, user: Person, login: str
) -> None:
    client = app.test_client()
    with time_machine.travel(START, tick=False) as clock:
        lock(app, login)
        for seconds in (30, 60, 120, 240, 480, 900, 900):
            refused = try_in(client, login, PASSWORD)  # type: ignore[arg-type]
            assert refused.status_code == 429
            assert "Too many tries" in refused.text
            assert refused.headers["Retry-After"] == str(seconds + 1)
            clock.shift(seconds)
            assert try_in(client, login).status_code == 422  # type: ignore[arg-type]


def test_refusals_look_the_same_for_known_and_unknown_names(app: Flask, user: Person) -> None:
    """C1: status, body, headers and cookies."""
    seen = []
    for login in (user.username, "somebody"):
        client = app.test_client()
        answers = [try_in(client, login) for _turn in range(FREE + 1)]  # type: ignore[arg-type]
        seen.append(
            [
                (
                    each.status_code,
                    re.sub(r'name="csrf_token"[^>]+', "", each.text).replace(login, ""),
                    sorted(name for name, _value in each.headers),
                    [cookie.partition("=")[0] for cookie in each.headers.getlist("Set-Cookie")],
                )
                for each in answers
            ]
        )
    assert seen[0] == seen[1]


def test_refusals_take_the_same_steps_for_known_suspended_and_unknown_names(
    app: Flask, user: Person, other: Person
) -> None:
    """C2: the same statements in the same order; one hash is computed in each case."""
    with app.app_context():
        accounts.suspend(accounts.get_user(other.public_id), actor=audit.SYSTEM)
    client = app.test_client()
    try_in(client, "warming up")  # type: ignore[arg-type]
    cases = ((user.username, "not this one"), (other.username, PASSWORD), ("somebody", PASSWORD))
    seen = [statements_of(app, lambda case=case: try_in(client, *case)) for case in cases]  # type: ignore[misc]
    assert len(seen[0]) > 5
    assert seen[0] == seen[1] == seen[2]


def test_right_password_after_the_wait_starts_the_count_anew(app: Flask, user: Person) -> None:
    with time_machine.travel(START, tick=False) as clock:
        lock(app, user.username)
        clock.shift(31)
        client = app.test_client()
        assert try_in(client, user.username, PASSWORD).status_code == 303  # type: ignore[arg-type]
        with app.app_context():
            assert not identity.is_locked(Realm.USER, user.id)
        lock(app, user.username)


def test_owner_s_device_is_not_locked_out_and_has_a_limit_of_its_own(app: Flask, user: Person) -> None:
    known = sign_in(app, user)
    known.submit("/logout", page="/profile")
    lock(app, user.username)
    assert try_in(app.test_client(), user.username, PASSWORD).status_code == 429  # type: ignore[arg-type]
    assert try_in(known, user.username, PASSWORD).status_code == 303
    known.submit("/logout", page="/profile")
    told = [try_in(known, user.username).status_code for _turn in range(11)]
    assert told == [422] * 10 + [429]


def test_somebody_else_s_device_is_no_way_round(app: Flask, user: Person, other: Person) -> None:
    foreign = sign_in(app, other)
    foreign.submit("/logout", page="/profile")
    lock(app, user.username)
    assert try_in(foreign, user.username, PASSWORD).status_code == 429


def test_invented_device_cookie_is_no_way_round_and_is_not_taken_over(
    app: Flask, client: PageClient, user: Person
) -> None:
    client.set_cookie("device", "x" * 43)
    lock(app, user.username)
    assert try_in(client, user.username, PASSWORD).status_code == 429
    with app.app_context():
        identity.lift_lockouts_of(Realm.USER, user.id)
        db.session.commit()
    assert try_in(client, user.username, PASSWORD).status_code == 303
    cookie = client.get_cookie("device")
    assert cookie is not None
    assert cookie.value != "x" * 43
    assert cookie.http_only


def test_live_session_and_reset_by_mail_stay_open(app: Flask, signed_in: PageClient, user: Person) -> None:
    lock(app, user.username)
    assert signed_in.get("/profile").status_code == 200
    client: PageClient = app.test_client()  # type: ignore[assignment]
    client.submit("/password/forgot", {"email": user.email})
    data = {"email": user.email, "code": codes_to(app, user.email)[0], "password": "another quiet evening"}
    assert client.submit("/password/reset", data).status_code == 303
    assert try_in(client, user.username, "another quiet evening").status_code == 303


def test_address_is_limited_over_all_names(app: Flask, user: Person) -> None:
    free = THROTTLES[ThrottleKind.ADDRESS].free
    for turn in range(free):
        assert try_in(app.test_client(), f"name{turn}").status_code == 422  # type: ignore[arg-type]
    assert try_in(app.test_client(), user.username, PASSWORD).status_code == 429  # type: ignore[arg-type]
    elsewhere = try_in(app.test_client(), user.username, PASSWORD, address="203.0.113.5")  # type: ignore[arg-type]
    assert elsewhere.status_code == 303


def test_account_of_one_s_own_does_not_wash_an_address_clean(app: Flask, user: Person, other: Person) -> None:
    free = THROTTLES[ThrottleKind.ADDRESS].free
    for turn in range(free - 1):
        try_in(app.test_client(), f"name{turn}")  # type: ignore[arg-type]
    assert try_in(app.test_client(), other.username, PASSWORD).status_code == 303  # type: ignore[arg-type]
    assert try_in(app.test_client(), "one-more").status_code == 422  # type: ignore[arg-type]
    assert try_in(app.test_client(), user.username, PASSWORD).status_code == 429  # type: ignore[arg-type]


def test_network_of_ipv6_counts_as_one_address(app: Flask) -> None:
    for turn in range(THROTTLES[ThrottleKind.ADDRESS].free):
        try_in(app.test_client(), f"name{turn}", address=f"2001:db8::{turn:x}")  # type: ignore[arg-type]
    assert try_in(app.test_client(), "x", address="2001:db8::ffff").status_code == 429  # type: ignore[arg-type]
    assert try_in(app.test_client(), "x", address="2001:db8:0:1::1").status_code == 422  # type: ignore[arg-type]


def test_administrators_see_it_and_can_lift_it(app: Flask, user: Person) -> None:
    lock(app, user.username)
    with app.app_context():
        (row,) = identity.lockouts(Realm.USER)
        assert (row.subject_id, row.kind, row.failures) == (user.id, "account", FREE)
        assert identity.is_locked(Realm.USER, user.id)
        accounts.unlock(accounts.get_user(user.public_id), actor=audit.SYSTEM)
        events = set(db.session.scalars(select(AuditEntry.event)))
    assert {Event.USER_LOCKED, Event.USER_UNLOCKED} <= events
    assert try_in(app.test_client(), user.username, PASSWORD).status_code == 303  # type: ignore[arg-type]


def test_typed_names_are_not_kept(app: Flask) -> None:
    """What is typed as a name may be a password."""
    try_in(app.test_client(), "my secret password")  # type: ignore[arg-type]
    with app.app_context():
        rows = db.session.scalars(select(Throttle)).all()
        assert rows
        assert "my secret password" not in repr([vars(row) for row in rows])
        stored = [
            (each.before, each.after, each.target_name) for each in db.session.scalars(select(AuditEntry))
        ]
        assert "my secret password" not in repr(stored)


def test_tries_at_once_cannot_slip_past(each_app: Flask) -> None:
    """The tries of many requests are counted before the passwords are looked at, on both databases."""
    add_user(each_app, "lin.yue", "Lin Yue")
    told: list[str] = []

    def attempt() -> None:
        with each_app.test_request_context():
            try:
                client = identity.Client("", "198.51.100.9")
                accounts.log_in(login="lin.yue", password="not this one", keep=False, client=client)
            except AppError as error:
                told.append(error.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=attempt) for _turn in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(told) == ["login_refused"] * FREE + ["too_many_tries"] * (12 - FREE)
