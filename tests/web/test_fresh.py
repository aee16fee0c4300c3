"""Dangerous acts need a fresh proof of who one is, in both realms (E8)."""

from __future__ import annotations

import datetime as dt

import pyotp
import pytest
import time_machine
from flask import Flask

from tests.pages import PageClient
from tests.people import PASSWORD, Person, sign_in, sign_in_admin
from webapp.database import write_transaction
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.guards import ANY_ADMIN, fresh, needs

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def app(app: Flask) -> Flask:
    """An application with something dangerous for each realm."""

    def danger() -> str:
        return "done"

    app.add_url_rule("/danger", "danger", fresh(danger), methods=["GET", "POST"])
    app.add_url_rule("/act", "act", fresh(danger), methods=["POST"])
    app.add_url_rule(
        "/admin/danger", "dashboard.danger", needs(ANY_ADMIN)(fresh(danger)), methods=["GET", "POST"]
    )
    return app


@pytest.fixture
def clock():
    """The time, standing still."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def test_signing_in_is_proof_for_ten_minutes(app: Flask, user: Person, clock) -> None:
    client = sign_in(app, user)
    clock.shift(599)
    assert client.get("/danger").text == "done"
    clock.shift(1)
    assert client.get("/danger?a=1").location == "/confirm?next=/danger?a%3D1"


def test_password_leads_back_and_the_session_gets_a_new_id(app: Flask, user: Person, clock) -> None:
    client = sign_in(app, user)
    clock.shift(700)
    with client.session_transaction() as session:
        old = session["_user_id"]
    location = client.get("/danger").location
    assert "Confirm first that it is you." in client.get(location).text
    assert client.submit(location, {"proof": PASSWORD, "next": "/danger"}).location == "/danger"
    assert client.get("/danger").text == "done"
    thief = app.test_client()
    with thief.session_transaction() as session:
        assert session.get("_user_id") != old
        session["_user_id"] = old
    assert thief.get("/profile").status_code == 302, "the id before is dead"


def test_what_was_sent_is_not_carried_out_and_the_person_is_told(app: Flask, user: Person, clock) -> None:
    client = sign_in(app, user)
    clock.shift(700)
    token = client.csrf_token("/profile")
    headers = {"Referer": "http://localhost/profile?tab=2"}
    response = client.post("/act", data={"csrf_token": token}, headers=headers)
    assert response.status_code == 303
    assert response.location == "/confirm?next=/profile?tab%3D2"
    assert "then press the button again" in client.get(response.location).text


@pytest.mark.parametrize(
    "referrer", ["https://evil.example/profile", "http://localhost/act", "http://localhost//evil", ""]
)
def test_foreign_and_unreadable_pages_are_not_led_back_to(
    app: Flask, user: Person, clock, referrer: str
) -> None:
    client = sign_in(app, user)
    clock.shift(700)
    token = client.csrf_token("/profile")
    response = client.post("/act", data={"csrf_token": token}, headers={"Referer": referrer})
    assert response.location == "/confirm?next=/"


def test_programs_are_told(app: Flask, user: Person, clock) -> None:
    client = sign_in(app, user)
    clock.shift(700)
    response = client.get("/danger", headers={"Accept": "application/json"})
    assert response.status_code == 403
    assert response.json is not None
    assert response.json["data"]["reason"] == "confirmation_needed"


def test_wrong_passwords_are_limited_for_this_session_alone(app: Flask, user: Person, clock) -> None:
    client, elsewhere = sign_in(app, user), sign_in(app, user)
    clock.shift(700)
    told = [client.submit("/confirm", {"proof": "not this one"}).status_code for _turn in range(6)]
    assert told == [422] * 5 + [429]
    assert elsewhere.submit("/confirm", {"proof": PASSWORD}).status_code == 303
    assert client.get("/profile").status_code == 200, "nobody is signed out by it"


def test_code_is_asked_for_where_two_step_sign_in_is_on(app: Flask, user: Person, clock) -> None:
    client = sign_in(app, user)
    with app.test_request_context():
        totp = pyotp.TOTP(identity.offer_totp(Realm.USER, user.id))
        codes = write_transaction(identity.turn_totp_on)(Realm.USER, user.id, totp.now())
    clock.shift(700)
    page = client.get("/confirm").text
    assert 'autocomplete="one-time-code"' in page
    assert 'type="password"' not in page
    assert client.submit("/confirm", {"proof": PASSWORD}).status_code == 422
    assert client.submit("/confirm", {"proof": totp.now()}).status_code == 303
    clock.shift(700)
    assert client.submit("/confirm?recovery=1", {"proof": codes[0]}).status_code == 303
    assert client.get("/danger").text == "done"


def test_administrators_confirm_in_their_own_realm(app: Flask, user: Person, admin: Person, clock) -> None:
    client: PageClient = sign_in_admin(app, admin)
    assert client.get("/admin/danger").text == "done"
    clock.shift(700)
    location = client.get("/admin/danger").location
    assert location == "/admin/confirm?next=/admin/danger"
    assert client.submit(location, {"proof": "not this one"}).status_code == 422
    assert client.submit(location, {"proof": PASSWORD, "next": "/admin/danger"}).location == "/admin/danger"
    assert client.get("/admin/danger").text == "done"


def test_fresh_user_is_no_fresh_administrator(app: Flask, user: Person, admin: Person, clock) -> None:
    client = sign_in_admin(app, admin)
    clock.shift(700)
    newcomer = sign_in(app, user)
    with newcomer.session_transaction() as session:
        token = session["_user_id"]
    with client.session_transaction() as session:
        session["_user_id"] = token
    assert client.get("/admin/danger").status_code == 303
