"""Public pages, health, and the developer's pages of the local profile."""

from __future__ import annotations

from flask import Flask

from webapp.config import current_settings


def init_app(app: Flask) -> None:
    """Mount the pages."""
    from webapp.site import health, views

    app.register_blueprint(views.blueprint)
    app.register_blueprint(health.blueprint)
    with app.app_context():
        settings = current_settings()
    if settings.profile != "production":
        from webapp.site import dev

        app.register_blueprint(dev.blueprint)
