"""How Alembic reaches the database of the application at hand."""

from __future__ import annotations

from alembic import context
from flask import current_app

from webapp.extensions import db


def run_migrations() -> None:
    """Run the migrations on one connection; batch mode, because SQLite cannot alter a column."""
    engine = db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run on a live database; there is no offline mode.")
run_migrations()
