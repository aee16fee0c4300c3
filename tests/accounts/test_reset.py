"""A forgotten password."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from flask import Flask

from tests.letters import codes_to, letters_to, notices_to, wrong_code
from tests.pages import PageClient, read
from tests.people import PASSWORD, Person, sign_in
from webapp.accounts.models import User
from webapp.database import db

NEW = "another quiet evening"


def ask(client: PageClient, address: str):
    return client.submit("/password/forgot", {"email": address})


def reset(client: PageClient, address: str, code: str, password: str = NEW):
    return client.submit("/password/reset", {"email": address, "code": code, "password": password})


def test_new_password_by_mailed_code(app: Flask, client: PageClient, user: Person) -> None:
    assert ask(client, user.email).location == "/password/reset"
    page = client.get("/password/reset")
    assert f'value="{user.email}"' in page.text
    response = reset(client, user.email, codes_to(app, user.email)[0])
    assert response.location == "/login"
    assert "Your password is set" in client.get("/login").text
    assert client.submit("/login", {"login": user.username, "password": PASSWORD}).status_code == 422
    assert client.submit("/login", {"login": user.username, "password": NEW}).status_code == 303


def test_all_devices_are_signed_out_and_the_owner_is_told(
    app: Flask, client: PageClient, user: Person, signed_in: PageClient
) -> None:
    second = sign_in(app, user)
    ask(client, user.email)
    reset(client, user.email, codes_to(app, user.email)[0])
    assert signed_in.get("/profile").status_code == 302
    assert second.get("/profile").status_code == 302
    assert notices_to(app, user.email) == ["new_device", "password_reset"]


def test_mail_goes_to_the_address_of_the_account_only(app: Flask, client: PageClient, user: Person) -> None:
    ask(client, user.email.upper())
    assert len(codes_to(app, user.email)) == 1
    assert letters_to(app, user.email.upper()) == []


@pytest.mark.parametrize("typed", ["lín.yue@example.com", "lin.yue@example.com, thief@example.com"])
def test_look_alikes_and_lists_get_nothing(app: Flask, client: PageClient, user: Person, typed: str) -> None:
    assert ask(client, typed).status_code == 422
    for address in (user.email, typed, "thief@example.com"):
        assert letters_to(app, address) == []


def test_unknown_address_gets_no_mail(app: Flask, client: PageClient) -> None:
    assert ask(client, "nobody@example.com").location == "/password/reset"
    assert letters_to(app, "nobody@example.com") == []


def test_disabled_account_gets_no_mail_and_no_new_password(
    app: Flask, client: PageClient, user: Person
) -> None:
    ask(client, user.email)
    code = codes_to(app, user.email)[0]
    with app.app_context():
        db.session.get_one(User, user.id).state = "suspended"
        db.session.commit()
    response = reset(client, user.email, code)
    assert response.status_code == 422
    assert "That code is not right or no longer works" in response.text
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)):
        ask(client, user.email)
    assert len(codes_to(app, user.email)) == 1


def test_wrong_code_keeps_the_address_and_not_the_password(
    app: Flask, client: PageClient, user: Person
) -> None:
    ask(client, user.email)
    response = reset(client, user.email, wrong_code(codes_to(app, user.email)[0]))
    assert response.status_code == 422
    assert "4 tries left" in response.text
    fields = {each.get("name"): each for each in read(response).fields}
    assert fields["email"]["value"] == user.email
    assert not fields["password"].get("value")
    assert NEW not in response.text


def test_code_works_once(app: Flask, client: PageClient, user: Person) -> None:
    ask(client, user.email)
    code = codes_to(app, user.email)[0]
    assert reset(client, user.email, code).status_code == 303
    assert reset(client, user.email, code, "yet another evening").status_code == 422


def test_register_code_sets_no_password(app: Flask, client: PageClient, user: Person) -> None:
    client.submit("/register", {"email": "new@example.com", "send": "1"})
    assert reset(client, "new@example.com", codes_to(app, "new@example.com")[0]).status_code == 422


@pytest.mark.parametrize(
    ("password", "told"),
    [("short", "10 characters"), ("1234567890", "tried first"), ("lin.yue.2026", "too close")],
)
def test_policy_holds_and_leaves_the_code_alone(
    app: Flask, client: PageClient, user: Person, password: str, told: str
) -> None:
    ask(client, user.email)
    code = codes_to(app, user.email)[0]
    response = reset(client, user.email, code, password)
    assert response.status_code == 422
    assert told in response.text
    assert 'id="password-error"' in response.text
    assert reset(client, user.email, code).status_code == 303


def test_user_name_is_not_told_by_the_policy(app: Flask, client: PageClient, user: Person) -> None:
    """Somebody without the code must not learn the user name of an address from what passwords are refused."""
    with app.app_context():
        row = db.session.get_one(User, user.id)
        row.username = row.username_canonical = "zorvexil"
        db.session.commit()
    ask(client, user.email)
    code = codes_to(app, user.email)[0]
    blind = reset(client, user.email, wrong_code(code), "zorvexil2026")
    assert "too close" not in blind.text
    assert "too close" in reset(client, user.email, code, "zorvexil2026").text


def test_another_code_can_be_asked_for_on_the_same_page(app: Flask, client: PageClient, user: Person) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC)) as clock:
        ask(client, user.email)
        again = {"email": user.email, "code": "12", "send": "1"}
        refused = client.submit("/password/reset", again)
        assert refused.status_code == 422
        assert "less than a minute ago" in refused.text
        clock.shift(61)
        page = client.submit("/password/reset", again)
        assert page.status_code == 200
        assert 'value="12"' in page.text
        assert reset(client, user.email, codes_to(app, user.email)[1]).status_code == 303


def test_mail_speaks_the_language_of_the_account(app: Flask, client: PageClient, user: Person) -> None:
    with app.app_context():
        db.session.get_one(User, user.id).locale = "zh_CN"
        db.session.commit()
    ask(client, user.email)
    with app.app_context():
        from webapp.mail.models import MailMessage

        assert [each.locale for each in db.session.scalars(db.select(MailMessage))] == ["zh_CN"]
