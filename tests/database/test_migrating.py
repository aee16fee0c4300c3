"""FT-22: migrations by two processes at once, and migrations that are killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import upgrade

from tests.backup.deployments import Deployment
from tests.whole.test_migrations import REVISIONS, counts, fill
from webapp.config import ROOT
from webapp.database import db, migrating
from webapp.database.revisions import database_revision, head_revision

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
OLD = REVISIONS[4]  # before the migration that computes rows of a new table
PLACES = (1, 2, 4, 7, 9, 12, 17, 25, 40)

# Upgrades, and kills itself when it has sent so many statements that change something.
DYING = """
import os, signal, sys
import sqlalchemy as sa
from flask_migrate import upgrade
from wsgi import app
left = int(sys.argv[1])
def count(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().split(" ")[0] in {"CREATE", "ALTER", "DROP", "INSERT", "UPDATE"}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.Engine, "after_cursor_execute", count)
with app.app_context():
    upgrade()
"""


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    folder = tmp_path / "instance"
    folder.mkdir()
    url = request.getfixturevalue("mariadb_empty") if request.param == "mariadb" else ""
    return Deployment(folder, url)


def test_of_two_at_once_one_works_and_one_waits(deployment: Deployment) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    both = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=deployment.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [each.communicate(timeout=120)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], outputs
    for revision in REVISIONS[1:]:
        assert sum(output.count(f"-> {revision},") for output in outputs) == 1, revision
    with deployment.bare() as app, app.app_context():
        assert database_revision() == head_revision()


def test_a_killed_migration_is_run_again(deployment: Deployment) -> None:
    """Killed at one place after the other, on the way from an old revision with rows: the last run comes to the end."""
    with deployment.bare(backup_before_migration=False) as app, app.app_context():
        upgrade(revision=OLD)
        before = fill(db.engine)
    killed = 0
    for place in PLACES:
        done = subprocess.run(
            [sys.executable, "-c", DYING, str(place)],
            cwd=ROOT,
            env=deployment.environment | {"BACKUP_BEFORE_MIGRATION": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
    assert killed >= 3
    done = deployment.flask("db", "upgrade", BACKUP_BEFORE_MIGRATION="false")
    assert done.returncode == 0, done.stderr
    with deployment.bare() as app, app.app_context():
        assert database_revision() == head_revision()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []
            assert not sa.inspect(connection).has_table(migrating.MARK)
        after = counts(db.engine)
        assert {name: after[name] for name in before} == before
        assert after["user_words"] == 1
