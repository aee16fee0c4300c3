"""`flask database wait`: what starts together, in any order, waits here until the database is there."""

from __future__ import annotations

import sys
import time
from typing import Final

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.revisions import database_revision, migrations_pending

PAUSE_SECONDS: Final = 0.5
group = AppGroup("database", help="The database this deployment uses.")


def init_app(app: Flask) -> None:
    """Register the command."""
    app.cli.add_command(group)


@group.command("wait")
@click.option("--seconds", default=120.0, show_default=True, help="How long, at most.")
@click.option("--migrated", is_flag=True, help="Wait until its tables are up to date, too.")
def wait_command(seconds: float, *, migrated: bool) -> None:
    """Wait until the database answers; exit code 1, and the reason, when it does not in time."""
    deadline = time.monotonic() + seconds
    while why := _missing(migrated=migrated):
        if time.monotonic() >= deadline:
            click.echo(why, err=True)
            sys.exit(1)
        time.sleep(PAUSE_SECONDS)


def _missing(*, migrated: bool) -> str:
    """Return what the database lacks, in words, or nothing."""
    try:
        if not migrated:
            database_revision()
        elif migrations_pending():
            return "The tables are not up to date. Run: flask db upgrade"
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__)
        return f"The database does not answer: {reason}"
    return ""
