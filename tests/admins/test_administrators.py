"""H3: who may make, change and disable administrators, and that one superadmin always stays."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import select

from tests.admins.crowds import at_once
from tests.admins.records import entries
from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin, sign_in_admin
from webapp.admins import service
from webapp.admins.models import Admin, Role
from webapp.audit import service as audit
from webapp.database import db
from webapp.errors import Conflict, NotAllowed

LIST = "/admin/administrators/"


def role_id(app: Flask, name: str) -> str:
    with app.app_context():
        return db.session.scalars(select(Role.public_id).where(Role.name == name)).one()


def admin_row(app: Flask, person: Person) -> tuple[str, str]:
    """Return role and state."""
    with app.app_context():
        admin = db.session.scalars(select(Admin).where(Admin.public_id == person.public_id)).one()
        return admin.role.name, admin.state


def add_role(app: Flask, name: str, *permissions: str) -> None:
    with app.app_context():
        service.ensure_built_in_roles()
        service.add_role(actor=audit.SYSTEM, name=name, description="", permissions=permissions)


@pytest.fixture
def operator(app: Flask) -> Person:
    return add_admin(app, "op.erator", "operator")


def change(app: Flask, client: PageClient, person: Person, role: str, **values: str) -> int:
    page = f"{LIST}{person.public_id}"
    fields = {"display_name": person.username, "email": person.email, "role": role_id(app, role), **values}
    return client.submit(page, fields).status_code


def test_superadmin_makes_an_administrator(app: Flask, admin_client: PageClient) -> None:
    fields = {"username": "li.si", "email": "li@example.com", "password": PASSWORD, "role": "operator"}
    assert admin_client.submit(f"{LIST}new", fields).status_code == 303
    assert "li.si" in admin_client.get(LIST).text
    made = entries(app, "admin:created")[-1]
    assert (made["actor"], made["target"], made["after"]) == (
        "mei.chen",
        "li.si",
        {"role": "operator", "email": "li@example.com"},
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "too short here"},
        {"username": "mei.chen"},
        {"email": "mei.chen@example.com"},
        {"role": "emperor"},
    ],
)
def test_bad_entry_makes_nobody(app: Flask, admin_client: PageClient, wrong: dict[str, str]) -> None:
    fields = {"username": "li.si", "email": "li@example.com", "password": PASSWORD, "role": "operator"}
    assert admin_client.submit(f"{LIST}new", fields | wrong).status_code == 422
    with app.app_context():
        assert db.session.scalars(select(Admin.username)).all() == ["mei.chen"]


def test_change_is_recorded_with_before_and_after(
    app: Flask, admin_client: PageClient, operator: Person
) -> None:
    assert change(app, admin_client, operator, "auditor", display_name="Op") == 303
    (entry,) = entries(app, "admin:changed")
    assert entry["before"] == {"display_name": "op.erator", "role": "operator"}
    assert entry["after"] == {"display_name": "Op", "role": "auditor"}


def test_role_change_holds_at_once_in_a_live_session(app: Flask, admin_client: PageClient) -> None:
    colleague = add_admin(app, "li.si", "superadmin")
    theirs = sign_in_admin(app, colleague)
    assert theirs.get(LIST).status_code == 200
    assert change(app, admin_client, colleague, "operator") == 303
    assert theirs.get(LIST).status_code == 403
    assert theirs.get("/admin/").status_code == 200


def test_disabled_administrator_is_out_at_once_and_back_when_enabled(
    app: Flask, admin_client: PageClient, operator: Person
) -> None:
    theirs = sign_in_admin(app, operator)
    page = f"{LIST}{operator.public_id}"
    assert admin_client.submit(f"{page}/disable", page=page).status_code == 303
    assert theirs.get("/admin/").location.startswith("/admin/login")
    refused = app.test_client().submit("/admin/login", {"login": "op.erator", "password": PASSWORD})  # type: ignore[attr-defined]
    assert refused.status_code == 422
    assert admin_client.submit(f"{page}/enable", page=page).status_code == 303
    assert theirs.get("/admin/").location.startswith("/admin/login"), "the old session stays ended"
    assert sign_in_admin(app, operator).get("/admin/").status_code == 200


def test_ending_sessions_signs_out(app: Flask, admin_client: PageClient, operator: Person) -> None:
    theirs = sign_in_admin(app, operator)
    page = f"{LIST}{operator.public_id}"
    assert admin_client.submit(f"{page}/sessions/end", page=page).status_code == 303
    assert theirs.get("/admin/").location.startswith("/admin/login")


def test_nobody_decides_about_himself(app: Flask, admin: Person, admin_client: PageClient) -> None:
    add_admin(app, "li.si", "superadmin")
    page = f"{LIST}{admin.public_id}"
    fields = {"display_name": "x", "email": admin.email, "role": role_id(app, "auditor")}
    assert admin_client.submit(page, fields, page=LIST + "new").status_code == 403
    for act in ("disable", "sessions/end"):
        answer = admin_client.submit(f"{LIST}{admin.public_id}/{act}", page=LIST)
        assert answer.status_code == 403
    assert admin_row(app, admin) == ("superadmin", "active")


def test_nobody_gives_a_role_that_may_do_more(app: Flask, admin: Person, operator: Person) -> None:
    add_role(app, "deputy", "admins.read", "admins.change", "users.read")
    client = sign_in_admin(app, add_admin(app, "de.puty", "deputy"))
    fields = {"username": "li.si", "email": "li@example.com", "password": PASSWORD}
    for role in ("superadmin", "admin", "operator"):
        assert client.submit(f"{LIST}new", fields | {"role": role}).status_code == 422
    assert client.submit(f"{LIST}new", fields | {"role": "deputy"}).status_code == 303
    for person in (admin, operator):
        page = f"{LIST}{person.public_id}"
        assert client.submit(f"{page}/disable", page=LIST).status_code == 403
        assert client.submit(page, {"display_name": "x", "email": person.email}, page=LIST).status_code in {
            403,
            422,
        }
    assert admin_row(app, admin)[1] == admin_row(app, operator)[1] == "active"


def test_service_itself_refuses_what_the_form_does_not_offer(app: Flask, admin: Person) -> None:
    add_role(app, "deputy", "admins.change")
    deputy = add_admin(app, "de.puty", "deputy")
    with app.app_context():
        actor = service.find_admin(deputy.username)
        for role in ("superadmin", "operator"):
            with pytest.raises(NotAllowed):
                service.add_admin(
                    actor=actor, username="li.si", email="li@example.com", password=PASSWORD, role=role
                )


@pytest.mark.parametrize("role", ["auditor", "operator", "admin"])
def test_other_roles_cannot_change_administrators(app: Flask, admin: Person, role: str) -> None:
    client = sign_in_admin(app, add_admin(app, "li.si", role))
    page = f"{LIST}{admin.public_id}"
    reads = role != "operator"
    assert client.get(LIST).status_code == (200 if reads else 403)
    assert client.get(page).status_code == (200 if reads else 403)
    assert client.get(f"{LIST}new").status_code == 403
    for path in (page, f"{page}/disable", f"{page}/enable", f"{page}/sessions/end", f"{LIST}new"):
        assert client.submit(path, page="/admin/account/").status_code == 403
    assert admin_row(app, admin) == ("superadmin", "active")


def test_absent_administrator_is_not_found(admin_client: PageClient) -> None:
    page = f"{LIST}{'x' * 22}"
    assert admin_client.get(page).status_code == 404
    assert admin_client.submit(f"{page}/disable", page=LIST).status_code == 404


def test_last_superadmin_stays(app: Flask, admin: Person) -> None:
    """From the command line too, where nobody is in the way."""
    with app.app_context():
        with pytest.raises(Conflict):
            service.disable_admin(actor=audit.SYSTEM, public_id=admin.public_id)
        with pytest.raises(Conflict):
            service.change_admin(
                actor=audit.SYSTEM,
                public_id=admin.public_id,
                email=admin.email,
                display_name="x",
                role_id=service.get_role("auditor").public_id,
            )
    assert admin_row(app, admin) == ("superadmin", "active")


def test_disabled_superadmin_does_not_count(app: Flask, admin: Person) -> None:
    colleague = add_admin(app, "li.si", "superadmin")
    with app.app_context():
        service.disable_admin(actor=audit.SYSTEM, public_id=colleague.public_id)
        with pytest.raises(Conflict):
            service.disable_admin(actor=audit.SYSTEM, public_id=admin.public_id)


@pytest.mark.parametrize("how", ["demote", "disable"])
def test_two_superadmins_against_each_other_leave_one(each_app: Flask, how: str) -> None:
    pair = add_admin(each_app, "mei.chen"), add_admin(each_app, "li.si")
    auditor = role_id(each_app, "auditor")

    def act(actor: Person, target: Person) -> None:
        doer = service.find_admin(actor.username)
        if how == "disable":
            service.disable_admin(actor=doer, public_id=target.public_id)
        else:
            service.change_admin(
                actor=doer,
                public_id=target.public_id,
                email=target.email,
                display_name="x",
                role_id=auditor,
            )

    results = at_once(each_app, lambda: act(*pair), lambda: act(*reversed(pair)))
    left = [row for row in (admin_row(each_app, each) for each in pair) if row == ("superadmin", "active")]
    assert len(left) == 1
    assert sum(isinstance(result, NotAllowed) for result in results) == 1


def test_two_from_outside_against_the_last_two_leave_one(each_app: Flask) -> None:
    """The command line may disable anybody but the last: two commands at once."""
    pair = add_admin(each_app, "mei.chen"), add_admin(each_app, "li.si")
    results = at_once(
        each_app,
        *(
            lambda person=person: service.disable_admin(actor=audit.SYSTEM, public_id=person.public_id)
            for person in pair
        ),
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert [admin_row(each_app, each)[1] for each in pair].count("active") == 1


def test_custom_role_reads_its_permissions_from_the_row(app: Flask) -> None:
    add_role(app, "reader", "users.read")
    with app.app_context():
        assert json.loads(service.get_role("reader").permissions) == ["users.read"]
