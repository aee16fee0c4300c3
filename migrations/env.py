"""How Alembic reaches the database of the application at hand."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app

from webapp.database.sealed import SealedText
from webapp.database.types import UTCDateTime
from webapp.extensions import db


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write our own types as the plain ones they are, so that a migration stands without the program."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from sqlalchemy.dialects import mysql")
        return "sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')"
    if kind == "type" and isinstance(item, SealedText):
        autogen.imports.add("from sqlalchemy.dialects import mysql")
        return "sa.Text().with_variant(mysql.LONGTEXT(), 'mysql', 'mariadb')"
    return False


def run_migrations() -> None:
    """Run the migrations on one connection; batch mode, because SQLite cannot alter a column."""
    engine = db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no offline mode.")
run_migrations()
