"""An administrator's own account, and the two realms in one browser."""

from __future__ import annotations

from flask import Flask

from tests.admins.records import entries
from tests.pages import PageClient, read
from tests.people import PASSWORD, Person, sign_in, sign_in_admin

NEW_PASSWORD = "another horse battery staple"


def test_language_and_zone_are_kept_on_the_account(
    app: Flask, admin: Person, admin_client: PageClient
) -> None:
    fields = {"display_name": "Mei", "locale": "zh_CN", "timezone": "Asia/Shanghai"}
    assert admin_client.submit("/admin/account/", fields).status_code == 303
    assert read(sign_in_admin(app, admin).get("/admin/")).language == "zh-CN"
    (entry,) = entries(app, "admin:changed")
    assert entry["after"]["timezone"] == "Asia/Shanghai"


def test_language_switch_of_the_menu(admin_client: PageClient) -> None:
    response = admin_client.submit(
        "/admin/account/language", {"language": "zh_CN", "next": "/admin/"}, page="/admin/"
    )
    assert (response.status_code, response.location) == (303, "/admin/")
    assert read(admin_client.get("/admin/")).language == "zh-CN"
    assert (
        admin_client.submit("/admin/account/language", {"language": "tlh"}, page="/admin/").status_code == 422
    )


def test_bad_zone_and_empty_name_are_refused(admin_client: PageClient) -> None:
    assert admin_client.submit("/admin/account/", {"display_name": ""}).status_code == 422
    assert (
        admin_client.submit("/admin/account/", {"display_name": "M", "timezone": "Mars"}).status_code == 422
    )


def test_password_change_ends_the_other_sessions(app: Flask, admin: Person, admin_client: PageClient) -> None:
    other = sign_in_admin(app, admin)
    fields = {"current": PASSWORD, "new": NEW_PASSWORD}
    assert admin_client.submit("/admin/account/password", fields).status_code == 303
    assert admin_client.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302
    assert len(entries(app, "admin:password_changed")) == 1
    refused = app.test_client().submit("/admin/login", {"login": admin.username, "password": PASSWORD})  # type: ignore[attr-defined]
    assert refused.status_code == 422


def test_wrong_current_and_short_new_password_change_nothing(
    app: Flask, admin: Person, admin_client: PageClient
) -> None:
    page = "/admin/account/password"
    assert (
        admin_client.submit(page, {"current": "wrong one entirely", "new": NEW_PASSWORD}).status_code == 422
    )
    assert admin_client.submit(page, {"current": PASSWORD, "new": "only 14 signs"}).status_code == 422
    assert sign_in_admin(app, admin).get("/admin/").status_code == 200


def test_one_browser_holds_both_realms(app: Flask, user: Person, admin: Person) -> None:
    browser = sign_in(app, user)
    browser.submit("/admin/login", {"login": admin.username, "password": PASSWORD})
    assert browser.get("/profile").status_code == 200
    assert browser.get("/admin/").status_code == 200
    browser.submit("/admin/logout", page="/admin/")
    assert browser.get("/profile").status_code == 200
    assert browser.get("/admin/").status_code == 302


def test_signing_in_as_a_user_leaves_the_administrator(
    app: Flask, user: Person, admin_client: PageClient
) -> None:
    admin_client.submit("/login", {"login": user.username, "password": PASSWORD})
    assert admin_client.get("/admin/").status_code == 200
    admin_client.submit("/logout", page="/profile")
    assert admin_client.get("/admin/").status_code == 200
    assert admin_client.get("/profile").status_code == 302


def test_nothing_else_of_the_cookie_is_taken_over(app: Flask, admin: Person) -> None:
    """E1: neither the CSRF token nor anything somebody planted lives on."""
    browser: PageClient = app.test_client()  # type: ignore[assignment]
    before = browser.csrf_token("/admin/login")
    with browser.session_transaction() as session:
        raw = session["csrf_token"]
        session["planted"] = "x"
        session["admin_token"] = "of the attacker"
    fields = {"csrf_token": before, "login": admin.username, "password": PASSWORD}
    assert browser.post("/admin/login", data=fields).status_code == 303
    with browser.session_transaction() as session:
        assert session.get("csrf_token") != raw
        assert "planted" not in session
        assert session["admin_token"] != "of the attacker"
