"""Scheduled prompts: asked by themselves, answered like any other question."""

from __future__ import annotations

from flask import Flask

from webapp.accounts import service as accounts
from webapp.prompts import exporting, running, views

assert running  # noqa: S101 - imported for the function it registers


def init_app(app: Flask) -> None:
    """Mount the pages, and tell what belongs to a person."""
    accounts.register_export(app, "schedules", exporting.export)
    accounts.register_eraser(app, exporting.erase)
    app.register_blueprint(views.blueprint)
