"""Backups: the whole database, whatever its kind, and the uploads in one file; restored into any other."""

from __future__ import annotations

from flask import Flask

from webapp.backup import cli, service


def init_app(app: Flask) -> None:
    """Register the commands, the check, and what is done before tables are changed."""
    app.cli.add_command(cli.group)
    service.init_app(app)
