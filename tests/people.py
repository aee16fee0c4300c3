"""People for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask

from webapp.accounts import service as accounts
from webapp.admins import service as admins
from webapp.audit import service as audit

if TYPE_CHECKING:
    from tests.pages import PageClient

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the tests know one."""

    id: int
    public_id: str
    username: str
    email: str
    password: str


def add_user(app: Flask, username: str, display_name: str) -> Person:
    """Add an account."""
    with app.app_context():
        user = accounts.add_user(
            email=f"{username}@example.com", username=username, password=PASSWORD, display_name=display_name
        )
        return Person(user.id, user.public_id, username, user.email, PASSWORD)


def sign_in(app: Flask, person: Person) -> PageClient:
    """Return a browser in which the person is signed in, through the sign-in page."""
    client = cast("PageClient", app.test_client())
    response = client.submit("/login", {"login": person.username, "password": person.password})
    assert response.status_code in {302, 303}, response.text
    return client


def add_admin(app: Flask, username: str, role: str = "superadmin") -> Person:
    """Add an administrator."""
    with app.app_context():
        admin = admins.add_admin(
            actor=audit.SYSTEM,
            username=username,
            email=f"{username}@example.com",
            password=PASSWORD,
            role=role,
        )
        return Person(admin.id, admin.public_id, username, admin.email, PASSWORD)


def sign_in_admin(app: Flask, person: Person) -> PageClient:
    """Return a browser in which the administrator is signed in, through the sign-in page."""
    client = cast("PageClient", app.test_client())
    response = client.submit("/admin/login", {"login": person.username, "password": person.password})
    assert response.status_code in {302, 303}, response.text
    return client
