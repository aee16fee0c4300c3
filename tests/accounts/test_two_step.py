"""Signing in with a second step: nothing of the session exists before it."""

from __future__ import annotations

import datetime as dt

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.letters import notices_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person, sign_in
from webapp.accounts import service as accounts
from webapp.audit import service as audit
from webapp.database import db, write_transaction
from webapp.identity import service as identity
from webapp.identity.models import LoginSession
from webapp.identity.rules import Realm

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock():
    """The time, standing still."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def secret(app: Flask, user: Person, clock: time_machine.Traveller) -> tuple[pyotp.TOTP, list[str]]:
    """Lin Yue's authenticator app and recovery codes."""
    with app.test_request_context():
        totp = pyotp.TOTP(identity.offer_totp(Realm.USER, user.id))
        codes = write_transaction(identity.turn_totp_on)(Realm.USER, user.id, totp.now())
    clock.shift(30)
    return totp, codes


def first_step(client: PageClient, user: Person, **more: str):
    return client.submit("/login", {"login": user.username, "password": PASSWORD, **more})


def second_step(client: PageClient, code: str, **more: str):
    return client.submit("/login/code", {"code": code, **more})


def wrong(totp: pyotp.TOTP) -> str:
    now = dt.datetime.now(dt.UTC)
    near = {totp.at(now + dt.timedelta(seconds=30 * each)) for each in range(-3, 4)}
    return next(code for code in (f"{n:06d}" for n in range(20)) if code not in near)


def test_password_alone_begins_no_session(app: Flask, client: PageClient, user: Person, secret) -> None:
    response = first_step(client, user, next="/profile")
    assert response.location == "/login/code?next=/profile"
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0
    assert client.get("/profile").status_code == 302
    assert client.get_cookie("device") is None
    with client.session_transaction() as session:
        assert set(session) <= {"csrf_token", "second_step", "_fresh"}
        assert not session.get("_fresh")


def test_code_of_the_app_signs_in_and_leads_on(client: PageClient, user: Person, secret) -> None:
    first_step(client, user, keep="y")
    response = second_step(client, secret[0].now(), next="/profile")
    assert response.location == "/profile"
    assert client.get("/profile").status_code == 200
    assert any("Expires=" in each for each in response.headers.getlist("Set-Cookie") if "session=" in each)


def test_recovery_code_signs_in_once_and_the_owner_is_told(
    app: Flask, client: PageClient, user: Person, secret
) -> None:
    first_step(client, user)
    assert "Use a recovery code" in client.get("/login/code").text
    assert 'autocomplete="off"' in client.get("/login/code?recovery=1").text
    assert second_step(client, secret[1][0]).status_code == 303
    assert notices_to(app, user.email) == ["recovery_code_used"]
    again: PageClient = app.test_client()  # type: ignore[assignment]
    first_step(again, user)
    assert second_step(again, secret[1][0]).status_code == 422


def test_code_works_once(app: Flask, client: PageClient, user: Person, secret) -> None:
    first_step(client, user)
    code = secret[0].now()
    assert second_step(client, code).status_code == 303
    again: PageClient = app.test_client()  # type: ignore[assignment]
    first_step(again, user)
    assert second_step(again, code).status_code == 422


def test_wrong_codes_are_told_recorded_and_limited(
    app: Flask, client: PageClient, user: Person, secret, clock: time_machine.Traveller
) -> None:
    first_step(client, user)
    for _turn in range(5):
        refused = second_step(client, wrong(secret[0]))
        assert refused.status_code == 422
        assert "That code is not right" in refused.text
    assert second_step(client, secret[0].now()).status_code == 429
    assert second_step(client, secret[1][0]).status_code == 303, "a recovery code is never locked out"
    with app.app_context():
        outcomes = [each.outcome for each in identity.sign_in_history(Realm.USER, user.id)]
    assert outcomes == ["ok"] + ["wrong_code"] * 5


def test_somebody_with_the_password_cannot_keep_the_owner_out(
    app: Flask, user: Person, secret, clock
) -> None:
    owner: PageClient = app.test_client()  # type: ignore[assignment]
    first_step(owner, user)
    second_step(owner, secret[0].now())
    owner.submit("/logout", page="/profile")
    thief: PageClient = app.test_client()  # type: ignore[assignment]
    first_step(thief, user)
    for _turn in range(5):
        second_step(thief, wrong(secret[0]))
    assert second_step(thief, wrong(secret[0])).status_code == 429
    clock.shift(30)
    first_step(owner, user)
    assert second_step(owner, secret[0].now()).status_code == 303


def test_second_step_alone_leads_back_to_the_first(client: PageClient, user: Person, secret) -> None:
    assert client.get("/login/code").location == "/login"
    client.get("/login")
    with client.session_transaction() as session:
        session["second_step"] = "x" * 43
    assert client.get("/login/code").location == "/login"


def test_second_step_ends_after_ten_minutes(client: PageClient, user: Person, secret, clock) -> None:
    first_step(client, user)
    token = client.csrf_token("/login/code")
    clock.shift(601)
    response = client.post("/login/code", data={"csrf_token": token, "code": secret[0].now()})
    assert response.location == "/login"


@pytest.mark.parametrize("change", ["password", "suspended"])
def test_second_step_ends_with_what_the_first_one_proved(
    app: Flask, client: PageClient, user: Person, secret, change: str
) -> None:
    first_step(client, user)
    token = client.csrf_token("/login/code")
    with app.test_request_context():
        row = accounts.get_user(user.public_id)
        if change == "suspended":
            accounts.suspend(row, actor=audit.SYSTEM)
        else:
            accounts.change_password(row, current=PASSWORD, new="another quiet evening", session_id=None)
    response = client.post("/login/code", data={"csrf_token": token, "code": secret[0].now()})
    assert response.location == "/login"
    assert client.get("/profile").status_code == 302


def test_token_of_the_second_step_works_once(
    app: Flask, client: PageClient, user: Person, secret, clock
) -> None:
    first_step(client, user)
    with client.session_transaction() as session:
        token = session["second_step"]
    second_step(client, secret[0].now())
    clock.shift(30)
    thief: PageClient = app.test_client()  # type: ignore[assignment]
    thief.get("/login")
    with thief.session_transaction() as session:
        session["second_step"] = token
    assert thief.get("/login/code").location == "/login"


def test_wrong_password_tells_nothing_of_the_second_step(client: PageClient, user: Person, secret) -> None:
    response = client.submit("/login", {"login": user.username, "password": "not this one"})
    assert response.status_code == 422
    assert "That name and password do not match." in response.text


def test_new_device_is_told_by_mail_and_a_known_one_is_not(app: Flask, user: Person) -> None:
    first = sign_in(app, user)
    assert notices_to(app, user.email) == [], "there was no other device before the first one"
    first.submit("/logout", page="/profile")
    first.submit("/login", {"login": user.username, "password": PASSWORD})
    assert notices_to(app, user.email) == []
    sign_in(app, user)
    assert notices_to(app, user.email) == ["new_device"]
