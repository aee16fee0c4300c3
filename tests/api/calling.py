"""Calling the API in tests."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.people import Person
from webapp.accounts.models import User
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity.rules import Scope


def log_in(app: Flask, person: Person, **more: Any) -> dict[str, str]:
    """Return the headers of somebody who signed in through the API."""
    body = {"username": person.username, "password": person.password, **more}
    answer = app.test_client().post("/api/user/login", json=body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {data_of(answer)['token']}"}


def api_token(app: Flask, person: Person, *scopes: Scope, networks: str = "") -> dict[str, str]:
    """Return the headers of a program with an API token made on the page."""
    with app.test_request_context():
        owner = db.session.get_one(User, person.id)
        names = [each.value for each in scopes or Scope]
        raw, _row = identity.create_token(owner, name="test", scopes=names, days=30, networks=networks)
    return {"Authorization": f"Bearer {raw}"}


def data_of(answer: TestResponse) -> Any:
    """Return the data of an answer after a look at its envelope."""
    whole = answer.get_json()
    assert set(whole) == {"code", "message", "data"}, whole
    assert whole["code"] == str(answer.status_code)
    assert answer.headers["X-Request-Id"]
    return whole["data"]


def reason_of(answer: TestResponse) -> str:
    """Return the reason of a refusal."""
    return cast("str", data_of(answer)["reason"])


def errors_of(answer: TestResponse) -> dict[str, list[str]]:
    """Return the sentences of a refusal by field."""
    return cast("dict[str, list[str]]", data_of(answer).get("errors", {}))


def plain(app: Flask) -> FlaskClient:
    """Return a client without a cookie."""
    return app.test_client()
