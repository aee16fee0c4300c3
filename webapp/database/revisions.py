"""Which revision the database has, and which one this version of the program wants."""

from __future__ import annotations

from typing import cast

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import inspect, text

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
        if not inspect(connection).has_table("alembic_version"):
            return None
        return cast(
            "str | None", connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        )


def migrations_pending() -> bool:
    """Tell whether the database lacks a change this program needs; raises SQLAlchemyError when it is away.

    A revision that this program does not know is that of a newer one: its changes only add to the tables as long as
    programs of the version before run beside it, so that both work.
    """
    current = database_revision()
    return current != head_revision() and (current is None or _is_known(current))


def _is_known(revision: str) -> bool:
    try:
        return ScriptDirectory(str(ROOT / "migrations")).get_revision(revision) is not None
    except CommandError:
        return False
