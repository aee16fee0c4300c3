"""Registering with an e-mailed code."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import make_settings, running
from tests.letters import codes_to, letters_to, notices_to, wrong_code
from tests.pages import PageClient, read
from tests.people import Person
from webapp.accounts.models import User
from webapp.database import db

ADDRESS = "chen.mo@example.com"
PASSWORD = "a quiet evening walk"


def ask(client: PageClient, address: str = ADDRESS, **more: str):
    return client.submit("/register", {"email": address, "send": "1", **more})


def complete(client: PageClient, right_code: str, **changes: str):
    data = {"email": ADDRESS, "username": "chen.mo", "password": PASSWORD, "code": right_code}
    return client.submit("/register", data | changes)


def people(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_newcomer_registers_and_is_signed_in(client: PageClient, app: Flask) -> None:
    response = ask(client)
    assert response.status_code == 303
    page = client.get(response.location)
    assert ADDRESS in page.text
    response = complete(client, codes_to(app, ADDRESS)[0])
    assert response.status_code == 303
    assert response.location == "/chat"
    assert "chen.mo" in client.get("/profile").text


def test_code_page_is_the_address_page_until_an_address_was_given(client: PageClient) -> None:
    page = read(client.get("/register?step=code"))
    assert "code" not in {each.get("name") for each in page.fields}


def test_new_account_keeps_language_and_zone(client: PageClient, app: Flask) -> None:
    client.submit("/preferences/language", {"language": "zh_CN"}, page="/login")
    ask(client)
    complete(client, codes_to(app, ADDRESS)[0], timezone="Asia/Shanghai")
    with app.app_context():
        user = db.session.scalars(select(User)).one()
        assert (user.locale, user.timezone) == ("zh_CN", "Asia/Shanghai")


def test_unknown_zone_is_not_kept(client: PageClient, app: Flask) -> None:
    ask(client)
    complete(client, codes_to(app, ADDRESS)[0], timezone="../../etc/passwd")
    with app.app_context():
        assert db.session.scalars(select(User)).one().timezone is None


def test_code_may_be_typed_with_spaces(client: PageClient, app: Flask) -> None:
    ask(client)
    code = codes_to(app, ADDRESS)[0]
    assert complete(client, f" {code[:3]} {code[3:]} ").status_code == 303


def test_wrong_code_stands_beside_its_field_and_keeps_the_rest(client: PageClient, app: Flask) -> None:
    ask(client)
    response = complete(client, wrong_code(codes_to(app, ADDRESS)[0]))
    assert response.status_code == 422
    assert "That code is not right. 4 tries left." in response.text
    fields = {each.get("name"): each for each in read(response).fields}
    assert fields["username"]["value"] == "chen.mo"
    assert fields["code"]["aria-invalid"] == "true"
    assert "value" not in fields["password"] or fields["password"]["value"] == ""
    assert PASSWORD not in response.text
    assert people(app) == 0


def ask_again(client: PageClient, **more: str):
    data = {"email": ADDRESS, "username": "chen.mo", "send": "1", **more}
    return client.submit("/register?step=code", data, page="/register?step=code")


def test_asking_again_at_once_is_refused_politely(client: PageClient, app: Flask) -> None:
    ask(client)
    response = ask_again(client)
    assert response.status_code == 422
    assert "less than a minute ago" in response.text
    assert 'value="chen.mo"' in response.text
    assert len(codes_to(app, ADDRESS)) == 1


def test_asking_again_kills_the_older_code_and_keeps_what_was_typed(client: PageClient, app: Flask) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC)) as clock:
        ask(client)
        clock.shift(61)
        response = ask_again(client)
        assert response.status_code == 200
        assert 'value="chen.mo"' in response.text
        older, newer = codes_to(app, ADDRESS)
        if older != newer:
            assert complete(client, older).status_code == 422
        assert complete(client, newer).status_code == 303


def test_countdown_of_the_resend_button_runs_on(client: PageClient) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as clock:
        ask(client)
        assert 'data-resend="60"' in client.get("/register?step=code").text
        clock.shift(20)
        assert 'data-resend="40"' in client.get("/register?step=code").text


def test_enter_key_does_not_press_the_resend_button(client: PageClient) -> None:
    ask(client)
    page = client.get("/register?step=code").text
    form = page[page.index('id="register"') :]
    assert "name=" not in re.search(r"<button[^>]*>", form)[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("username", "ab", "3 to 32"),
        ("username", "x" * 33, "32"),
        ("username", "ß" * 20, "32"),
        ("username", "has space", "letters, digits"),
        ("username", "chen@mo", "letters, digits"),
        ("username", "chen\r\nBcc: x", "letters, digits"),
        ("username", "", "Fill this in"),
        ("password", "short", "10 characters"),
        ("password", "", "Fill this in"),
        ("password", "p" * 300, "256"),
        ("password", "chen.mo.2026", "too close"),
        ("password", "1234567890", "tried first"),
        ("code", "", "Fill this in"),
    ],
)
def test_bad_input_is_told_beside_its_field(
    client: PageClient, app: Flask, field: str, value: str, told: str
) -> None:
    ask(client)
    response = complete(client, codes_to(app, ADDRESS)[0], **{field: value})
    assert response.status_code == 422
    message = re.search(rf'id="{field}-error".*?</div>', response.text, re.DOTALL)
    assert message is not None, f"nothing beside {field}"
    assert told in message[0]
    assert people(app) == 0


def test_refused_input_does_not_spend_the_code(client: PageClient, app: Flask, user: Person) -> None:
    ask(client)
    code = codes_to(app, ADDRESS)[0]
    taken = complete(client, code, username=user.username.upper())
    assert taken.status_code == 422
    assert "This user name is taken" in taken.text
    assert complete(client, code, password="short").status_code == 422
    assert complete(client, code).status_code == 303


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "@example.com",
        "a@b",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "Ann <a@example.com>",
        '"a,b"@example.com',
        "a@example.com\x00",
        "x" * 250 + "@example.com",
        "",
    ],
)
def test_only_one_plain_address_is_taken(client: PageClient, app: Flask, address: str) -> None:
    response = client.submit("/register", {"email": address, "send": "1"})
    assert response.status_code == 422
    assert 'id="email-error"' in response.text
    for each in ("a@example.com", "b@example.com", address):
        assert letters_to(app, each) == []


def test_owner_of_a_registered_address_gets_a_notice_and_no_code(
    client: PageClient, app: Flask, user: Person
) -> None:
    assert ask(client, user.email.upper()).status_code == 303
    assert codes_to(app, user.email) == []
    assert notices_to(app, user.email) == ["already_registered"]


def test_code_of_one_address_is_no_use_for_another(client: PageClient, app: Flask) -> None:
    ask(client, "mallory@example.com")
    response = complete(client, codes_to(app, "mallory@example.com")[0])
    assert response.status_code == 422
    assert people(app) == 0


def test_one_who_is_signed_in_is_led_to_the_chats(signed_in: PageClient) -> None:
    assert signed_in.get("/register").location == "/chat"


def test_closed_registration_says_so(app: Flask, settings) -> None:
    closed = make_settings(settings.instance_path, registration_open=False)
    for shut in running(closed):
        response = ask(shut.test_client())
        assert response.status_code in {403, 422}
        assert "Registration is closed here" in response.text
        assert letters_to(shut, ADDRESS) == []


def test_code_never_stands_in_an_answer_an_address_or_a_log(
    client: PageClient, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [ask(client)]
    answers.append(client.get(answers[0].location))
    code = codes_to(app, ADDRESS)[0]
    answers.append(complete(client, code))
    for answer in answers:
        # the hidden CSRF token and nonces could hold the digits by chance; the page's own words must not
        words = re.sub(r'value="[^"]*"', "", answer.text)
        assert code not in words
        assert code not in answer.headers.get("Location", "")
    assert all(code not in record.getMessage() + str(vars(record)) for record in caplog.records)
