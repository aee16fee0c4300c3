"""The people of the access matrix, each with a browser in which they are, or were, signed in."""

from __future__ import annotations

from typing import Final, cast

from flask import Flask

from tests.pages import PageClient
from tests.people import Person, add_admin, add_user, sign_in, sign_in_admin
from webapp.accounts.models import User
from webapp.database import db

USERS: Final = ("user", "other")
OUTSIDERS: Final = ("anonymous", "suspended")
ADMINS: Final = ("auditor", "operator", "admin", "superadmin")
EVERYBODY: Final = (*OUTSIDERS, *USERS, *ADMINS)


class Cast:
    """Everybody, signed in once; a call that ends the session gets a sign-in of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.users = {
            "user": add_user(app, "lin.yue", "Lin Yue"),
            "other": add_user(app, "wang.wei", "王伟"),
            "suspended": add_user(app, "zhao.liu", "Zhao Liu"),
        }
        self.admins = {role: add_admin(app, f"{role}.person", role) for role in ADMINS}
        self._clients: dict[str, PageClient] = {}
        self.client("suspended")
        with app.app_context():
            db.session.get_one(User, self.users["suspended"].id).state = "suspended"
            db.session.commit()

    def client(self, name: str, *, anew: bool = False) -> PageClient:
        """Return somebody's browser."""
        if anew and name not in OUTSIDERS:
            self._clients.pop(name, None)  # what ends one session may end the others too
            return self._sign_in(name)
        if name not in self._clients:
            self._clients[name] = self._sign_in(name)
        return self._clients[name]

    def forget(self, name: str) -> None:
        """Let somebody sign in again when their browser is next asked for."""
        if name not in OUTSIDERS:
            self._clients.pop(name, None)

    def token(self, name: str, client: PageClient) -> str:
        """Return a CSRF token of that browser."""
        page = {"user": "/profile", "other": "/profile"}.get(name, "/admin/account/")
        return client.csrf_token("/login" if name in OUTSIDERS else page)

    def _sign_in(self, name: str) -> PageClient:
        if name == "anonymous":
            return cast("PageClient", self.app.test_client())
        if name in self.users:
            return sign_in(self.app, self.users[name])
        return sign_in_admin(self.app, self.admins[name])

    @property
    def owner(self) -> Person:
        """Whose things they are."""
        return self.users["user"]
