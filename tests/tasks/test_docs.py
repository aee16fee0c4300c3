"""The example of `docs/how-to-add.md` does what is said there."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.services import ROOT
from tests.tasks.pages import events, fields, run_to_its_end, task_named
from webapp.config import Settings
from webapp.database import db
from webapp.tasks import service
from webapp.tasks.built_in import ensure_built_in
from webapp.tasks.models import Task, TaskLogLine
from webapp.tasks.registry import task_registry
from webapp.tasks.rules import RunState


@pytest.fixture
def settings(instance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    text = (ROOT / "docs" / "how-to-add.md").read_text()
    found = re.search(r"```python\n# my_tasks.py\n(.+?)```", text, re.DOTALL)
    assert found is not None
    (tmp_path / "my_tasks.py").write_text(found[1])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # for the processes that execute runs
    yield make_settings(instance, task_modules=("my_tasks",))
    sys.modules.pop("my_tasks", None)
    for name in ("count_words", "greet_monday"):
        task_registry.remove(name)


def test_example_is_offered_runs_and_tells_what_it_does(app: Flask, admin_client: PageClient) -> None:
    new = "/admin/tasks/new/count_words"
    page = admin_client.get(new).text
    assert "Leave out what is rarer." in page
    refused = admin_client.submit(new, fields(arg_text="x", arg_least="0", arg_case="small"))
    assert "At least 1." in refused.text

    typed = {"arg_text": "to be or not to be", "arg_least": "2", "arg_case": "small"}
    made = admin_client.submit(new, fields("Count", **typed))
    assert made.status_code == 303, made.text
    assert admin_client.submit(f"{made.location}/run", page=made.location).status_code == 303
    run = run_to_its_end(app)
    assert (run.run_state, json.loads(run.result)) == (RunState.SUCCEEDED, {"to": 2, "be": 2})
    assert (run.progress_done, run.progress_total) == (6, 6)
    with app.app_context():
        lines = db.session.scalars(select(TaskLogLine.text).where(TaskLogLine.run_id == run.id)).all()
    assert "4 different words" in lines
    assert events(app)[:2] == ["task:created", "task:started"]
    assert task_named(app, "Count") is not None


def test_example_with_a_schedule_has_its_task_and_is_asynchronous(
    app: Flask, admin_client: PageClient
) -> None:
    with app.app_context():
        ensure_built_in()
        task = db.session.scalars(select(Task).where(Task.built_in_key == "greet_monday")).one()
        assert task.next_run_at is not None
        assert f"{task.next_run_at:%A %H:%M}" == "Monday 00:00"  # eight in Shanghai
        page = f"/admin/tasks/{task.public_id}"
    assert "Monday at 08:00 (Asia/Shanghai)" in admin_client.get(page).text
    with app.app_context():
        for other in db.session.scalars(select(Task).where(Task.built_in_key != "greet_monday")):
            other.state = "paused"
        db.session.commit()
    assert admin_client.submit(f"{page}/run", page=page).status_code == 303
    run = run_to_its_end(app)
    assert json.loads(run.result) == "Good morning"
    with app.app_context():
        assert service.get_run(run.public_id)[1].misfire == "skip"
