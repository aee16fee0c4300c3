"""Administrators' programs and settings."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.administering import AdminProgram, events
from tests.api.calling import data_of, errors_of, reason_of
from webapp.config import current_settings

PATH = "/api/admin/settings"


@pytest.fixture
def admin(app: Flask) -> AdminProgram:
    return AdminProgram(app)


def setting(admin: AdminProgram, name: str) -> dict[str, Any]:
    return next(each for each in admin.get(PATH)["items"] if each["name"] == name)


def change(admin: AdminProgram, values: dict[str, Any], **more: Any) -> Any:
    return admin.call("PATCH", PATH, json={"values": values, **more})


def test_read_changed_and_reverted(admin: AdminProgram, app: Flask) -> None:
    assert setting(admin, "site_name")["version"] == 0
    for number, name in enumerate(("First", "Second"), start=1):
        told = data_of(change(admin, {"site_name": name}, versions={"site_name": number - 1}))
        assert told["changed"] == ["site_name"]
    with app.app_context():
        assert current_settings().site_name == "Second"
    page = admin.get(f"{PATH}/site_name/history", limit=1)
    assert [(each["version"], each["after"]) for each in page["items"]] == [(2, "Second")]
    older = admin.get(f"{PATH}/site_name/history", limit=1, after=page["next"])
    assert [each["version"] for each in older["items"]] == [1]
    assert older["next"] is None
    admin.post(f"{PATH}/site_name/revert", version=1, seen=2)
    assert setting(admin, "site_name")["value"] == "First"
    data_of(change(admin, {"site_name": None}))
    assert setting(admin, "site_name")["source"] == "default"
    assert events(app)[-2:] == ["setting:reverted", "setting:changed"]


def test_a_secret_goes_in_and_never_comes_out(admin: AdminProgram) -> None:
    answer = change(admin, {"zhipuai_api_key": "abcdef.secretsecret"})
    assert data_of(answer)["changed"] == ["zhipuai_api_key"]
    found = setting(admin, "zhipuai_api_key")
    assert (found["value"], found["filled"]) == (None, True)
    for text in (answer.text, str(admin.get(PATH)), str(admin.get(f"{PATH}/zhipuai_api_key/history"))):
        assert "secretsecret" not in text


def test_all_or_nothing_and_every_fault_is_named(admin: AdminProgram) -> None:
    wrong = {"site_name": "New", "mail_port": 70000, "default_timezone": "Nowhere/At_All"}
    answer = change(admin, wrong)
    assert answer.status_code == 422
    assert set(errors_of(answer)) == {"mail_port", "default_timezone"}
    assert setting(admin, "site_name")["version"] == 0


@pytest.mark.parametrize("name", ["secret_key", "database_url", "nothing"])
def test_what_cannot_be_changed_here(admin: AdminProgram, name: str) -> None:
    assert change(admin, {name: "x"}).status_code == 422
    assert admin.call("GET", f"{PATH}/{name}/history").status_code == 404


def test_somebody_was_faster(admin: AdminProgram) -> None:
    change(admin, {"site_name": "First"})
    answer = change(admin, {"site_name": "Second"}, versions={"site_name": 0})
    assert (answer.status_code, reason_of(answer)) == (409, "setting_changed_meanwhile")
    assert setting(admin, "site_name")["value"] == "First"


def test_providers_need_their_own_permission(app: Flask) -> None:
    program = AdminProgram(app, "admin")
    assert change(program, {"site_name": "Mine"}).status_code == 200
    assert change(program, {"openai_compatible_base_url": "https://models.example"}).status_code == 403
