"""Models equal migrations, and each migration goes up and down with rows in the tables, on both databases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from webapp.app import create_app
from webapp.config import ROOT, Settings
from webapp.extensions import db

REVISIONS = [s.revision for s in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def bare_app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """An application on an empty database."""
    url = f"sqlite:///{tmp_path / 'm.db'}"
    if request.param == "mariadb":
        url = request.getfixturevalue("mariadb_empty")
    settings = Settings(
        profile="test",
        instance_path=tmp_path,
        database_url=url,
        secret_key="t" * 40,
        log_to_file=False,
        backup_before_migration=False,
    )
    return create_app(settings)


def test_models_equal_migrations(bare_app: Flask) -> None:
    with bare_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_up_and_down_with_rows(bare_app: Flask, revision: str) -> None:
    """FT-22: rows that were there are the same after up, down and up; rows of the new tables do not hinder."""
    before = REVISIONS[REVISIONS.index(revision) - 1] if revision != REVISIONS[0] else "base"
    with bare_app.app_context():
        if before != "base":
            upgrade(revision=before)
            fill(db.engine)
        old = contents(db.engine)
        upgrade(revision=revision)
        first = counts(db.engine)
        downgrade(revision=before)
        assert contents(db.engine) == old
        upgrade(revision=revision)
        assert counts(db.engine) == first
        fill(db.engine)
        downgrade(revision=before)
        upgrade(revision=revision)


def test_one_head() -> None:
    assert len(ScriptDirectory(str(ROOT / "migrations")).get_heads()) == 1


def fill(engine: sa.Engine) -> dict[str, int]:
    """Put one row into every table as the database itself describes it."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name != "alembic_version" and not connection.scalar(
                sa.select(sa.func.count()).select_from(table)
            ):
                connection.execute(table.insert().values({c.name: value_for(c) for c in table.columns}))
    return counts(engine)


def counts(engine: sa.Engine) -> dict[str, int]:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def contents(engine: sa.Engine) -> dict[str, str]:
    """Return a sum over all rows of each table."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: str(sorted(map(str, connection.execute(sa.select(*table.columns)).all())))
            for table in metadata.sorted_tables
            if table.name != "alembic_version"
        }


def value_for(column: sa.Column[Any]) -> object:
    kind = column.type
    if isinstance(kind, sa.DateTime):
        return dt.datetime(2026, 2, 28, 12, 30, 1, 250000)
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer | sa.Numeric):
        return 1
    if isinstance(kind, sa.LargeBinary):
        return b"\x00\xff"
    return "林"[: getattr(kind, "length", None) or 1]
