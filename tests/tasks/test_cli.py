"""`flask tasks` and `flask scheduler run`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from flask import Flask

from tests.conftest import SECRET, make_settings
from tests.processes import wait_for
from tests.tasks import functions
from tests.tasks.pages import add, tick_until
from webapp.audit import service as audit
from webapp.config import ROOT, Settings
from webapp.tasks import service
from webapp.tasks.rules import TaskState

assert functions


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


def call(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["tasks", *words])
    return result.exit_code, result.output


def test_list_pause_and_resume(app: Flask) -> None:
    task_id = add(app, "note", {"path": "x"}, name="Note", cron="0 8 * * mon")
    code, output = call(app, "list")
    assert code == 0
    assert output.split("\t")[:5] == [task_id, "Note", "note", "active", "Monday at 08:00 (UTC)"]
    assert call(app, "pause", "Note") == (0, "Note is paused.\n")
    with app.app_context():
        assert service.get_task(task_id).state == TaskState.PAUSED.value
    code, output = call(app, "resume", task_id)
    assert code == 0
    assert output.startswith("Note is active; next run ")
    assert call(app, "pause", "Nobody") == (1, "Error: There is no task Nobody: flask tasks list\n")


def test_name_of_several_tasks_is_refused(app: Flask) -> None:
    for _ in range(2):
        add(app, "note", {"path": "x"}, name="Twice")
    code, output = call(app, "run", "Twice")
    assert code == 1
    assert "Several tasks" in output


@pytest.mark.parametrize(
    ("func_name", "code", "words"), [("talk", 0, "succeeded"), ("fail", 1, "failed RuntimeError")]
)
def test_run_waits_and_its_exit_code_is_the_result(app: Flask, func_name: str, code: int, words: str) -> None:
    add(app, func_name, name="Mine")
    told: list[tuple[int, str]] = []
    calling = threading.Thread(target=lambda: told.append(call(app, "run", "Mine", "--wait")))
    calling.start()
    tick_until(app, lambda: told)
    calling.join()
    assert told[0][0] == code
    assert words in told[0][1]
    if func_name == "talk":
        assert "info line 2" in told[0][1]
    assert call(app, "history", "Mine", "--failed")[1].count("\n") == code
    assert call(app, "history")[1].split("\t")[1] == "Mine"


def test_scheduler_is_a_process_of_its_own_that_ends_cleanly(
    app: Flask, instance: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    task_id = add(app, "note", {"path": str(out)}, name="Note")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(instance),
        "LOCAL_MODEL": "off",
        "SCHEDULER": "off",
        "TASK_MODULES": "tests.tasks.functions",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "scheduler", "run"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        with app.app_context():
            run_id = service.run_now(audit.SYSTEM, task_id).public_id
        wait_for(lambda: process.poll() is not None or has_ended(app, run_id))
        assert process.poll() is None, log.read_text()
        assert out.read_text() == "ran\n"
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
        assert not [child for child in family if child.is_running()]
    finally:
        if process.poll() is None:
            process.kill()


def has_ended(app: Flask, run_id: str) -> bool:
    with app.app_context():
        return service.get_run(run_id)[0].run_state.final
