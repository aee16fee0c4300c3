"""Settings that administrators change at run time: kept in the database, each change a version."""

from __future__ import annotations

from flask import Flask

from webapp.settings import cli, overlay


def init_app(app: Flask) -> None:
    """Let what the database says win over the environment."""
    overlay.init_app(app)
    app.cli.add_command(cli.commands)
