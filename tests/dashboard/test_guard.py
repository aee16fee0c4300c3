"""The dashboard's guard: another realm, and permissions that the server enforces."""

from __future__ import annotations

import json

from flask import Flask
from sqlalchemy import select

from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in_admin
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db


def test_superadmin_sees_the_overview(admin_client: PageClient) -> None:
    assert admin_client.get("/admin/").status_code == 200


def test_users_session_is_no_administrator_s(
    app: Flask, signed_in: PageClient, user: Person, admin: Person
) -> None:
    """H2: equal numeric ids do not matter, nor does a user's token in the administrator's place."""
    assert user.id == admin.id
    assert signed_in.get("/admin/").location.startswith("/admin/login")
    with signed_in.session_transaction() as session:
        session["admin_token"] = session["_user_id"]
    assert signed_in.get("/admin/").location.startswith("/admin/login")


def test_administrators_session_is_no_user_s(admin_client: PageClient) -> None:
    with admin_client.session_transaction() as session:
        session["_user_id"] = session["admin_token"]
    assert admin_client.get("/chat").location.startswith("/login")


def test_signing_out_ends_the_session_on_the_server(admin_client: PageClient) -> None:
    with admin_client.session_transaction() as session:
        token = session["admin_token"]
    assert admin_client.submit("/admin/logout", page="/admin/").status_code == 303
    with admin_client.session_transaction() as session:
        session["admin_token"] = token
    assert admin_client.get("/admin/").location.startswith("/admin/login")


def test_wrong_password_is_refused_and_recorded(app: Flask, client: PageClient, admin: Person) -> None:
    response = client.submit("/admin/login", {"login": admin.username, "password": "not this one"})
    assert response.status_code == 422
    with app.app_context():
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.event == Event.ADMIN_SIGN_IN_REFUSED.value)
        ).one()
        assert (entry.actor_kind, entry.target_name, entry.address) == (
            "stranger",
            admin.username,
            "127.0.0.1",
        )


def test_missing_permission_is_refused_and_recorded(app: Flask) -> None:
    with app.app_context():
        from webapp.admins.models import Role

        db.session.add(Role(name="nothing", permissions=json.dumps([])))
        db.session.commit()
    client = sign_in_admin(app, add_admin(app, "li.si", "nothing"))
    response = client.get("/admin/")
    assert response.status_code == 403
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "access:denied")).one()
        assert (entry.actor_name, json.loads(entry.after)) == ("li.si", {"permission": "overview.read"})
