"""The audit log: who did what, when, from where; written with the change it tells of, never changed after."""

from __future__ import annotations

from flask import Flask

from webapp.audit import cli, guard
from webapp.database import db


def init_app(app: Flask) -> None:
    """Guard the log against changes, and bring its commands."""
    with app.app_context():
        guard.init_engine(db.engine)
    app.cli.add_command(cli.commands)
