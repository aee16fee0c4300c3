"""H7: two-step sign-in of administrators, by choice and by order."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pyotp
import pytest
import time_machine
from flask import Flask

from tests.admins.records import entries
from tests.conftest import make_settings, running
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin, sign_in_admin
from webapp.admins import service
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock

PAGE = "/admin/account/second-factor/"


@pytest.fixture
def strict(instance: Path) -> Iterator[Flask]:
    """An application in which administrators need a second factor."""
    yield from running(make_settings(instance, admins_need_second_factor="on"))


def secret_of(app: Flask, person: Person) -> str:
    with app.app_context():
        secret = identity.offered_totp(Realm.ADMIN, person.id)
        assert secret
        return secret


def turn_on(app: Flask, client: PageClient, person: Person) -> tuple[str, list[str]]:
    """Set it up through the pages; return the secret and the recovery codes."""
    assert client.submit(f"{PAGE}begin", page=PAGE).status_code == 303
    secret = secret_of(app, person)
    response = client.submit(f"{PAGE}on", {"code": pyotp.TOTP(secret).at(clock.utc_now())}, page=PAGE)
    assert response.status_code == 200
    return secret, re.findall(r"<li><code>([a-z0-9-]+)</code>", response.text)


def first_step(app: Flask, person: Person, password: str = PASSWORD) -> tuple[PageClient, str]:
    client = cast("PageClient", app.test_client())
    response = client.submit("/admin/login", {"login": person.username, "password": password})
    return client, response.location or ""


def later() -> time_machine.travel:
    """The next code of the app."""
    return time_machine.travel(clock.utc_now() + dt.timedelta(seconds=60), tick=True)


def test_code_is_asked_for_once_it_is_on(app: Flask, admin: Person, admin_client: PageClient) -> None:
    secret, codes = turn_on(app, admin_client, admin)
    assert len(codes) == 10
    with later():
        client, location = first_step(app, admin)
        assert location == "/admin/login/code"
        assert client.get("/admin/").status_code == 302
        assert client.submit("/admin/login/code", {"code": "000000"}).status_code == 422
        code = pyotp.TOTP(secret).at(clock.utc_now())
        assert client.submit("/admin/login/code", {"code": code}).status_code == 303
        assert client.get("/admin/").status_code == 200
        again, _location = first_step(app, admin)
        assert again.submit("/admin/login/code", {"code": code}).status_code == 422, "a code works once"
    assert len(entries(app, "admin:second_factor_on")) == 1


def test_recovery_code_works_once(app: Flask, admin: Person, admin_client: PageClient) -> None:
    _secret, codes = turn_on(app, admin_client, admin)
    client, _location = first_step(app, admin)
    assert client.submit("/admin/login/code", {"code": codes[0]}).status_code == 303
    again, _location = first_step(app, admin)
    assert again.submit("/admin/login/code", {"code": codes[0]}).status_code == 422
    assert entries(app, "admin:recovery_code_used")[0]["after"] == {"left": 9}


def test_second_step_needs_the_first(client: PageClient) -> None:
    assert client.get("/admin/login/code").location == "/admin/login"


def test_users_second_step_is_none_of_administrators(
    app: Flask, admin: Person, admin_client: PageClient
) -> None:
    turn_on(app, admin_client, admin)
    client, _location = first_step(app, admin)
    with client.session_transaction() as session:
        session["second_step"] = session["admin_second_step"]
    assert client.get("/login/code").location == "/login"


def test_wrong_confirmation_leaves_it_off(app: Flask, admin: Person, admin_client: PageClient) -> None:
    admin_client.submit(f"{PAGE}begin", page=PAGE)
    assert admin_client.submit(f"{PAGE}on", {"code": "000000"}, page=PAGE).status_code == 422
    assert first_step(app, admin)[1] == "/admin/"


def test_new_recovery_codes_replace_the_old(app: Flask, admin: Person, admin_client: PageClient) -> None:
    _secret, old = turn_on(app, admin_client, admin)
    page = admin_client.submit(f"{PAGE}recovery-codes", page=PAGE)
    new = re.findall(r"<li><code>([a-z0-9-]+)</code>", page.text)
    assert len(new) == 10
    assert not set(new) & set(old)
    client, _location = first_step(app, admin)
    assert client.submit("/admin/login/code", {"code": old[0]}).status_code == 422


def test_turning_it_off_is_recorded(app: Flask, admin: Person, admin_client: PageClient) -> None:
    turn_on(app, admin_client, admin)
    assert admin_client.submit(f"{PAGE}off", page=PAGE).status_code == 303
    assert first_step(app, admin)[1] == "/admin/"
    assert len(entries(app, "admin:second_factor_off")) == 1


def test_where_it_is_required_nothing_goes_before_it(strict: Flask) -> None:
    admin = add_admin(strict, "mei.chen")
    client = sign_in_admin(strict, admin)
    for path in ("/admin/", "/admin/administrators/", "/admin/account/"):
        assert client.get(path).location == f"{PAGE}?next={path}"
    assert (
        client.post("/admin/account/password", data={"csrf_token": client.csrf_token(PAGE)}).status_code
        == 403
    )
    turn_on(strict, client, admin)
    assert client.get("/admin/").status_code == 200
    assert client.submit(f"{PAGE}off", page=PAGE).status_code == 403
    with strict.app_context():
        assert identity.second_factor_is_on(Realm.ADMIN, admin.id)


def test_the_overview_tells_who_has_not_set_it_up_yet(strict: Flask) -> None:
    admin = add_admin(strict, "mei.chen")
    add_admin(strict, "wang.fang")
    client = sign_in_admin(strict, admin)
    turn_on(strict, client, admin)
    page = client.get("/admin/").text
    assert "1 administrator has no second factor" in page
    assert 'href="/admin/administrators/"' in page


def test_after_setting_it_up_one_goes_where_one_wanted_to(strict: Flask) -> None:
    admin = add_admin(strict, "mei.chen")
    client = sign_in_admin(strict, admin)
    client.submit(f"{PAGE}begin", {"next": "/admin/roles/"}, page=PAGE)
    code = pyotp.TOTP(secret_of(strict, admin)).now()
    page = client.submit(f"{PAGE}on", {"code": code, "next": "/admin/roles/"}, page=PAGE)
    assert 'href="/admin/roles/"' in page.text


def test_another_administrator_takes_a_lost_one_away(app: Flask, admin_client: PageClient) -> None:
    person = add_admin(app, "li.si", "operator")
    theirs = sign_in_admin(app, person)
    turn_on(app, theirs, person)
    page = f"/admin/administrators/{person.public_id}"
    assert admin_client.submit(f"{page}/second-factor/reset", page=page).status_code == 303
    assert theirs.get("/admin/").status_code == 302, "their sessions ended"
    assert first_step(app, person)[1] == "/admin/"
    (entry,) = entries(app, "admin:second_factor_off")
    assert (entry["actor"], entry["target"]) == ("mei.chen", "li.si")


def test_lost_one_is_taken_away_from_the_shell(app: Flask, admin: Person, admin_client: PageClient) -> None:
    turn_on(app, admin_client, admin)
    result = app.test_cli_runner().invoke(args=["admins", "reset-second-factor", admin.username])
    assert result.exit_code == 0
    assert first_step(app, admin)[1] == "/admin/"


def test_making_an_administrator_asks_again_who_one_is(app: Flask, admin_client: PageClient) -> None:
    fields = {"username": "li.si", "email": "li@example.com", "password": PASSWORD, "role": "operator"}
    token = admin_client.csrf_token("/admin/administrators/new")
    with time_machine.travel(clock.utc_now() + dt.timedelta(minutes=30), tick=True):
        response = admin_client.post("/admin/administrators/new", data=fields | {"csrf_token": token})
        assert response.location.startswith("/admin/confirm?next=")
        with app.app_context():
            assert service.find_admin("li.si") is None
        assert admin_client.submit("/admin/confirm", {"proof": PASSWORD}).status_code == 303
        assert admin_client.submit("/admin/administrators/new", fields).status_code == 303


def test_lockout_spares_nobody_for_asking(app: Flask, admin: Person) -> None:
    """D1: tries on one account are limited, whoever tries."""
    told = {first_step_status(app, admin.username, f"wrong {each} password") for each in range(30)}
    assert told == {422, 429}
    assert {first_step_status(app, "nobody.here", f"wrong {each} password") for each in range(30)} == {
        422,
        429,
    }


def first_step_status(app: Flask, login: str, password: str) -> int:
    client = cast("PageClient", app.test_client())
    return client.submit("/admin/login", {"login": login, "password": password}).status_code


def test_sessions_are_listed_and_ended(app: Flask, admin: Person, admin_client: PageClient) -> None:
    other = sign_in_admin(app, admin)
    page = admin_client.get("/admin/account/sessions")
    (end,) = re.findall(r'action="(/admin/account/sessions/[^"/]+/end)"', page.text)
    assert admin_client.submit(end, page="/admin/account/sessions").status_code == 303
    assert other.get("/admin/").status_code == 302
    assert admin_client.submit(end, page="/admin/account/").status_code == 404
    third = sign_in_admin(app, admin)
    admin_client.submit("/admin/account/sessions/end", page="/admin/account/")
    assert third.get("/admin/").status_code == 302
    assert admin_client.get("/admin/").status_code == 200
