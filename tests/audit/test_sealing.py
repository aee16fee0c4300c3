"""Sealing by many processes at once, with others writing; and retention, which keeps the chain whole."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from tests.audit.logs import found, sealed, sql, write
from webapp.audit import chain, jobs, retention, sealing, verifying
from webapp.audit.models import AuditChain, AuditEntry
from webapp.audit.rules import Event
from webapp.config import Settings
from webapp.database import db

ROOT = Path(__file__).resolve().parents[2]
SEALERS, WRITERS, WRITES_EACH = 4, 2, 120


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"audit_retention_days": 30})


@pytest.mark.slow
def test_four_processes_seal_while_others_write(each_app: Flask, instance: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.audit.logs import write\n"
        "from tests.conftest import make_settings\n"
        "from webapp.app import create_app\n"
        "from webapp.audit import sealing\n"
        "from webapp.database import db\n"
        "app = create_app(make_settings(Path(sys.argv[1]), database_url=sys.argv[2], log_level='ERROR'))\n"
        f"for _ in range({WRITES_EACH}):\n"
        "    with app.app_context():\n"
        "        write(1) if sys.argv[3] == 'write' else sealing.seal_new()\n"
    )
    url = each_app.config["SQLALCHEMY_DATABASE_URI"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(instance), url, what], cwd=ROOT, stderr=subprocess.PIPE
        )
        for what in ["seal"] * SEALERS + ["write"] * WRITERS
    ]
    for process in processes:
        _out, errors = process.communicate(timeout=150)
        assert process.returncode == 0, errors.decode()[-2000:]
        assert b"error" not in errors.lower(), errors.decode()[-2000:]
    with each_app.app_context():
        sealing.seal_new()
        verdict = verifying.verify()
        assert verdict.holds
        assert (verdict.checked, verdict.unsealed) == (WRITERS * WRITES_EACH, 0)
        numbers = db.session.scalars(select(AuditEntry.seal_number).order_by(AuditEntry.seal_number)).all()
        assert numbers == list(range(1, WRITERS * WRITES_EACH + 1))


def test_old_entries_go_and_the_chain_still_holds(each_app: Flask) -> None:
    now = dt.datetime.now(dt.UTC)
    with each_app.app_context():
        with time_machine.travel(now - dt.timedelta(days=40), tick=True):
            sealed(5)
        sealed(3)
        assert retention.prune() == 5
        assert retention.prune() == 0
        sealing.seal_new()
        verdict = verifying.verify()
        assert verdict.holds
        assert (verdict.first_number, verdict.last_number, verdict.checked) == (6, 9, 4)
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.event == Event.AUDIT_PRUNED.value)
        ).one()
        told = json.loads(entry.after)
        assert (told["entries"], told["up_to_number"]) == (5, 5)


def test_more_than_one_piece_is_removed(each_app: Flask) -> None:
    with each_app.app_context():
        with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=40), tick=True):
            sealed(retention.BATCH + 10)
        assert retention.prune() == retention.BATCH + 10
        assert found() == (None, None)


def test_unsealed_entries_are_not_removed(app: Flask) -> None:
    with app.app_context():
        with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=40), tick=True):
            sealed(2)
            write(3)
        assert retention.prune() == 2
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 3 + 1


def test_retention_stops_before_an_entry_that_was_tampered_with(app: Flask) -> None:
    with app.app_context():
        with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=40), tick=True):
            sealed(5)
        sql("UPDATE audit_entries SET actor_name = 'x' WHERE seal_number = 3")
        assert retention.prune() == 2
        assert found() == ("changed", 3)


@pytest.mark.parametrize("days", [0, 41])
def test_nothing_goes_before_its_time(app: Flask, days: int) -> None:
    from webapp.audit import service as audit
    from webapp.settings import service as settings

    with app.app_context():
        settings.change(audit.SYSTEM, {"audit_retention_days": days})
        with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=40), tick=True):
            sealed(5)
        assert retention.prune() == 0


def test_nothing_is_removed_where_the_chain_s_row_was_changed(app: Flask) -> None:
    with app.app_context():
        with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=40), tick=True):
            sealed(5)
        sql("UPDATE audit_chain SET last_number = 4")
        assert retention.prune() == 0
        assert found() == ("chain", None)


def test_recurring_work_can_be_done_twice(app: Flask) -> None:
    with app.app_context():
        write(3)
        for _name, job, _seconds in (*jobs.JOBS, *jobs.JOBS):
            job()
        head = db.session.get_one(AuditChain, 1)
        assert head.last_number == 3
        assert chain.is_signed(head)
