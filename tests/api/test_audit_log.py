"""Administrators' programs and the audit log."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.api.administering import AdminProgram, events
from tests.api.calling import errors_of
from tests.people import add_user

PATH = "/api/admin/audit"


@pytest.fixture
def admin(app: Flask) -> AdminProgram:
    program = AdminProgram(app)
    for number in range(4):
        person = add_user(app, f"user.{number}", "Somebody")
        program.post(f"/api/admin/users/{person.public_id}/suspend", reason=f"reason {number}")
    return program


def test_searched_in_pages(admin: AdminProgram) -> None:
    query = {"event": "user:suspended", "actor": f"admin:{admin.person.public_id}", "limit": 3}
    page = admin.get(PATH, **query)
    assert [each["after"]["reason"] for each in page["items"]] == ["reason 3", "reason 2", "reason 1"]
    last = admin.get(PATH, **query, after=page["next"])
    assert [each["after"]["reason"] for each in last["items"]] == ["reason 0"]
    entry = last["items"][0]
    assert admin.get(f"{PATH}/{entry['id']}") == entry
    assert entry["request_id"]
    assert [each["id"] for each in admin.get(PATH, request_id=entry["request_id"])["items"]] == [entry["id"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event", "user:nothing"),
        ("since", "yesterday"),
        ("since", "2026-01-01T00:00:00"),
        ("until", "9999-12-31T23:59:59-23:00"),
        ("order", "id"),
    ],
)
def test_what_is_not_offered_is_refused(admin: AdminProgram, name: str, value: str) -> None:
    answer = admin.call("GET", PATH, query_string={name: value})
    assert answer.status_code == 422
    assert set(errors_of(answer)) == {name}


def test_taken_away(admin: AdminProgram, app: Flask) -> None:
    body = {"event": "user:suspended", "proof": admin.person.password}
    lines = admin.call("POST", f"{PATH}/export/jsonl", json=body).text.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["user:suspended"] * 4
    assert len(admin.call("POST", f"{PATH}/export/csv", json=body).text.splitlines()) == 5
    assert events(app).count("audit:exported") == 2


def test_verified(admin: AdminProgram) -> None:
    told = admin.post(f"{PATH}/verify", start=None)
    assert told["holds"] is True
    assert told["message"]


def test_an_operator_may_not(app: Flask) -> None:
    assert AdminProgram(app, "operator").call("GET", PATH).status_code == 403
