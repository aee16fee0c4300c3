"""Administrators' programs, administrators and roles."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.administering import AdminProgram, events
from tests.api.calling import data_of, errors_of, reason_of
from tests.people import Person, add_admin

PATH = "/api/admin/administrators"
ROLE = {"name": "Reader", "description": "Looks", "permissions": ["users.read", "overview.read"]}


@pytest.fixture
def admin(app: Flask) -> AdminProgram:
    return AdminProgram(app)


@pytest.fixture
def other(app: Flask) -> Person:
    return add_admin(app, "other", "operator")


def changed(other: Person, **more: str) -> dict[str, str]:
    return {"email": other.email, "display_name": "Other", "role": "auditor"} | more


def test_listed_changed_disabled_and_enabled(admin: AdminProgram, app: Flask, other: Person) -> None:
    names = {each["username"] for each in admin.get(PATH)["items"]}
    assert names == {"other", admin.person.username}
    path = f"{PATH}/{other.public_id}"
    answer = admin.call("PUT", path, json=changed(other, display_name="Someone Else"))
    assert (data_of(answer)["role"], data_of(answer)["display_name"]) == ("auditor", "Someone Else")
    assert admin.post(f"{path}/disable")["state"] == "disabled"
    assert admin.post(f"{path}/enable")["state"] == "active"
    assert admin.post(f"{path}/sessions/end")["id"] == other.public_id
    assert admin.post(f"{path}/second-factor/reset", proof=admin.person.password)["id"] == other.public_id
    assert {"admin:changed", "admin:disabled", "admin:enabled"} <= set(events(app))


def test_a_new_role_holds_at_the_next_call(app: Flask, admin: AdminProgram) -> None:
    operator = AdminProgram(app, "operator")
    assert operator.call("GET", "/api/admin/tasks").status_code == 200
    role = admin.post("/api/admin/roles", **ROLE)
    path = f"{PATH}/{operator.person.public_id}"
    assert admin.call("PUT", path, json=changed(operator.person, role=role["name"])).status_code == 200
    assert operator.call("GET", "/api/admin/tasks").status_code == 403
    assert operator.call("GET", "/api/admin/users").status_code == 200


def test_the_last_superadmin_stays_and_nobody_decides_about_himself(admin: AdminProgram) -> None:
    path = f"{PATH}/{admin.person.public_id}"
    assert admin.call("POST", f"{path}/disable").status_code in {403, 409}
    answer = admin.call("PUT", path, json=changed(admin.person, role="operator"))
    assert answer.status_code in {403, 409}
    assert admin.get(path)["role"] == "superadmin"


def test_nobody_gives_what_they_may_not_do(app: Flask, admin: AdminProgram, other: Person) -> None:
    rights = ["admins.read", "admins.change", "roles.change", "users.read"]
    admin.post("/api/admin/roles", name="Staff", permissions=rights)
    staff = AdminProgram(app, "Staff")
    answer = staff.call("POST", "/api/admin/roles", json={"name": "More", "permissions": ["settings.change"]})
    assert answer.status_code == 403
    path = f"{PATH}/{other.public_id}"
    assert staff.call("PUT", path, json=changed(other, role="superadmin")).status_code == 403


def test_roles_are_composed_changed_and_deleted(admin: AdminProgram, app: Flask) -> None:
    role = admin.post("/api/admin/roles", **ROLE)
    again = admin.call("POST", "/api/admin/roles", json=ROLE)
    assert (again.status_code, set(errors_of(again))) == (409, {"name"})
    path = f"/api/admin/roles/{role['id']}"
    answer = admin.call("PUT", path, json=ROLE | {"permissions": ["users.read"]})
    assert data_of(answer)["permissions"] == ["users.read"]
    known = admin.get("/api/admin/roles")
    assert {each["name"] for each in known["permissions"]} >= set(ROLE["permissions"])
    assert {each["name"] for each in known["items"]} >= {"superadmin", "Reader"}
    add_admin(app, "reader", "Reader")
    used = admin.call("DELETE", path)
    assert (used.status_code, reason_of(used)) == (409, "role_in_use")
    built_in = next(each for each in known["items"] if each["name"] == "auditor")
    assert admin.call("DELETE", f"/api/admin/roles/{built_in['id']}").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [({"permissions": ["nothing"]}, "permissions"), ({"name": ""}, "name"), ({"built_in": True}, "built_in")],
)
def test_what_does_not_fit_is_named(admin: AdminProgram, body: dict[str, object], field: str) -> None:
    answer = admin.call("POST", "/api/admin/roles", json=ROLE | body)
    assert answer.status_code == 422
    assert field in errors_of(answer)


def test_a_role_that_is_not_there_is_named(admin: AdminProgram, other: Person) -> None:
    path = f"{PATH}/{other.public_id}"
    new = {"username": "new.one", "email": "new@example.com", "password": "rivers run where they like"}
    for method, where, body in (
        ("PUT", path, changed(other, role="nobody")),
        ("POST", "/api/admin/create", new | {"role": "nobody"}),
    ):
        answer = admin.call(method, where, json=body)
        assert answer.status_code == 422
        assert set(errors_of(answer)) == {"role"}
