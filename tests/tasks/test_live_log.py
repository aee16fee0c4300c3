"""The live log of a run: lines, progress and the end, for those who may see them and as long as they may."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import add_admin
from tests.processes import wait_for
from tests.tasks import functions
from tests.tasks.pages import add, newest_run, run_to_its_end
from webapp.admins import service as admins
from webapp.audit import service as audit
from webapp.config import Settings
from webapp.database import db
from webapp.lib import clock
from webapp.tasks import service
from webapp.tasks.models import TaskLogLine, TaskRun
from webapp.tasks.rules import RunState

assert functions


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, task_modules=("tests.tasks.functions",))


def under_way(app: Flask, lines: int = 0) -> str:
    """Add a run that is at work in some other process, with so many lines, and return its public id."""
    task_id = add(app, "talk")
    with app.app_context():
        run = service.run_now(audit.SYSTEM, task_id)
        run.state, run.started_at = RunState.RUNNING.value, clock.utc_now()
        db.session.commit()
        say(run.id, *(f"line {number}" for number in range(lines)))
        return run.public_id


def say(run_id: int, *texts: str) -> None:
    for text in texts:
        db.session.add(TaskLogLine(run_id=run_id, logged_at=clock.utc_now(), level="info", text=text))
    db.session.commit()


def end(app: Flask, *last: str) -> None:
    with app.app_context():
        run = db.session.get_one(TaskRun, newest_run(app).id)
        say(run.id, *last)
        run.state, run.finished_at = RunState.SUCCEEDED.value, clock.utc_now()
        db.session.commit()


def parse(body: str) -> list[tuple[str, str, str]]:
    """Return (event, id, data) of each frame that is no comment."""
    frames = []
    for block in body.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            frames.append((lines["event"], lines.get("id", ""), lines["data"]))
    return frames


def texts_of(frames: list[tuple[str, str, str]]) -> list[str]:
    return [line["text"] for event, _id, data in frames if event == "lines" for line in json.loads(data)]


class Reading:
    """A reader in a thread of its own, who keeps what comes."""

    def __init__(self, client: PageClient, path: str) -> None:
        self.body = ""
        self._frames: Iterator[bytes] = client.get(path, buffered=False).response  # type: ignore[assignment]
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for piece in self._frames:
            self.body += piece.decode() if isinstance(piece, bytes) else piece

    @property
    def ended(self) -> bool:
        """Whether the stream is over."""
        return not self._thread.is_alive()


def test_whole_log_of_a_run_that_has_ended(app: Flask, admin_client: PageClient) -> None:
    shown = admin_client.submit(f"/admin/tasks/{add(app, 'talk')}/run", page="/admin/account/").location
    run_to_its_end(app)
    answer = admin_client.get(f"{shown}/events")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    frames = parse(answer.text)
    assert [text for text in texts_of(frames) if text.startswith("line")] == ["line 0", "line 1", "line 2"]
    assert frames[-1] == ("done", "", '{"state": "succeeded"}')


def test_reader_who_comes_back_gets_what_follows(app: Flask, admin_client: PageClient) -> None:
    run_id = under_way(app, 3)
    end(app)
    path = f"/admin/tasks/runs/{run_id}/events"
    whole = parse(admin_client.get(path).text)
    last = int(next(frame_id for event, frame_id, _data in whole if event == "lines"))
    again = admin_client.get(path, headers={"Last-Event-ID": str(last - 1)}).text
    assert texts_of(parse(again)) == ["line 2"]
    assert texts_of(parse(admin_client.get(f"{path}?after={last}").text)) == []
    assert texts_of(parse(admin_client.get(f"{path}?after=nonsense").text)) == ["line 0", "line 1", "line 2"]


def test_lines_and_progress_come_while_another_process_writes_them(
    app: Flask, admin_client: PageClient
) -> None:
    run_id = under_way(app, 1)
    reading = Reading(admin_client, f"/admin/tasks/runs/{run_id}/events")
    wait_for(lambda: "line 0" in reading.body)
    with app.app_context():
        run = db.session.get_one(TaskRun, newest_run(app).id)
        run.progress_done, run.progress_total, run.progress_text = 3, 12, "a quarter"
        db.session.commit()
    wait_for(lambda: "a quarter" in reading.body)
    assert not reading.ended
    end(app, "the last word")
    wait_for(lambda: reading.ended)
    frames = parse(reading.body)
    assert texts_of(frames) == ["line 0", "the last word"]
    assert [json.loads(data)["percent"] for event, _id, data in frames if event == "run"] == [25, 25]
    assert frames[-1][0] == "done"


def test_reader_holds_no_connection_while_waiting(app: Flask, admin_client: PageClient) -> None:
    run_id = under_way(app, 1)
    readers = [Reading(admin_client, f"/admin/tasks/runs/{run_id}/events") for _ in range(4)]
    wait_for(lambda: all("line 0" in each.body for each in readers))
    with app.app_context():
        wait_for(lambda: db.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    end(app)
    wait_for(lambda: all(each.ended for each in readers))


def test_stream_ends_when_its_reader_is_disabled(app: Flask, admin_client: PageClient) -> None:
    run_id = under_way(app, 1)
    reading = Reading(admin_client, f"/admin/tasks/runs/{run_id}/events")
    wait_for(lambda: "line 0" in reading.body)
    add_admin(app, "other")  # the last superadmin cannot be disabled
    with app.app_context():
        mei = admins.find_admin("mei.chen")
        assert mei is not None
        admins.disable_admin(actor=audit.SYSTEM, public_id=mei.public_id)
    wait_for(lambda: reading.ended)
    with app.app_context():
        say(newest_run(app).id, "a secret afterwards")
    assert "done" not in reading.body
    assert "secret" not in reading.body


def test_stream_sends_its_reader_elsewhere_when_the_process_ends(
    app: Flask, admin_client: PageClient
) -> None:
    run_id = under_way(app, 1)
    reading = Reading(admin_client, f"/admin/tasks/runs/{run_id}/events")
    wait_for(lambda: "line 0" in reading.body)
    app.extensions["draining"] = True
    wait_for(lambda: reading.ended)
    assert parse(reading.body)[-1][0] == "reconnect"


def test_strangers_and_users_get_nothing(app: Flask, client: PageClient, signed_in: PageClient) -> None:
    run_id = under_way(app, 1)
    for somebody in (client, signed_in):
        answer = somebody.get(f"/admin/tasks/runs/{run_id}/events", headers={"Accept": "text/event-stream"})
        assert answer.status_code == 401


def test_log_is_downloaded_whole(app: Flask, admin_client: PageClient) -> None:
    run_id = under_way(app, 1203)
    answer = admin_client.get(f"/admin/tasks/runs/{run_id}/log")
    lines = answer.text.splitlines()
    assert [line.rpartition("info ")[2] for line in lines] == [f"line {number}" for number in range(1203)]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="run-{run_id}.log"'
    page = admin_client.get(f"/admin/tasks/runs/{run_id}").text
    assert "line 1202" in page
    assert ">line 0<" not in page  # the page shows the end
