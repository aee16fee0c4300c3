"""Scheduled prompts on both kinds of database."""

from __future__ import annotations

from flask import Flask

from tests.people import add_admin, add_user, sign_in, sign_in_admin
from tests.prompts.scheduling import act, outcomes, run_due, schedule, task_of


def test_prompt_is_made_asked_shown_and_deleted(each_app: Flask) -> None:
    client = sign_in(each_app, add_user(each_app, "lin.yue", "Lin Yue"))
    good = schedule(client, mail="y", destination="one")
    bad = schedule(client, model="scripted-length")
    assert run_due(each_app, good).state == "succeeded"
    assert run_due(each_app, bad).state == "failed"
    assert [each.problem for each in outcomes(each_app)] == ["", "length"]
    assert "Open the answer" in client.get(f"/schedules/{good}").text
    admin_client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    assert "cut off" in admin_client.get("/admin/schedules/").text
    task_id = task_of(each_app, bad).public_id
    admin_client.submit(f"/admin/schedules/{task_id}/pause", page="/admin/schedules/")
    assert "only they can resume it" in act(client, bad, "resume").text
    act(client, bad, "delete")
    assert len(outcomes(each_app)) == 1
