"""Administrators' programs, tasks and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.api.administering import AdminProgram, events
from tests.api.calling import data_of, errors_of, reason_of
from tests.tasks import functions
from webapp.tasks.rules import RunState

PATH = "/api/admin/tasks"
CRON = {"name": "Every Monday", "function": "note", "cron": "0 8 * * 1", "timezone": "Asia/Shanghai"}


@pytest.fixture
def admin(app: Flask) -> AdminProgram:
    assert functions
    return AdminProgram(app)


def create(admin: AdminProgram, tmp_path: Path, **more: Any) -> Any:
    body = CRON | {"arguments": {"path": str(tmp_path / "note")}} | more
    return admin.call("POST", PATH, json=body)


def test_made_changed_and_deleted(admin: AdminProgram, app: Flask, tmp_path: Path) -> None:
    offered = {each["name"]: each for each in admin.get(f"{PATH}/functions")["items"]}
    assert "path" in offered["note"]["arguments"]["properties"]
    made = data_of(create(admin, tmp_path, retries=3))
    assert (made["cron"], made["timezone"], made["retries"], made["state"]) == (
        "0 8 * * 1",
        "Asia/Shanghai",
        3,
        "active",
    )
    path, plan = f"{PATH}/{made['id']}", {"name": "Hourly", "interval_seconds": 3600, "seen": made["seen"]}
    plan["arguments"] = made["arguments"]
    changed = data_of(admin.call("PUT", path, json=plan))
    assert (changed["name"], changed["interval_seconds"], changed["cron"]) == ("Hourly", 3600, None)
    late = admin.call("PUT", path, json=plan)
    assert late.status_code == 409
    assert admin.post(f"{path}/pause")["state"] == "paused"
    assert admin.post(f"{path}/resume")["state"] == "active"
    assert admin.call("DELETE", path).status_code == 200
    assert admin.call("GET", path).status_code == 404
    assert events(app)[-1] == "task:deleted"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"function": "os.system"}, "function"),
        ({"cron": "every day"}, "cron"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"interval_seconds": 60}, "cron"),
        ({"cron": None}, "at"),
        ({"cron": None, "at": "2020-01-01T00:00:00Z"}, "at"),
        ({"arguments": {}}, "arguments.path"),
        ({"arguments": {"path": "x", "more": 1}}, "arguments.more"),
        ({"retries": "3"}, "retries"),
        ({"owner": "somebody"}, "owner"),
    ],
)
def test_what_does_not_fit_is_named(
    admin: AdminProgram, tmp_path: Path, more: dict[str, Any], field: str
) -> None:
    answer = create(admin, tmp_path, **more)
    assert answer.status_code == 422, answer.text
    assert field in errors_of(answer)


def test_run_cancelled_and_tried_again(admin: AdminProgram, app: Flask, tmp_path: Path) -> None:
    made = data_of(create(admin, tmp_path))
    run = admin.post(f"{PATH}/{made['id']}/run")
    assert (run["task"], run["trigger"]) == (made["id"], "manual")
    runs = f"/api/admin/runs/{run['id']}"
    assert admin.post(f"{runs}/cancel")["state"] == RunState.CANCELLED.value
    refused = admin.call("POST", f"{runs}/cancel")
    assert refused.status_code == 409
    again = admin.post(f"{runs}/retry")
    assert again["id"] != run["id"]
    listed = admin.get("/api/admin/runs", task=made["id"], limit=1)
    assert [each["id"] for each in listed["items"]] == [again["id"]]
    older = admin.get("/api/admin/runs", task=made["id"], limit=1, after=listed["next"])
    assert [each["id"] for each in older["items"]] == [run["id"]]
    assert admin.get(runs)["attempts"] == []
    assert admin.get(f"{runs}/log") == {"items": [], "next": None}
    stream = admin.call("GET", f"{runs}/events")
    assert stream.mimetype == "text/event-stream"
    assert "event: done" in stream.text


def test_many_are_paused_each_for_itself(admin: AdminProgram, tmp_path: Path) -> None:
    made = data_of(create(admin, tmp_path))
    told = admin.post(f"{PATH}/bulk", act="pause", tasks=[made["id"], "nothing"])["results"]
    assert [each["done"] for each in told] == [True, False]
    assert told[1]["message"]
    assert admin.get(f"{PATH}/{made['id']}")["state"] == "paused"


def test_whoever_only_reads_sees_no_arguments(app: Flask, admin: AdminProgram, tmp_path: Path) -> None:
    made = data_of(create(admin, tmp_path))
    auditor = AdminProgram(app, "auditor")
    assert auditor.get(f"{PATH}/{made['id']}")["arguments"] is None
    answer = auditor.call("POST", f"{PATH}/{made['id']}/pause")
    assert (answer.status_code, reason_of(answer)) == (403, "permission_missing")
