"""Roles: composed of permissions one has, and never of others."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.admins.records import entries
from tests.admins.test_administrators import add_role, role_id
from tests.pages import PageClient, read
from tests.people import Person, add_admin, sign_in_admin
from webapp.admins.models import Role
from webapp.admins.permissions import BUILT_IN_ROLES, Permission
from webapp.admins.words import PERMISSION_GROUPS, ROLE_DESCRIPTIONS, ROLE_NAMES
from webapp.database import db

LIST = "/admin/roles/"


def granted(app: Flask, name: str) -> set[str]:
    with app.app_context():
        return set(db.session.scalars(select(Role).where(Role.name == name)).one().granted)


def test_every_permission_is_explained_once() -> None:
    explained = [each for _label, permissions in PERMISSION_GROUPS for each in permissions]
    assert sorted(explained) == sorted(Permission)


def test_every_built_in_role_has_words() -> None:
    assert set(BUILT_IN_ROLES) == set(ROLE_NAMES) == set(ROLE_DESCRIPTIONS)


def test_auditor_changes_nothing() -> None:
    assert not [each for each in BUILT_IN_ROLES["auditor"] if each.value.endswith(".change")]


def test_no_permission_opens_chats() -> None:
    assert not [each for each in Permission if "chat" in each.value]


def test_superadmin_composes_a_role_and_gives_it(app: Flask, admin_client: PageClient) -> None:
    fields = {"name": "Support", "description": "Helps", "permissions": ["users.read", "mail.read"]}
    assert admin_client.submit(f"{LIST}new", fields).status_code == 303
    assert granted(app, "Support") == {"users.read", "mail.read"}
    (entry,) = entries(app, "role:created")
    assert entry["after"]["permissions"] == ["mail.read", "users.read"]
    client = sign_in_admin(app, add_admin(app, "li.si", "Support"))
    assert client.get("/admin/").status_code == 403


def test_change_holds_at_once_and_is_recorded(app: Flask, admin_client: PageClient) -> None:
    add_role(app, "Support", "overview.read")
    client = sign_in_admin(app, add_admin(app, "li.si", "Support"))
    assert client.get("/admin/").status_code == 200
    page = LIST + role_id(app, "Support")
    assert admin_client.submit(page, {"name": "Support", "permissions": ["users.read"]}).status_code == 303
    assert client.get("/admin/").status_code == 403
    (entry,) = entries(app, "role:changed")
    assert (entry["before"]["permissions"], entry["after"]["permissions"]) == (
        ["overview.read"],
        ["users.read"],
    )


def test_unknown_permission_is_refused(app: Flask, admin_client: PageClient) -> None:
    fields = {"name": "Support", "permissions": ["users.read", "world.rule"]}
    assert admin_client.submit(f"{LIST}new", fields).status_code == 422


def test_name_is_given_once(app: Flask, admin_client: PageClient) -> None:
    for name in ("superadmin", "auditor"):
        assert admin_client.submit(f"{LIST}new", {"name": name}).status_code == 422


def test_role_in_use_is_not_deleted(app: Flask, admin_client: PageClient) -> None:
    add_role(app, "Support", "overview.read")
    person = add_admin(app, "li.si", "Support")
    page = LIST + role_id(app, "Support")
    assert admin_client.submit(f"{page}/delete", page=page).status_code == 409
    there = f"/admin/administrators/{person.public_id}"
    fields = {"display_name": "Li", "email": person.email, "role": role_id(app, "auditor")}
    assert admin_client.submit(there, fields).status_code == 303
    assert admin_client.submit(f"{page}/delete", page=page).status_code == 303
    assert admin_client.get(page).status_code == 404


def test_built_in_role_stays(app: Flask, admin_client: PageClient) -> None:
    page = LIST + role_id(app, "auditor")
    fields = {"name": "auditor", "permissions": ["roles.change"]}
    assert admin_client.submit(page, fields, page=LIST + "new").status_code == 403
    assert admin_client.submit(f"{page}/delete", page=LIST + "new").status_code == 403
    assert granted(app, "auditor") == {each.value for each in BUILT_IN_ROLES["auditor"]}


@pytest.fixture
def composer(app: Flask) -> PageClient:
    """Somebody who may compose roles of little."""
    add_role(app, "composer", "roles.change", "admins.read", "users.read")
    return sign_in_admin(app, add_admin(app, "com.poser", "composer"))


def test_nobody_grants_what_he_lacks(app: Flask, composer: PageClient) -> None:
    fields = {"name": "More", "permissions": ["users.read", "users.change"]}
    assert composer.submit(f"{LIST}new", fields).status_code == 403
    assert composer.submit(f"{LIST}new", fields | {"permissions": ["users.read"]}).status_code == 303
    page = LIST + role_id(app, "More")
    assert composer.submit(page, fields).status_code == 403
    assert granted(app, "More") == {"users.read"}


def test_nobody_changes_the_role_he_has(app: Flask, composer: PageClient) -> None:
    page = LIST + role_id(app, "composer")
    composer.submit(page, {"name": "composer", "permissions": ["users.read"]}, page=LIST + "new")
    assert granted(app, "composer") == {"roles.change", "admins.read", "users.read"}


def test_role_beyond_ones_own_is_not_changed(app: Flask, composer: PageClient) -> None:
    add_role(app, "Strong", "users.change")
    page = LIST + role_id(app, "Strong")
    composer.submit(page, {"name": "Strong", "permissions": []}, page=LIST + "new")
    assert composer.submit(f"{page}/delete", page=LIST + "new").status_code == 403
    assert granted(app, "Strong") == {"users.change"}


def test_page_says_which_permissions_one_lacks(composer: PageClient) -> None:
    page = read(composer.get(f"{LIST}new"))
    boxes = {each["value"]: each for each in page.fields if each.get("name") == "permissions"}
    assert "disabled" in boxes["users.change"]
    assert "disabled" not in boxes["users.read"]


def test_absent_role_is_not_found(admin: Person, admin_client: PageClient) -> None:
    page = LIST + "x" * 22
    assert admin_client.get(page).status_code == 404
    assert admin_client.submit(f"{page}/delete", page=LIST + "new").status_code == 404
