"""Which revision the database has: waiting for the right one, and what a newer one means."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from tests.conftest import make_settings
from webapp.app import create_app
from webapp.database.revisions import database_revision, head_revision, migrations_pending
from webapp.extensions import db


def set_revision(app: Flask, revision: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :new"), {"new": revision})


def test_a_database_of_this_version_is_waited_for_no_longer(app: Flask) -> None:
    with app.app_context():
        assert database_revision() == head_revision()
        assert not migrations_pending()
    assert app.test_cli_runner().invoke(args=["database", "wait", "--migrated"]).exit_code == 0


def test_an_older_database_is_not_ready(app: Flask) -> None:
    set_revision(app, "0001")
    answer = app.test_client().get("/healthz/ready")
    assert (answer.status_code, answer.json["data"]["checks"]["database"]) == (503, "migrations pending")
    waited = app.test_cli_runner().invoke(args=["database", "wait", "--migrated", "--seconds", "0"])
    assert (waited.exit_code, waited.output) == (1, "The tables are not up to date. Run: flask db upgrade\n")
    assert app.test_cli_runner().invoke(args=["database", "wait"]).exit_code == 0


def test_programs_of_the_version_before_go_on_beside_a_newer_one(app: Flask) -> None:
    set_revision(app, "9999")
    assert app.test_client().get("/healthz/ready").status_code == 200


def test_an_empty_database_is_not_ready(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path))
    with app.app_context():
        assert database_revision() is None
        assert migrations_pending()
        db.engine.dispose()


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    url = "mysql://nobody:hidden-word@127.0.0.1:1/none"
    app = create_app(make_settings(tmp_path, database_url=url))
    waited = app.test_cli_runner().invoke(args=["database", "wait", "--seconds", "0"])
    assert waited.exit_code == 1
    assert waited.output.startswith("The database does not answer: ")
    assert "hidden-word" not in waited.output
