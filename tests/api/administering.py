"""Administrators' programs in tests."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.people import add_admin
from webapp.admins import service as admins
from webapp.audit.models import AuditEntry
from webapp.database import db
from webapp.identity import service as identity

PROGRAM = identity.Client("program", "127.0.0.1", program=True)


class AdminProgram:
    """A program that calls as an administrator of a role."""

    def __init__(self, app: Flask, role: str = "superadmin") -> None:
        self.app, self.person = app, add_admin(app, f"api.{role}", role)
        with app.test_request_context():
            step = admins.log_in(login=self.person.username, password=self.person.password, client=PROGRAM)
        assert isinstance(step, identity.Accepted)
        self.headers = {"Authorization": f"Bearer {step.session_token}"}

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request."""
        headers = self.headers | more.pop("headers", {})
        return self.app.test_client().open(path, method=method, headers=headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        """Return the data of what is read."""
        return self._data(self.call("GET", path, query_string=query))

    def post(self, path: str, **body: Any) -> Any:
        """Return the data that a call gives; nothing is sent where no field is given."""
        return self._data(self.call("POST", path, **({"json": body} if body else {})))

    def _data(self, answer: TestResponse) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.get_json()["data"]


def events(app: Flask) -> list[str]:
    """Return the events of the audit log, in order."""
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)))
