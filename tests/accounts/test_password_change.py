"""Changing the password."""

from __future__ import annotations

from flask import Flask

from tests.letters import notices_to
from tests.pages import PageClient
from tests.people import PASSWORD, Person, sign_in

NEW = "another quiet evening"


def change(client: PageClient, current: str = PASSWORD, new: str = NEW):
    return client.submit("/profile/password", {"current": current, "new": new})


def test_new_password_counts_and_the_old_one_does_not(
    app: Flask, signed_in: PageClient, user: Person
) -> None:
    assert change(signed_in).location == "/profile/security"
    assert "Your password is changed" in signed_in.get("/profile/security").text
    for password, status in ((PASSWORD, 422), (NEW, 303)):
        response = app.test_client().submit("/login", {"login": user.username, "password": password})  # type: ignore[attr-defined]
        assert response.status_code == status


def test_other_devices_are_signed_out_and_this_one_stays(
    app: Flask, signed_in: PageClient, user: Person, other_signed_in: PageClient
) -> None:
    elsewhere = sign_in(app, user)
    change(signed_in)
    assert signed_in.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302
    assert other_signed_in.get("/profile").status_code == 200, "other people are not concerned"


def test_owner_is_told_by_mail(app: Flask, signed_in: PageClient, user: Person) -> None:
    change(signed_in)
    assert notices_to(app, user.email) == ["password_changed"]


def test_current_password_is_needed(app: Flask, signed_in: PageClient, user: Person) -> None:
    response = change(signed_in, current="not the current one")
    assert response.status_code == 422
    assert 'id="current-error"' in response.text
    assert notices_to(app, user.email) == []
    assert change(signed_in).status_code == 303


def test_policy_holds_and_stands_beside_its_field(signed_in: PageClient) -> None:
    for bad in ("short", "1234567890", "lin.yue.2026", "lin.yue@example.com"):
        response = change(signed_in, new=bad)
        assert response.status_code == 422, bad
        assert 'id="new-error"' in response.text
        assert f'value="{bad}"' not in response.text


def test_fields_are_for_password_managers(signed_in: PageClient) -> None:
    page = signed_in.get("/profile/password").text
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert page.count('type="password"') == 2
    assert "onpaste" not in page
