"""What has to wait after too many tries is seen on the dashboard and can be lifted there (D1, D3, H3)."""

from __future__ import annotations

import re

from flask import Flask

from tests.audit_entries import entries
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin, sign_in_admin
from webapp.audit.rules import Event
from webapp.identity.rules import THROTTLES, ThrottleKind

URL = "/admin/lockouts/"
FREE = THROTTLES[ThrottleKind.ACCOUNT].free


def guess(app: Flask, path: str, login: str, tries: int = FREE, address: str = "198.51.100.9") -> None:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    for _turn in range(tries):
        fields = {"login": login, "password": "not this one"}
        client.submit(path, fields, environ_overrides={"REMOTE_ADDR": address})


def waits(app: Flask, path: str, login: str) -> bool:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    return client.submit(path, {"login": login, "password": PASSWORD}).status_code == 429


def listed(client: PageClient) -> list[str]:
    """Return what waits, by name."""
    page = client.get(URL).text
    return [
        re.sub(r"<[^>]+>", " ", each).split()[0]
        for each in re.findall(r'<td class="first">(.*?)</td>', page, re.DOTALL)
    ]


def lift(client: PageClient) -> int:
    """Press the first button that there is."""
    found = re.search(rf'action="({URL}[^"]+/lift)"', client.get(URL).text)
    assert found
    return client.submit(found[1], page=URL).status_code


def test_account_is_listed_told_on_the_overview_and_lifted(
    app: Flask, user: Person, admin_client: PageClient
) -> None:
    assert "Nothing is locked" in admin_client.get(URL).text
    guess(app, "/login", user.username)
    assert listed(admin_client) == [user.username]
    assert "1 sign-in is locked" in admin_client.get("/admin/").text
    assert waits(app, "/login", user.username)
    assert lift(admin_client) == 303
    assert not waits(app, "/login", user.username)
    (entry,) = entries(app, Event.USER_UNLOCKED)
    assert entry["target"] == ("user", user.username)
    assert entry["before"]["counted"] == "account"


def test_unknown_name_is_not_shown_for_it_may_be_a_password(app: Flask, admin_client: PageClient) -> None:
    guess(app, "/login", "tr0ub4dor")
    assert listed(admin_client) == ["Unknown"]
    assert "tr0ub4dor" not in admin_client.get(URL).text
    assert lift(admin_client) == 303


def test_address_is_listed_and_lifted(app: Flask, admin_client: PageClient) -> None:
    for number in range(THROTTLES[ThrottleKind.ADDRESS].free):
        guess(app, "/login", f"somebody.{number}", tries=1)
    assert listed(admin_client) == ["198.51.100.9"]
    assert lift(admin_client) == 303
    assert listed(admin_client) == []
    (entry,) = entries(app, Event.USER_UNLOCKED)
    assert entry["target"] == ("address", "198.51.100.9")


def test_wait_of_an_administrator_needs_who_may_change_administrators(
    app: Flask, admin_client: PageClient
) -> None:
    mei = add_admin(app, "wang.fang")
    operator = sign_in_admin(app, add_admin(app, "op.erator", "operator"))
    auditor = sign_in_admin(app, add_admin(app, "au.ditor", "auditor"))
    guess(app, "/admin/login", mei.username)
    assert listed(operator) == []
    assert listed(auditor) == [mei.username]
    assert "/lift" not in auditor.get(URL).text
    path = re.search(rf'{URL}[^"]+/lift', admin_client.get(URL).text)
    assert path
    assert operator.submit(path[0], page="/admin/account/").status_code == 403
    assert waits(app, "/admin/login", mei.username)
    assert lift(admin_client) == 303
    assert not waits(app, "/admin/login", mei.username)
    assert len(entries(app, Event.ADMIN_UNLOCKED)) == 1


def test_wait_that_is_over_is_told(app: Flask, user: Person, admin_client: PageClient) -> None:
    guess(app, "/login", user.username)
    path = re.search(rf'{URL}[^"]+/lift', admin_client.get(URL).text)
    assert path
    assert admin_client.submit(path[0], page=URL).status_code == 303
    assert admin_client.submit(path[0], page=URL).status_code == 404


def test_administrators_without_second_factor_are_not_told_of_where_they_need_none(
    app: Flask, admin_client: PageClient
) -> None:
    assert "second factor" not in admin_client.get("/admin/").text
