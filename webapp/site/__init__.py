"""Public pages, health, and the developer's pages of the local profile."""

from __future__ import annotations

from flask import Flask

from webapp.config import Settings
from webapp.site import dev, dev_mail, health, monitoring, views


def init_app(app: Flask) -> None:
    """Mount the pages."""
    settings: Settings = app.extensions["settings"]
    app.register_blueprint(views.blueprint)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(monitoring.blueprint)
    if settings.profile != "production":
        app.register_blueprint(dev.blueprint)
        app.register_blueprint(dev_mail.blueprint)
