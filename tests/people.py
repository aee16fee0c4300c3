"""People for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask

from webapp.accounts import service as accounts

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
