"""Who calls the routes of the API in the access matrix, each with a token in the header."""

from __future__ import annotations

from typing import Final

from flask import Flask

from tests.access.people import ADMINS, Cast
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.admins import service as admins
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity.rules import Scope
from webapp.web.api import Audience

# A cookie is nothing here; a scope too few, or the token of a suspended account, is not enough.
STRANGERS: Final = ("nobody", "cookie", "suspended", "made up")
USERS: Final = ("login", "api token", "other scopes", "other")
CALLERS: Final = (*STRANGERS, *USERS, *ADMINS)
_PROGRAM: Final = identity.Client("matrix", "127.0.0.1", program=True)


class Callers:
    """The people of the matrix with their tokens."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.app: Flask = cast.app
        self._kept: dict[str, str] = {}
        with self.app.test_request_context():
            suspended = db.session.get_one(User, cast.users["suspended"].id)
            suspended.state = "active"
            db.session.commit()
            self._kept["suspended"] = self._log_in("suspended")
            db.session.get_one(User, suspended.id).state = "suspended"
            db.session.commit()

    def headers(self, name: str, audience: Audience, *, anew: bool = False) -> dict[str, str]:
        """Return the headers of a caller."""
        raw = self._token(name, audience, anew=anew)
        return {"Authorization": f"Bearer {raw}"} if raw else {}

    def _token(self, name: str, audience: Audience, *, anew: bool) -> str:
        if name in {"nobody", "cookie"}:
            return ""
        if name == "made up":
            return "at_" + "x" * 43
        key = f"{name} {audience.scope}" if name in {"api token", "other scopes"} else name
        if anew:  # the call may end the other sessions of the same person as well
            self._kept.pop(key, None)
            self.cast.forget("user" if name == "login" else name)
            return self._made(name, audience)
        if key not in self._kept:
            self._kept[key] = self._made(name, audience)
        return self._kept[key]

    def _made(self, name: str, audience: Audience) -> str:
        with self.app.test_request_context():
            return self._new(name, audience)

    def _new(self, name: str, audience: Audience) -> str:
        if name in ADMINS:
            person = self.cast.admins[name]
            step = admins.log_in(login=person.username, password=person.password, client=_PROGRAM)
            assert isinstance(step, identity.Accepted)
            return step.session_token
        if name in {"login", "other"}:
            return self._log_in("user" if name == "login" else "other")
        others = {each.value for each in Scope} - {audience.scope}
        scopes = others if name == "other scopes" or not audience.scope else {audience.scope}
        owner = db.session.get_one(User, self.cast.owner.id)
        return identity.create_token(owner, name=name, scopes=scopes, days=30)[0]

    def _log_in(self, name: str) -> str:
        person = self.cast.users[name]
        step = accounts.log_in(login=person.username, password=person.password, keep=True, client=_PROGRAM)
        assert isinstance(step, accounts.SignedIn)
        return step.user.session_token or ""
