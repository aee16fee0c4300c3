"""Which revision the database has, and which one this version of the program wants."""

from __future__ import annotations

from typing import cast

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from webapp.config import ROOT
from webapp.extensions import db


def head_revision() -> str | None:
    """Return the newest revision among the migration files."""
    known = current_app.extensions
    if "head_revision" not in known:
        known["head_revision"] = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    return cast("str | None", known["head_revision"])


def database_revision() -> str | None:
    """Return the revision of the database; raises SQLAlchemyError when it is away."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
