"""How Alembic reaches the database of the application at hand."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.util import CommandError
from flask import current_app

from webapp.database import migrating
from webapp.database.revisions import database_revision
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


def wanted_revision() -> str | Literal[False] | None:
    """Return where an upgrade or downgrade goes; False for commands that change nothing."""
    try:
        wanted = context.get_revision_argument()
    except KeyError:
        return False
    except CommandError:
        return "somewhere else"  # relative, such as -1
    return wanted[0] if isinstance(wanted, tuple) else wanted


def run_migrations() -> None:
    """Run the migrations, alone, unless there is nothing to do."""
    wanted = wanted_revision()
    if wanted is False:
        with db.engine.connect() as connection:
            run_on(connection)
        return
    with migrating.exclusively():
        if database_revision() == wanted and not migrating.is_interrupted():
            return
        before = current_app.extensions.get("before_migration")
        if before is not None:
            before()
        with migrating.connected() as connection:
            run_on(connection)


def run_on(connection: Any) -> None:
    """Run on one connection, each migration in a transaction; batch mode, because SQLite cannot alter a column."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_item=render_item,
        transaction_per_migration=True,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no offline mode.")
run_migrations()
