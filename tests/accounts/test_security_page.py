"""One's own security: second step, devices, history, address."""

from __future__ import annotations

import datetime as dt
import re

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from tests.letters import codes_to, letters_to, notices_to, wrong_code
from tests.pages import PageClient
from tests.people import PASSWORD, Person, sign_in
from webapp.accounts.models import User
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity.models import LoginSession
from webapp.identity.rules import Realm

PAGE = "/profile/security"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def clock():
    """The time, standing still."""
    with time_machine.travel(dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC), tick=False) as traveller:
        yield traveller


def act(client: PageClient, path: str, **data: str):
    return client.submit(PAGE + path, data, page=PAGE)


def sign_in_with(app: Flask, person: Person, agent: str) -> PageClient:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    data = {"login": person.username, "password": PASSWORD}
    assert client.submit("/login", data, headers={"User-Agent": agent}).status_code == 303
    return client


def key_on(page: str) -> str:
    found = re.search(r'<code class="key">([^<]+)</code>', page)
    assert found
    return found[1].replace(" ", "")


def turn_on(client: PageClient) -> tuple[pyotp.TOTP, list[str]]:
    act(client, "/two-step/offer")
    totp = pyotp.TOTP(key_on(client.get(PAGE).text))
    page = act(client, "/two-step/on", code=totp.now())
    assert page.status_code == 200, page.text
    return totp, re.findall(r"<li><code>([^<]+)</code></li>", page.text)


def test_two_step_sign_in_is_turned_on_with_square_key_and_code(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    assert 'class="qr"' not in signed_in.get(PAGE).text
    act(signed_in, "/two-step/offer")
    page = signed_in.get(PAGE).text
    assert 'class="qr-dark"' in page
    secret = key_on(page)
    assert key_on(signed_in.get(PAGE).text) == secret, "looking changes nothing"
    with app.app_context():
        assert not identity.second_factor_is_on(Realm.USER, user.id)
    totp, codes = pyotp.TOTP(secret), []
    page = act(signed_in, "/two-step/on", code=totp.now()).text
    codes = re.findall(r"<li><code>([^<]+)</code></li>", page)
    assert len(codes) == 10
    assert notices_to(app, user.email) == ["two_step_on"]
    page = signed_in.get(PAGE).text
    assert "10 recovery codes left" in page
    assert codes[0] not in page
    assert secret not in page.replace(" ", "")


def test_wrong_code_stands_beside_its_field_and_turns_nothing_on(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    act(signed_in, "/two-step/offer")
    refused = act(
        signed_in, "/two-step/on", code=wrong_code(pyotp.TOTP(key_on(signed_in.get(PAGE).text)).now())
    )
    assert refused.status_code == 422
    assert 'id="code-error"' in refused.text
    assert 'class="qr-dark"' in refused.text
    assert notices_to(app, user.email) == []


def test_setting_up_can_be_given_up(signed_in: PageClient) -> None:
    act(signed_in, "/two-step/offer")
    act(signed_in, "/two-step/cancel")
    assert 'class="qr"' not in signed_in.get(PAGE).text


def test_turning_off_and_new_codes_need_a_fresh_proof(
    app: Flask, clock, signed_in: PageClient, user: Person
) -> None:
    totp, codes = turn_on(signed_in)
    clock.shift(700)
    for path in ("/two-step/off", "/recovery-codes"):
        response = act(signed_in, path)
        assert response.location.startswith("/confirm?next=")
    with app.app_context():
        assert identity.second_factor_is_on(Realm.USER, user.id)
    assert signed_in.submit("/confirm", {"proof": totp.now()}).status_code == 303
    fresh = re.findall(r"<li><code>([^<]+)</code></li>", act(signed_in, "/recovery-codes").text)
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)
    act(signed_in, "/two-step/off")
    assert "Set up" in signed_in.get(PAGE).text
    assert notices_to(app, user.email)[-1] == "two_step_off"


def test_devices_are_named_and_this_one_is_marked(app: Flask, user: Person) -> None:
    sign_in_with(app, user, IPHONE)
    client = sign_in_with(app, user, FIREFOX)
    page = client.get(PAGE).text
    assert "Safari on iPhone" in page
    assert "Firefox on Linux" in page
    assert page.count("This device") == 1
    assert "Sign out all others" in page


def test_one_device_is_signed_out(app: Flask, user: Person, signed_in: PageClient) -> None:
    elsewhere = sign_in(app, user)
    with app.app_context():
        session_id = db.session.scalars(
            select(LoginSession.public_id).order_by(LoginSession.id.desc())
        ).first()
    assert act(signed_in, f"/devices/{session_id}/end").status_code == 303
    assert elsewhere.get("/profile").status_code == 302
    assert signed_in.get("/profile").status_code == 200
    assert act(signed_in, f"/devices/{session_id}/end").status_code == 404


def test_somebody_else_s_device_cannot_be_signed_out(
    app: Flask, signed_in: PageClient, other: Person
) -> None:
    theirs = sign_in(app, other)
    with app.app_context():
        query = select(LoginSession.public_id).where(LoginSession.subject_id == other.id)
        session_id = db.session.scalars(query).one()
    assert act(signed_in, f"/devices/{session_id}/end").status_code == 404
    assert theirs.get("/profile").status_code == 200


def test_all_others_are_signed_out(app: Flask, user: Person, signed_in: PageClient) -> None:
    others = [sign_in(app, user) for _turn in range(2)]
    assert act(signed_in, "/devices/end-others").status_code == 303
    assert "2 other devices are signed out." in signed_in.get(PAGE).text
    assert [each.get("/profile").status_code for each in others] == [302, 302]


def test_history_tells_of_failures_too(app: Flask, user: Person, signed_in: PageClient) -> None:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    client.submit(
        "/login", {"login": user.username, "password": "not this one"}, headers={"User-Agent": IPHONE}
    )
    page = signed_in.get(PAGE).text
    assert "Wrong password" in page
    assert page.index("Wrong password") < page.rindex("Signed in")


NEW = "lin.new@example.com"


def test_address_is_changed_with_a_code_to_the_new_one_and_word_to_the_old(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    elsewhere = sign_in(app, user)
    act(signed_in, "/address", email=NEW)
    assert NEW in signed_in.get(PAGE).text
    (code,) = codes_to(app, NEW)
    response = act(signed_in, "/address/confirm", **{"address-code": code})
    assert response.status_code == 303
    with app.app_context():
        row = db.session.get_one(User, user.id)
        assert (row.email, row.email_canonical, row.pending_email) == (NEW, NEW, None)
    assert elsewhere.get("/profile").status_code == 302
    assert signed_in.get("/profile").status_code == 200
    assert notices_to(app, user.email) == ["new_device", "email_changed"]
    assert notices_to(app, NEW) == ["email_confirmed"]


def test_old_address_can_object_and_the_intruder_is_out(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    act(signed_in, "/address", email=NEW)
    act(signed_in, "/address/confirm", **{"address-code": codes_to(app, NEW)[0]})
    turn_on(signed_in)
    link = letters_to(app, user.email)[-1]["link"].removeprefix("http://localhost")
    owner: PageClient = app.test_client()  # type: ignore[assignment]
    assert signed_in.get("/profile").status_code == 200
    assert owner.get(link).status_code == 200
    assert signed_in.get("/profile").status_code == 200, "looking at the page changes nothing"
    reset = owner.submit(link).location
    assert signed_in.get("/profile").status_code == 302
    assert owner.get(link).status_code == 404
    owner.submit(reset, {"password": "another quiet evening"})
    with app.app_context():
        assert db.session.get_one(User, user.id).email == user.email
    data = {"login": user.email, "password": "another quiet evening"}
    assert owner.submit("/login", data).location == "/chat", "the second step of the intruder is gone"


def test_taken_address_tells_nothing(app: Flask, signed_in: PageClient, user: Person, other: Person) -> None:
    pages = []
    with time_machine.travel(dt.datetime.now(dt.UTC)) as traveller:
        for address in (NEW, other.email):
            response = act(signed_in, "/address", email=address)
            page = signed_in.get(PAGE).text
            pages.append((response.status_code, response.location, _bare(page).replace(address, "")))
            traveller.shift(61)
    assert pages[0] == pages[1]
    assert codes_to(app, other.email) == []


def _bare(page: str) -> str:
    return re.sub(r'name="csrf_token"[^>]+|<time[^>]*>[^<]*</time>', "", page)


def test_code_of_an_address_is_bound_to_who_asked(
    app: Flask, signed_in: PageClient, other_signed_in: PageClient, other: Person
) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC)) as traveller:
        act(signed_in, "/address", email=NEW)
        stolen = codes_to(app, NEW)[0]
        with app.app_context():
            db.session.get_one(User, other.id).pending_email = NEW
            db.session.commit()
        traveller.shift(1)
        refused = act(other_signed_in, "/address/confirm", **{"address-code": stolen})
    assert refused.status_code == 422


def test_same_address_and_no_address_are_refused(signed_in: PageClient, user: Person) -> None:
    for address in (user.email.upper(), "nonsense", ""):
        response = act(signed_in, "/address", email=address)
        assert response.status_code == 422
        assert 'id="email-error"' in response.text


def test_wrong_code_keeps_the_address(app: Flask, signed_in: PageClient, user: Person) -> None:
    act(signed_in, "/address", email=NEW)
    response = act(signed_in, "/address/confirm", **{"address-code": wrong_code(codes_to(app, NEW)[0])})
    assert response.status_code == 422
    assert "4 tries left" in response.text
    act(signed_in, "/address/cancel")
    assert NEW not in signed_in.get(PAGE).text


def test_disowning_a_sign_in_ends_all_access(app: Flask, signed_in: PageClient, user: Person) -> None:
    thief = sign_in(app, user)
    link = letters_to(app, user.email)[-1]["link"].removeprefix("http://localhost")
    owner: PageClient = app.test_client()  # type: ignore[assignment]
    assert owner.get(link).status_code == 200
    assert thief.get("/profile").status_code == 200, "looking at the page changes nothing"
    reset = owner.submit(link).location
    assert thief.get("/profile").status_code == 302
    assert signed_in.get("/profile").status_code == 302
    assert owner.submit("/login", {"login": user.username, "password": PASSWORD}).status_code == 422
    assert owner.get(link).status_code == 404, "it works once"
    assert owner.submit(reset, {"password": "another quiet evening"}).status_code == 303
    assert owner.get(reset).status_code == 404
    data = {"login": user.username, "password": "another quiet evening"}
    assert owner.submit("/login", data).status_code == 303


def test_disown_link_expires(app: Flask, signed_in: PageClient, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC)) as traveller:
        sign_in(app, user)
        link = letters_to(app, user.email)[-1]["link"].removeprefix("http://localhost")
        traveller.shift(dt.timedelta(days=7, minutes=1))
        assert app.test_client().get(link).status_code == 404
